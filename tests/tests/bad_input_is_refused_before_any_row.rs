//! Every kind of bad input: what is wrong, where, what was expected and the nearest right name.

use shardmill_tests::engine::{all, column, spec, tables, try_tables};

/// The problems of a spec whose tables are `body`.
fn problems(body: &str) -> Vec<String> {
    try_tables(&spec(body)).err().unwrap_or_default()
}

/// Asserts that one problem holds all the parts, in order.
fn refused(body: &str, parts: &[&str]) {
    refused_text(&spec(body), parts);
}

fn refused_text(text: &str, parts: &[&str]) {
    let found = try_tables(text).err().unwrap_or_default();
    let holds = |problem: &String| {
        let mut rest = problem.as_str();
        parts.iter().all(|part| match rest.find(part) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    };
    assert!(found.iter().any(holds), "expected {parts:?} in one of\n{}", found.join("\n"));
}

#[test]
fn an_unknown_key() {
    refused(
        "  t:\n    rowz: 5\n    columns: {id: {sequence: 1}}\n",
        &["6: tables.t.rowz: unknown key `rowz`", "expected one of", "did you mean `rows`?"],
    );
    refused(
        "  t:\n    columns: {id: {sequence: {strat: 5}}}\n",
        &["6: tables.t.columns.id.sequence.strat: unknown key `strat`", "did you mean `start`?"],
    );
}

#[test]
fn a_misspelt_generator() {
    refused(
        "  t:\n    columns:\n      a: {generator: {choce: {choices: [1]}}}\n",
        &["7: tables.t.columns.a.generator", "there is no generator `choce`", "did you mean `choice`?"],
    );
    refused(
        "  t:\n    columns:\n      a: {faker: emial}\n",
        &["there is no faker method `emial`", "did you mean `email`?"],
    );
    refused("  t:\n    columns:\n      a: {type: flaot}\n", &["there is no type `flaot`", "did you mean `float`?"]);
}

#[test]
fn a_missing_parent() {
    refused(
        "  users: {columns: {id: {sequence: 1}}}\n  orders: {parent: user, columns: {id: {sequence: 1}}}\n",
        &["6: tables.orders.parent: there is no table `user`", "did you mean `users`?"],
    );
}

#[test]
fn cycles_of_parents_and_of_columns() {
    refused(
        "  a: {parent: b, columns: {id: {sequence: 1}}}\n  b: {parent: a, columns: {id: {sequence: 1}}}\n",
        &["tables.a: the parents form a cycle: a → b → a"],
    );
    refused(
        "  t:\n    columns:\n      x: {type: float, expression: y + 1}\n      y: {type: float, expression: x + 1}\n",
        &["its values depend on themselves: t.x → t.y → t.x"],
    );
    refused(
        "  a: {columns: {id: {sequence: 1}, n: {type: int, rollup: b.m}}}\n  b: {parent: a, fanout: 2, columns: {id: {sequence: 1}, m: {type: int, lookup: a.n}}}\n",
        &["its values depend on themselves: a.n → b.m → a.n"],
    );
}

#[test]
fn a_lookup_of_an_absent_column() {
    refused(
        "  users: {columns: {id: {sequence: 1}, email: {faker: email}}}\n  o: {columns: {x: {lookup: users.emial}}}\n",
        &["6: tables.o.columns.x.lookup.from", "no column of `users` named `emial`", "did you mean `email`?"],
    );
}

#[test]
fn a_join_with_no_way_back() {
    refused(
        "  big: {rows: 5000000, columns: {id: {sequence: 1}, code: {id: '{random:9}'}, n: {type: int}}}\n  o: {columns: {id: {sequence: 1}, code: {id: '{random:9}'}, n: {lookup: {from: big.n, on: {code: code}}}}}\n",
        &[
            "table `big` has up to 5000000 rows, too many to be searched by value",
            "a key that is itself a `lookup` of `big`",
        ],
    );
}

#[test]
fn weights_that_sum_to_zero() {
    refused(
        "  t: {columns: {a: {choice: {choices: [x, y], weights: [0, 0]}}}}\n",
        &["5: tables.t.columns.a.choice.weights", "weights"],
    );
    refused("  t: {columns: {a: {choice: {choices: [x, y], weights: [1]}}}}\n", &["1 weights are given for 2 choices"]);
    refused("  t: {columns: {a: {choice: {choices: []}}}}\n", &["the list is empty"]);
}

#[test]
fn a_unique_domain_too_small() {
    refused(
        "  t: {rows: 5000, columns: {a: {unique: true, id: 'X{random:3}'}}}\n",
        &["1000 different values are too few for 5000 rows", "a domain of at least 5000 values"],
    );
    refused(
        "  t: {rows: 50, columns: {a: {unique: true, choice: [a, b]}}}\n",
        &["2 different values are too few for 50 rows"],
    );
    refused(
        "  t: {rows: 50, columns: {a: {unique: true, type: float, distribution: normal}}}\n",
        &["values of this distribution repeat"],
    );
    refused(
        "  t: {rows: 50, columns: {a: {unique: true, type: int, sequence: 1, modifiers: [{multiply: 0}]}}}\n",
        &["`multiply` can make two values equal"],
    );
}

#[test]
fn min_above_max() {
    refused(
        "  t: {columns: {a: {type: float, distribution: {type: uniform, low: 3, high: 1}}}}\n",
        &["low 3 is above high 1"],
    );
    refused(
        "  t: {columns: {a: {type: float, distribution: {type: normal, clamp: [9, 1]}}}}\n",
        &["min 9 is above max 1"],
    );
    refused(
        "  p: {columns: {id: {sequence: 1}}}\n  t: {parent: p, fanout: {distribution: uniform, min: 4, max: 2}, columns: {id: {sequence: 1}}}\n",
        &["min 4 is above max 2"],
    );
    refused_text(
        &format!(
            "{}constraints: {{ranges: [{{attr: t.a, min: 5, max: 1}}]}}\n",
            spec("  t: {columns: {a: {type: float}}}\n")
        ),
        &["constraints.ranges.0: min 5 is above max 1"],
    );
}

#[test]
fn an_inequality_that_cannot_hold() {
    let body = "  t:\n    columns:\n      a: {type: float, distribution: {type: uniform, low: 10, high: 20}}\n      b: {type: float, distribution: {type: uniform, low: 1, high: 5}}\n";
    refused_text(
        &format!("{}constraints: {{inequalities: [{{left: t.a, op: '<', right: t.b}}]}}\n", spec(body)),
        &["`a` < `b` can never hold"],
    );
    refused_text(
        &format!("{}constraints: {{inequalities: [{{left: t.a, op: '<', right: t.a}}]}}\n", spec(body)),
        &["a value is never less than itself"],
    );
    refused_text(
        &format!("{}constraints: {{ranges: [{{attr: t.a, min: 50}}]}}\n", spec(body)),
        &["its values and its range do not meet"],
    );
}

#[test]
fn a_bad_regex_and_a_bad_date() {
    let body = spec("  t: {columns: {a: {faker: email}}}\n");
    refused_text(
        &format!("{body}constraints: {{pattern: [{{attr: t.a, regex: '(a'}}]}}\n"),
        &["`(a` is no regular expression"],
    );
    refused(
        "  t: {columns: {a: {datetime_series: {within: {start: 2024-02-30, end: 2024-03-01}}}}}\n",
        &["within.start: `2024-02-30` is no date or time", "ISO 8601"],
    );
    refused(
        "  t: {columns: {a: {datetime_series: {within: {start: 2024-03-02, end: 2024-03-01}}}}}\n",
        &["the start is after the end"],
    );
}

#[test]
fn duplicate_keys_and_second_documents() {
    refused(
        "  t:\n    rows: 5\n    rows: 6\n    columns: {id: {sequence: 1}}\n",
        &["7: the key `rows` is written twice, first on line 6"],
    );
}

#[test]
fn no_is_a_country_code() {
    let made = tables(&spec(
        "  t: {rows: 50, columns: {c: {choice: [no, se]}, n: {faker: {method: name, locale_from: c}}}}\n",
    ));
    let codes = column(&all(&made, "t"), "c");
    assert!(
        codes.iter().any(|code| code == "no") && codes.iter().all(|code| code == "no" || code == "se"),
        "{codes:?}"
    );
    refused(
        "  t: {columns: {a: {nullable: no, faker: email}}}\n",
        &["found `no`", "expected true or false (`yes` and `no` are text)"],
    );
}

#[test]
fn rows_that_make_no_table() {
    refused(
        "  t: {rows: 0, columns: {id: {sequence: 1}}}\n",
        &["5: tables.t.rows: 0 rows make no table", "at least 1"],
    );
    refused("  t: {rows: -5, columns: {id: {sequence: 1}}}\n", &["tables.t.rows: found `-5`", "not negative"]);
    refused("  t: {rows: many, columns: {id: {sequence: 1}}}\n", &["found `many`"]);
    refused(
        "  t: {rows: 99999999999999999999, columns: {id: {sequence: 1}}}\n",
        &["found `99999999999999999999`", "at most"],
    );
}

#[test]
fn rows_times_fan_out_beyond_64_bits() {
    refused(
        "  a: {rows: 9000000000000000000, columns: {id: {sequence: 1}}}\n  b: {parent: a, fanout: 1000, columns: {id: {sequence: 1}}}\n",
        &["tables.b: rows times fan-out are more than can be numbered"],
    );
    refused(
        "  a: {rows: 9000000000000000000, columns: {id: {sequence: {start: 1, step: 10}}}}\n",
        &["rows times fan-out are more than can be numbered"],
    );
    refused(
        "  a: {rows: 4000000000000000000, columns: {id: {sequence: {start: 1, step: 10}}}}\n",
        &["the last row would have number", "a number of 64 bits"],
    );
}

#[test]
fn an_expression_is_explained() {
    refused(
        "  t: {columns: {price: {type: float}, x: {type: float, expression: prise * 2}}}\n",
        &["in `prise * 2` at character 1", "did you mean `price`?"],
    );
    refused(
        "  t: {columns: {x: {type: float, expression: '1 +'}}}\n",
        &["tables.t.columns.x.expression.code: in `1 +` at character"],
    );
    refused("  t: {columns: {name: {faker: name}, x: {type: float, expression: name * 2}}}\n", &["in `name * 2`"]);
}

#[test]
fn behaviours_of_a_later_version_are_refused_by_name() {
    for key in [
        "segment_behavior",
        "vintage_behavior",
        "stage_config",
        "state_transition_model",
        "attribution_chain",
        "adoption_model",
        "lifecycle_model",
    ] {
        let body = format!("  t: {{columns: {{id: {{sequence: 1}}}}, {key}: {{x: y}}}}\n");
        refused(&body, &[&format!("tables.t.{key}: `{key}` is not supported yet")]);
    }
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems(
        "  t:\n    rows: 0\n    columns:\n      a: {faker: emial}\n      b: {type: flaot}\n      c: {choice: {choices: [x], weights: [0]}}\n  u:\n    parent: v\n    columns: {id: {sequence: {stp: 1}}}\n",
    );
    for part in ["`emial`", "`flaot`", "0 rows make no table", "no table `v`", "`stp`"] {
        assert!(found.iter().any(|problem| problem.contains(part)), "{part} is missing in\n{}", found.join("\n"));
    }
}

#[test]
fn a_spec_that_would_take_too_much_to_read() {
    let chain = |columns: usize, order: &mut dyn Iterator<Item = usize>| {
        let column = |at| match at {
            0 => "      c0: {sequence: 1}\n".to_owned(),
            at => format!("      c{at}: {{expression: c{} + 1}}\n", at - 1),
        };
        format!("  t:\n    rows: {columns}\n    columns:\n{}", order.map(column).collect::<String>())
    };
    let deep = "its values follow from more than 200 columns, one after another";
    refused(&chain(3_000, &mut (0..3_000)), &[deep]);
    refused(&chain(3_000, &mut (0..3_000).rev()), &[deep]);
    assert!(problems(&chain(150, &mut (0..150).rev())).is_empty());
    let tables: String = (0..1_001).map(|at| format!("  t{at}: {{columns: {{id: {{sequence: 1}}}}}}\n")).collect();
    refused(&tables, &["there are 1001 tables; expected at most 1000 tables"]);
    let wide: String = (0..10_001).map(|at| format!("      c{at}: {{sequence: 1}}\n")).collect();
    refused(&format!("  t:\n    columns:\n{wide}"), &["there are 10001 columns; expected at most 10000"]);
    let unique = vec!["t.id"; 2_001].join(", ");
    let body = format!("  t: {{columns: {{id: {{sequence: 1}}}}}}\nconstraints: {{unique: [{unique}]}}\n");
    refused(&body, &["there are 2001 of them; expected at most 2000"]);
}
