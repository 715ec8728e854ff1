//! Inequalities, ranges, lookups and rollups hold in every row, whichever way they are found.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

mod helper {
    //! What the scenarios share.

    use std::collections::HashMap;

    use shardmill_engine::Tables;
    use shardmill_tests::engine::{all, column};

    /// A column of a whole table as text.
    pub(crate) fn texts(made: &Tables, table: &str, name: &str) -> Vec<String> {
        column(&all(made, table), name)
    }

    /// The first row of each value.
    pub(crate) fn first_rows(values: &[String]) -> HashMap<&str, usize> {
        let mut rows = HashMap::new();
        for (row, value) in values.iter().enumerate() {
            rows.entry(value.as_str()).or_insert(row);
        }
        rows
    }

    /// Cents of a decimal with two digits after the point.
    pub(crate) fn cents(text: &str) -> i64 {
        text.replace('.', "").parse().unwrap()
    }
}

use std::collections::HashMap;

use helper::{cents, first_rows, texts};
use shardmill_engine::Tables;
use shardmill_engine::civil::DAY_US;
use shardmill_tests::engine::{spec, tables, try_tables};
use shardmill_tests::fit::{values, values_or_null};

fn made(body: &str, constraints: &str) -> Tables {
    tables(&format!("{}constraints: {{{constraints}}}\n", spec(body)))
}

/// Columns of every ordered kind, drawn over spans that overlap. Some carry modifiers and must be drawn again.
const COLUMNS: &str = "
  u: {rows: 700, columns: {id: {sequence: 1}, born: {datetime_series: {freq: S, within: {start: 2024-01-01, end: 2024-09-30}}}, level: {type: int, distribution: {type: uniform, low: 0, high: 60}}}}
  t:
    parent: u
    fanout: 9
    columns:
      id: {sequence: 1}
      int: {type: int, distribution: {type: uniform, low: 0, high: 100}}
      float: {type: float, distribution: {type: normal, mean: 50, std: 20, clamp: [0, 100]}}
      money: {type: 'decimal(9,2)', distribution: {type: uniform, low: 0, high: 100}}
      noisy: {type: int, distribution: {type: uniform, low: 0, high: 100}, modifiers: [{jitter: 5}]}
      cost: {type: 'decimal(9,2)', distribution: {type: lognormal, mean: 4, sigma: 0.5}, modifiers: [{multiply: 0.9}]}
      count: {distribution: {type: poisson, lambda: 50}}
      at: {datetime_series: {freq: S}}
      hour: {datetime_series: {freq: H}}
      grown: {diffusion_curve: {steepness: 4}}
      shaken: {datetime_series: {freq: S}, modifiers: [{time_jitter: 600}]}
      day: {type: date, datetime_series: {freq: S}}
      born: {lookup: u.born}
      level: {lookup: u.level}
";

#[test]
fn inequalities_between_all_kinds_of_columns() {
    let numbers = ["int", "float", "money", "noisy", "cost", "count", "level"];
    let times = ["at", "hour", "grown", "shaken", "day", "born"];
    for group in [&numbers[..], &times[..]] {
        for left in group {
            for right in group.iter().filter(|right| *right != left) {
                for op in ["<", "<=", ">", ">="] {
                    holds(left, op, right);
                }
            }
        }
    }
}

fn holds(left: &str, op: &str, right: &str) {
    let made = made(COLUMNS, &format!("inequalities: [{{left: t.{left}, op: '{op}', right: t.{right}}}]"));
    let (a, b) = (values(&made, "t", left), values(&made, "t", right));
    let broken: Vec<usize> = (0..a.len())
        .filter(|row| !match op {
            "<" => a[*row] < b[*row],
            "<=" => a[*row] <= b[*row],
            ">" => a[*row] > b[*row],
            _ => a[*row] >= b[*row],
        })
        .collect();
    let spans = ["int", "float", "money"];
    if spans.contains(&left) && spans.contains(&right) {
        let inside = |values: &[f64]| values.iter().all(|x| (0.0..=100.0).contains(x));
        assert!(inside(&a) && inside(&b), "{left} {op} {right}: the earlier column leaves room for the later one");
    }
    assert!(broken.is_empty(), "{left} {op} {right}: {} and {}, in {} rows", a[broken[0]], b[broken[0]], broken.len());
}

#[test]
fn chains_of_inequalities() {
    let body = "
  t:
    rows: 20000
    columns:
      ordered: {type: date, datetime_series: {freq: D}}
      paid: {datetime_series: {freq: S}}
      shipped: {type: date, datetime_series: {freq: D}}
      low: {type: float, distribution: normal}
      middle: {type: float, distribution: normal}
      high: {type: float, distribution: normal}
";
    let made = made(
        body,
        "inequalities: [{left: t.ordered, op: '<=', right: t.paid}, {left: t.shipped, op: '>=', right: t.paid}, {left: t.low, op: '<', right: t.middle}, {left: t.middle, op: '<', right: t.high}, {left: t.low, op: '<', right: t.high}], ranges: [{attr: t.middle, min: -1, max: 1}]",
    );
    let columns = ["ordered", "paid", "shipped", "low", "middle", "high"].map(|column| values(&made, "t", column));
    for row in 0..20_000 {
        let [ordered, paid, shipped, low, middle, high] = columns.each_ref().map(|column| column[row]);
        // The last moment of the timeframe is a midnight, so every payment has a day not before it.
        assert!(ordered <= paid && paid <= shipped, "{row}: {ordered} {paid} {shipped}");
        assert!(low < middle && middle < high && (-1.0..=1.0).contains(&middle), "{row}: {low} {middle} {high}");
    }
}

#[test]
fn ranges_of_all_kinds() {
    let ranges = "ranges: [{attr: t.int, min: 20, max: 30}, {attr: t.float, min: 49.5}, {attr: t.money, max: 0.5}, {attr: t.noisy, min: 10, max: 12}, {attr: t.cost, min: 30.25, max: 60}, {attr: t.count, min: 45, max: 50}, {attr: t.at, min: '2024-05-01T12:00:00Z', max: 2024-05-03}, {attr: t.shaken, min: 2024-06-01, max: 2024-06-30}, {attr: t.day, min: 2024-02-28, max: 2024-03-01}, {attr: t.grown, min: 2024-12-01}]";
    let made = made(COLUMNS, ranges);
    let day = |text: &str| shardmill_engine::civil::parse_time(text).unwrap() as f64;
    for (column, low, high) in [
        ("int", 20.0, 30.0),
        ("float", 49.5, 100.0),
        ("money", 0.0, 0.5),
        ("noisy", 10.0, 12.0),
        ("cost", 30.25, 60.0),
        ("count", 45.0, 50.0),
        ("at", day("2024-05-01T12:00:00Z"), day("2024-05-03")),
        ("shaken", day("2024-06-01"), day("2024-06-30")),
        ("day", day("2024-02-28"), day("2024-03-01")),
        ("grown", day("2024-12-01"), day("2024-12-31")),
    ] {
        let values = values(&made, "t", column);
        let (least, most) = values.iter().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        assert!(low <= least && most <= high, "{column}: {least} to {most}");
        assert!(most > least, "{column} varies");
    }
    let days = values(&made, "t", "day");
    let mut different: Vec<i64> = days.iter().map(|day| (day / DAY_US as f64) as i64).collect();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 3, "both ends of a range of dates are reached");
}

const JOINS: &str = "
  vocab: {kind: vocab, columns: {code: {enum_list: [DE, FR, DE]}, tax: {type: 'decimal(4,2)', enum_list: [0.19, 0.20, 0.99]}}}
  users:
    rows: 2000
    columns:
      id: {uuid: 4}
      number: {sequence: {start: 50, step: 5}}
      email: {unique: true, faker: email}
      country: {choice: [DE, FR, IT]}
      tax: {nullable: true, lookup: {from: vocab.tax, on: {code: country}}}
      boss_id: {nullable: true, lookup: users.id}
      mentor: {type: int, lookup: users.number}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 1.2}
    columns:
      id: {sequence: 1}
      user_id: {lookup: users.id}
      at: {datetime_series: {order: ascending}}
  visits:
    rows: 9000
    columns:
      id: {sequence: 1}
      user_id: {null_rate: 0.1, lookup: {from: users.id, as: visitor}}
      whom: {lookup: {from: users.id, as: visitor}}
      number: {type: int, distribution: {type: uniform, low: 0, high: 12000}}
      country: {choice: {choices: [DE, FR, XX, null_island]}}
      kind: {choice: [a, b]}
      by_origin: {lookup: {from: users.email, on: {id: whom}}}
      by_sequence: {nullable: true, lookup: {from: users.email, on: {number: number}}}
      by_child: {nullable: true, lookup: {from: orders.at, on: {user_id: whom}}}
      by_child_id: {nullable: true, lookup: {from: orders.id, on: {user_id: whom}}}
      by_index: {nullable: true, lookup: {from: vocab.tax, on: {code: country}}}
      by_nulls: {nullable: true, lookup: {from: users.email, on: {id: user_id}}}
      by_two: {nullable: true, lookup: {from: users.email, on: {country: country, number: number}}}
";

#[test]
fn lookups_by_value_find_what_a_search_finds() {
    let made = tables(&spec(JOINS));
    let visits = |name: &str| texts(&made, "visits", name);
    let (ids, emails) = (texts(&made, "users", "id"), texts(&made, "users", "email"));
    let numbers = texts(&made, "users", "number");
    let pairs: Vec<String> =
        texts(&made, "users", "country").iter().zip(&numbers).map(|(c, n)| format!("{c}|{n}")).collect();
    let pair_keys: Vec<String> =
        visits("country").iter().zip(visits("number")).map(|(c, n)| format!("{c}|{n}")).collect();
    let orders = texts(&made, "orders", "user_id");
    let codes = texts(&made, "vocab", "code");
    let searched = |name: &str, keys: &[String], targets: &[String], wanted: &[String]| {
        let first = first_rows(targets);
        let mut hits = 0;
        for (row, (found, key)) in visits(name).iter().zip(keys).enumerate() {
            let expected = first.get(key.as_str()).map_or("∅", |at| wanted[*at].as_str());
            assert_eq!(found, expected, "{name} of row {row}, key {key}");
            hits += usize::from(expected != "∅");
        }
        (hits, keys.len() - hits)
    };
    assert_eq!(searched("by_origin", &visits("whom"), &ids, &emails), (9_000, 0));
    let (found, missing) = searched("by_sequence", &visits("number"), &numbers, &emails);
    assert!(found > 1_000 && missing > 6_000, "{found} {missing}");
    let (found, missing) = searched("by_child", &visits("whom"), &orders, &texts(&made, "orders", "at"));
    assert!(found > 5_000 && missing > 2_000, "{found} {missing}");
    searched("by_child_id", &visits("whom"), &orders, &texts(&made, "orders", "id"));
    let (found, missing) = searched("by_index", &visits("country"), &codes, &texts(&made, "vocab", "tax"));
    assert!(found > 4_000 && missing > 4_000, "{found} {missing}");
    let (_, missing) = searched("by_nulls", &visits("user_id"), &ids, &emails);
    assert!((700..1_100).contains(&missing), "a null matches nothing: {missing}");
    searched("by_two", &pair_keys, &pairs, &emails);
}

#[test]
fn a_join_on_values_that_repeat_is_no_join_on_a_parent() {
    let body = "
  users: {rows: 300, columns: {id: {sequence: 1}, tier: {choice: [a, b, c]}}}
  orders: {parent: users, fanout: {distribution: poisson, lambda: 0.5}, columns: {id: {sequence: 1}, tier: {lookup: users.tier}}}
  visits: {rows: 500, columns: {tier: {lookup: users.tier}, first: {nullable: true, lookup: {from: orders.id, on: {tier: tier}}}}}
";
    let made = tables(&spec(body));
    let tiers = texts(&made, "orders", "tier");
    let (first, ids) = (first_rows(&tiers), texts(&made, "orders", "id"));
    for (tier, found) in texts(&made, "visits", "tier").iter().zip(texts(&made, "visits", "first")) {
        assert_eq!(found, ids[first[tier.as_str()]], "the lowest row of tier {tier}");
    }
}

#[test]
fn a_null_where_none_may_be_is_told() {
    let body = JOINS.replace("by_index: {nullable: true,", "by_index: {nullable: false,");
    let made = try_tables(&spec(&body)).unwrap();
    made.count_all().unwrap();
    let error = made.batch(made.find("visits").unwrap(), 0..100, &Default::default()).unwrap_err();
    assert!(error.to_string().contains("by_index") && error.to_string().contains("null"), "{error}");
}

#[test]
fn self_references_lead_upwards_or_to_themselves() {
    let made = tables(&spec(JOINS));
    let ids = texts(&made, "users", "id");
    let rows = first_rows(&ids);
    for (row, boss) in texts(&made, "users", "boss_id").iter().enumerate() {
        assert!(if row == 0 { boss == "∅" } else { rows[boss.as_str()] < row }, "{row}: {boss}");
    }
    let mentors = values_or_null(&made, "users", "mentor");
    assert_eq!(mentors[0], Some(50.0), "without nulls the first row leads to itself");
    assert!(mentors.iter().enumerate().skip(1).all(|(row, mentor)| mentor.unwrap() < (50 + 5 * row) as f64));
    let used: std::collections::HashSet<String> = mentors.iter().map(|mentor| format!("{mentor:?}")).collect();
    assert!(used.len() > 500, "many are mentors: {}", used.len());
}

#[test]
fn roles_agree_within_and_differ_between() {
    let body = "
  airports: {rows: 400, columns: {id: {sequence: 1}, city: {faker: city}, code: {unique: true, id: '{letters:3}'}}}
  flights:
    rows: 5000
    columns:
      from_id: {lookup: {from: airports.id, as: origin}}
      from_city: {lookup: {from: airports.city, as: origin}}
      to_id: {lookup: {from: airports.id, as: goal, skew: zipf@1}}
      to_city: {lookup: {from: airports.city, as: goal}}
      to_code: {lookup: {from: airports.code, on: {id: to_id}}}
      plain_id: {lookup: airports.id}
      plain_city: {lookup: airports.city}
      chosen_id: {choice: {choices_ref: airports.id, as: goal, weights_kind: zipf@1}}
  stops: {rows: 5000, columns: {airport_id: {choice: {choices_ref: airports.id, weights_kind: zipf@1}}, city: {lookup: airports.city}, code: {lookup: {from: airports.code, on: {id: airport_id}}}}}
";
    let made = tables(&spec(body));
    let (cities, codes) = (texts(&made, "airports", "city"), texts(&made, "airports", "code"));
    let agree = |table: &str, id: &str, other: &str, of: &[String]| {
        let (ids, others) = (values(&made, table, id), texts(&made, table, other));
        assert!(ids.iter().zip(&others).all(|(id, other)| of[*id as usize - 1] == *other), "{table}: {id} and {other}");
    };
    agree("flights", "from_id", "from_city", &cities);
    agree("flights", "to_id", "to_city", &cities);
    agree("flights", "to_id", "to_code", &codes);
    agree("flights", "plain_id", "plain_city", &cities);
    agree("stops", "airport_id", "city", &cities);
    agree("stops", "airport_id", "code", &codes);
    let flights = ["from_id", "to_id", "plain_id", "chosen_id"].map(|column| values(&made, "flights", column));
    assert_eq!(flights[1], flights[3], "a choice and lookups of one role see one row");
    let same = flights[0].iter().zip(&flights[2]).filter(|(a, b)| a == b).count();
    assert!(same < 40, "roles are drawn apart: {same}");
}

#[test]
fn rollups_equal_what_the_children_say() {
    let body = "
  a:
    rows: 2500
    columns:
      id: {sequence: 0}
      n: {rollup: b}
      counted: {rollup: {from: b.money, agg: count}}
      sum: {type: 'decimal(14,2)', rollup: b.money}
      least: {rollup: {from: b.money, agg: min}}
      most: {rollup: {from: b.money, agg: max}}
      last: {rollup: {from: b.at, agg: last}}
      ints: {rollup: b.int}
      deep: {type: 'decimal(16,2)', rollup: b.deep}
      deepest: {rollup: {from: b.most, agg: max}}
      name: {rollup: {from: b.name, agg: last}}
  b:
    parent: a
    fanout: {distribution: poisson, lambda: 1.4, iid: true}
    columns:
      id: {sequence: 0}
      a_id: {lookup: a.id}
      money: {type: 'decimal(9,2)', distribution: {type: lognormal, mean: 5, sigma: 2}}
      int: {type: int, null_rate: 0.3, distribution: {type: uniform, low: -5, high: 9}}
      at: {datetime_series: {order: ascending}}
      name: {faker: first_name}
      deep: {type: 'decimal(14,2)', rollup: c.amount}
      most: {rollup: {from: c.amount, agg: max}}
  c: {parent: b, fanout: {distribution: uniform, min: 0, max: 4}, columns: {b_id: {lookup: b.id}, a_id: {lookup: a.id}, amount: {type: 'decimal(9,2)', distribution: {type: uniform, low: -50, high: 50}}}}
";
    let made = tables(&spec(body));
    let owners: Vec<usize> = values(&made, "b", "a_id").iter().map(|id| *id as usize).collect();
    let mut children: HashMap<usize, Vec<usize>> = HashMap::new();
    owners.iter().enumerate().for_each(|(row, owner)| children.entry(*owner).or_default().push(row));
    let [money, at, name] = ["money", "at", "name"].map(|column| texts(&made, "b", column));
    let ints = values_or_null(&made, "b", "int");
    let a = ["n", "counted", "sum", "least", "most", "last", "ints", "name"].map(|column| texts(&made, "a", column));
    let none = Vec::new();
    for (row, count) in a[0].iter().enumerate() {
        let own = children.get(&row).unwrap_or(&none);
        let cell = |at: usize| a[at][row].as_str();
        assert_eq!(*count, own.len().to_string());
        assert_eq!(cell(1), own.len().to_string());
        assert_eq!(cents(cell(2)), own.iter().map(|child| cents(&money[*child])).sum::<i64>());
        assert_eq!(cell(6), own.iter().filter_map(|child| ints[*child]).map(|x| x as i64).sum::<i64>().to_string());
        let Some(last) = own.last() else {
            assert_eq!([cell(3), cell(4), cell(5), cell(7)], ["∅"; 4]);
            continue;
        };
        assert_eq!(cents(cell(3)), own.iter().map(|child| cents(&money[*child])).min().unwrap());
        assert_eq!(cents(cell(4)), own.iter().map(|child| cents(&money[*child])).max().unwrap());
        assert_eq!((cell(5), cell(7)), (at[*last].as_str(), name[*last].as_str()));
    }
    assert!(children.len() < 2_200, "some have none");
    let mut deep: HashMap<usize, (i64, i64)> = HashMap::new();
    for (owner, amount) in values(&made, "c", "a_id").iter().zip(texts(&made, "c", "amount")) {
        let entry = deep.entry(*owner as usize).or_insert((0, i64::MIN));
        *entry = (entry.0 + cents(&amount), entry.1.max(cents(&amount)));
    }
    for (row, (sum, most)) in texts(&made, "a", "deep").iter().zip(texts(&made, "a", "deepest")).enumerate() {
        let expected = deep.get(&row).copied();
        assert_eq!(cents(sum), expected.map_or(0, |deep| deep.0));
        assert_eq!((most != "∅").then(|| cents(&most)), expected.map(|deep| deep.1));
    }
}

#[test]
fn sequences_count_within_a_parent_and_come_round() {
    let body = "
  p: {rows: 3000, columns: {id: {sequence: 1}}}
  c: {parent: p, fanout: {distribution: uniform, min: 0, max: 7}, columns: {p_id: {lookup: p.id}, line: {sequence: {per: parent}}, seat: {sequence: {start: 5, step: 26, cycle: 101}}, down: {sequence: {start: 0, step: -1, cycle: 3}}}}
";
    let made = tables(&spec(body));
    let [owners, lines, seats, down] = ["p_id", "line", "seat", "down"].map(|column| values(&made, "c", column));
    let mut line = 0.0;
    for row in 0..owners.len() {
        line = if row > 0 && owners[row] == owners[row - 1] { line + 1.0 } else { 1.0 };
        assert_eq!(lines[row], line, "row {row}");
        assert_eq!(seats[row], (5 + (26 * row) % 101) as f64);
        assert_eq!(down[row], ((3 - row % 3) % 3) as f64);
    }
    let unique = spec(&body.replace("line: {", "line: {unique: true, "));
    assert!(try_tables(&unique).unwrap_err()[0].contains("can repeat"));
}
