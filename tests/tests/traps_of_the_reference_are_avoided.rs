//! What users of the reference language learnt to fear does not happen here: no setting is ignored, no name is guessed
//! wrong, and a document of theirs runs as it is.

use serde_json::{Value, json};
use shardmill_engine::Tables;
use shardmill_engine::check::rules::EnumValues;
use shardmill_tests::engine::{all, batch, column, numbers, tables, try_tables};
use shardmill_tests::fit::mean;

/// A bare document of the reference language.
fn document(nodes: Value) -> Value {
    json!({
        "version": "1.0",
        "metadata": {"name": "traps", "description": "no description is an error"},
        "timeframe": {"start": "2024-01-01T00:00:00Z", "end": "2024-12-31T00:00:00Z", "freq": "H"},
        "nodes": nodes,
        "constraints": {"unique": [], "foreign_keys": [], "ranges": [], "inequalities": [], "pattern": [], "enum": []},
    })
}

fn made(nodes: Value) -> Tables {
    tables(&document(nodes).to_string())
}

fn problems(nodes: Value) -> Vec<String> {
    try_tables(&document(nodes).to_string()).err().unwrap_or_default()
}

/// An entity `t` of 2 000 rows with one column `x`, besides others.
fn entity(column: Value) -> Value {
    let mut column = column;
    column["name"] = json!("x");
    json!([{"id": "t", "kind": "entity", "pk": "id", "rows": 2000, "columns": [
        {"name": "id", "type": "int", "generator": {"sequence": {}}},
        {"name": "country", "type": "string", "generator": {"choice": {"choices": ["DE", "JP"]}}},
        column,
    ]}])
}

fn x(column_spec: Value) -> Vec<String> {
    column(&all(&made(entity(column_spec)), "t"), "x")
}

fn distribution(params: Value) -> Vec<String> {
    x(json!({"type": "float", "generator": {"distribution": params}}))
}

#[test]
fn parameters_answer_to_all_their_names() {
    let same = |kind: &str, names: &[Value]| {
        let first = distribution(json!({"type": kind, "params": names[0]}));
        for other in &names[1..] {
            assert_eq!(distribution(json!({"type": kind, "params": other})), first, "{kind} {other}");
        }
        assert_ne!(distribution(json!({"type": kind, "params": {}})), first, "{kind}: the parameters matter");
    };
    same("normal", &[json!({"mean": 50, "std": 4}), json!({"mu": 50, "sigma": 4}), json!({"mean": 50, "stddev": 4})]);
    same(
        "lognormal",
        &[json!({"mean": 3, "sigma": 0.4}), json!({"mu": 3, "sigma": 0.4}), json!({"mu": 3, "std": 0.4})],
    );
    same("uniform", &[json!({"low": 5, "high": 9}), json!({"min": 5, "max": 9})]);
    same("poisson", &[json!({"lambda": 7}), json!({"mean": 7})]);
    for (kind, params) in
        [("normal", json!({"avg": 5})), ("uniform", json!({"from": 5})), ("lognormal", json!({"scale": 5}))]
    {
        let found =
            problems(entity(json!({"type": "float", "generator": {"distribution": {"type": kind, "params": params}}})));
        assert!(found.iter().any(|problem| problem.contains("unknown key")), "{kind}: {found:?}");
    }
}

#[test]
fn a_clamp_is_optional_and_holds() {
    let free = distribution(json!({"type": "normal", "params": {"mean": 0, "std": 1}}));
    let held = distribution(json!({"type": "normal", "params": {"mean": 0, "std": 1}, "clamp": [-1, 1]}));
    let number = |text: &String| text.parse::<f64>().unwrap();
    assert!(free.iter().any(|text| number(text) > 2.0));
    assert!(free.iter().zip(&held).all(|(free, held)| number(free).clamp(-1.0, 1.0) == number(held)));
}

#[test]
fn a_curve_is_named_by_either_key_or_alone() {
    let curve = |params: Value| x(json!({"type": "datetime", "generator": {"diffusion_curve": params}}));
    let exponential = curve(json!({"curve_type": "exponential"}));
    assert_eq!(curve(json!({"type": "exponential"})), exponential);
    assert_eq!(curve(json!("exponential")), exponential);
    assert_ne!(curve(json!({})), exponential);
}

#[test]
fn a_trend_is_named_by_either_key() {
    let trend = |args: Value| {
        let nodes = json!([{"id": "t", "kind": "entity", "columns": [
            {"name": "at", "type": "datetime", "generator": {"datetime_series": {"within": "timeframe"}}},
            {"name": "x", "type": "float", "generator": {"distribution": {"type": "uniform", "params": {}}}, "modifiers": [{"transform": "trend", "args": args}]},
        ]}]);
        column(&all(&made(nodes), "t"), "x")
    };
    assert_eq!(
        trend(json!({"type": "linear", "growth_rate": 0.5})),
        trend(json!({"curve_type": "linear", "growth_rate": 0.5}))
    );
    assert_ne!(trend(json!({"type": "linear", "growth_rate": 0.5})), trend(json!({"growth_rate": 0.5})));
}

fn family(fanout: Value) -> Value {
    json!([
        {"id": "user", "kind": "entity", "pk": "user_id", "rows": 4000, "columns": [
            {"name": "user_id", "type": "int", "generator": {"sequence": {"start": 1}}}]},
        {"id": "order", "kind": "fact", "pk": "order_id", "parents": ["user"], "fanout": fanout, "columns": [
            {"name": "order_id", "type": "int", "generator": {"sequence": {"start": 1}}},
            {"name": "user_id", "type": "int", "generator": {"lookup": {"from": "user.user_id"}}},
            {"name": "device_id", "type": "int", "generator": {"choice": {"choices": [7, 8, 9]}}}]},
    ])
}

#[test]
fn a_fan_outs_clamp_is_honoured() {
    for fanout in [
        json!({"distribution": "poisson", "lambda": 6, "clamp": [4, 7]}),
        json!({"distribution": "uniform", "min": 0, "max": 20, "clamp": [4, 7]}),
    ] {
        let made = made(family(fanout.clone()));
        let users = numbers(&all(&made, "order"), "user_id");
        let mut counts = vec![0; 4001];
        users.iter().for_each(|user| counts[*user as usize] += 1);
        let (least, most) = (counts[1..].iter().min().unwrap(), counts[1..].iter().max().unwrap());
        assert_eq!((*least, *most), (4, 7), "{fanout}");
    }
}

#[test]
fn a_locale_is_honoured() {
    let faker = |params: Value| x(json!({"type": "string", "generator": {"faker": params}}));
    let german = faker(json!({"method": "city", "locale": "de_DE"}));
    assert_ne!(german, faker(json!({"method": "city"})));
    assert!(german.iter().any(|city| city == "Berlin" || city == "Hamburg"));
    let names = faker(json!({"method": "name", "locale_from": "country"}));
    let countries = column(&all(&made(entity(json!({"type": "int", "generator": {"sequence": {}}}))), "t"), "country");
    for (name, country) in names.iter().zip(&countries) {
        assert_eq!(name.chars().any(|c| c as u32 > 0x3000), country == "JP", "{name} of {country}");
    }
}

#[test]
fn nullable_alone_makes_no_nulls_and_a_rate_does() {
    let nulls = |column: Value| x(column).iter().filter(|text| *text == "∅").count();
    let generator = json!({"choice": {"choices": ["a", "b"]}});
    assert_eq!(nulls(json!({"type": "string", "nullable": true, "generator": generator})), 0);
    let some = nulls(json!({"type": "string", "nullable": true, "null_rate": 0.25, "generator": generator}));
    assert!((400..600).contains(&some), "{some}");
    let found =
        problems(entity(json!({"type": "string", "nullable": false, "null_rate": 0.25, "generator": generator})));
    assert!(found.iter().any(|problem| problem.contains("not nullable")), "{found:?}");
}

#[test]
fn a_lookup_joins_on_both_sides() {
    let nodes = json!([
        {"id": "product", "kind": "entity", "pk": "sku", "rows": 300, "columns": [
            {"name": "sku", "type": "string", "generator": {"uuid": {}}},
            {"name": "code", "type": "int", "generator": {"sequence": {"start": 900, "step": 2}}},
            {"name": "price", "type": "float", "generator": {"distribution": {"type": "lognormal", "params": {"mu": 3, "sigma": 1}}}}]},
        {"id": "sale", "kind": "entity", "rows": 2000, "columns": [
            {"name": "what", "type": "int", "generator": {"choice": {"choices_ref": "product.code"}}},
            {"name": "price", "type": "float", "generator": {"lookup": {"from": "product.price", "on": {"code": "what"}}}},
            {"name": "code", "type": "int", "generator": {"lookup": {"from": "product.code", "on": {"sku": "sku"}}}},
            {"name": "sku", "type": "string", "generator": {"lookup": {"from": "product.sku", "on": {"this_key": "code2"}}}},
            {"name": "code2", "type": "int", "generator": {"choice": {"choices": [900, 902]}}}]},
    ]);
    // A key that neither side has is told, with the columns there are.
    let found = problems(nodes.clone());
    assert!(found.iter().any(|problem| problem.contains("this_key")), "{found:?}");
    let mut nodes = nodes;
    nodes[1]["columns"] = json!([nodes[1]["columns"][0], nodes[1]["columns"][1],
        {"name": "code", "type": "int", "generator": {"choice": {"choices": [900, 902]}}},
        {"name": "other", "type": "float", "generator": {"lookup": {"from": "product.price", "on": {"this_key": "code"}}}, "nullable": true}]);
    let made = made(nodes);
    let products = all(&made, "product");
    let price_of: std::collections::HashMap<String, String> =
        column(&products, "code").into_iter().zip(column(&products, "price")).collect();
    let sales = all(&made, "sale");
    for (key, value) in [("what", "price"), ("code", "other")] {
        for (key, price) in column(&sales, key).iter().zip(column(&sales, value)) {
            assert_eq!(price_of[key], price, "{value} by {key}");
        }
    }
}

#[test]
fn the_key_of_a_fact_counts_through_the_whole_table() {
    let made = made(family(json!({"distribution": "poisson", "lambda": 2})));
    let orders = all(&made, "order");
    let count = orders.num_rows() as u64;
    let expected: Vec<String> = (1..=count).map(|id| id.to_string()).collect();
    assert_eq!(column(&orders, "order_id"), expected);
    assert_eq!(column(&batch(&made, "order", count - 3..count), "order_id"), expected[count as usize - 3..]);
}

#[test]
fn a_column_that_ends_in_id_keeps_its_own_generator() {
    let made = made(family(json!({"distribution": "poisson", "lambda": 2})));
    let devices = numbers(&all(&made, "order"), "device_id");
    assert!(devices.iter().all(|device| (7.0..=9.0).contains(device)) && (mean(&devices) - 8.0).abs() < 0.1);
}

#[test]
fn only_the_first_parent_gives_rows_and_the_others_are_looked_up() {
    let mut nodes = family(json!({"distribution": "uniform", "min": 2, "max": 2}));
    let product = json!({"id": "product", "kind": "entity", "rows": 50, "columns": [
        {"name": "id", "type": "int", "generator": {"sequence": {}}},
        {"name": "name", "type": "string", "generator": {"faker": {"method": "product_name"}}}]});
    nodes.as_array_mut().unwrap().push(product);
    nodes[1]["parents"] = json!(["user", "product"]);
    let columns = nodes[1]["columns"].as_array_mut().unwrap();
    columns.push(json!({"name": "product_id", "type": "int", "generator": {"lookup": {"from": "product.id"}}}));
    columns.push(json!({"name": "product", "type": "string", "generator": {"lookup": {"from": "product.name"}}}));
    let made = made(nodes);
    let orders = all(&made, "order");
    assert_eq!(orders.num_rows(), 8000);
    let names = column(&all(&made, "product"), "name");
    let products = numbers(&orders, "product_id");
    assert!(products.iter().zip(column(&orders, "product")).all(|(id, name)| names[*id as usize - 1] == name));
    assert!(products.windows(2).any(|pair| pair[0] > pair[1]), "the second parent is drawn");
}

#[test]
fn constraints_of_columns_and_references_to_enums_are_kept_for_checking() {
    let nodes = json!([
        {"id": "status", "kind": "vocab", "columns": [{"name": "code", "type": "string", "generator": {"enum_list": {"values": ["new", "paid"]}}}]},
        {"id": "t", "kind": "entity", "columns": [
            {"name": "state", "type": "string", "generator": {"choice": {"choices_ref": "status.code"}}, "constraints": {"enum_ref": "status.code", "pattern": "[a-z]+"}}]},
    ]);
    let made = made(nodes);
    assert_eq!(made.rules.patterns.len(), 1);
    assert!(
        matches!(made.rules.enums.as_slice(), [(_, EnumValues::Of(field))] if field.table == 0 && field.column == 0)
    );
}

#[test]
fn remarks_are_allowed_and_other_unknown_keys_are_not() {
    let mut nodes =
        entity(json!({"type": "int", "comment": "here", "generator": {"sequence": {"comment": "and here"}}}));
    nodes[0]["description"] = json!("things");
    made(nodes.clone());
    nodes[0]["columns"][2]["colour"] = json!("red");
    let found = problems(nodes);
    assert!(found.iter().any(|problem| problem.contains("unknown key `colour`")), "{found:?}");
    let mut whole = document(entity(json!({"type": "int", "generator": {"sequence": {}}})));
    whole["extra"] = json!(1);
    assert!(try_tables(&whole.to_string()).is_err());
}

#[test]
fn behaviours_that_come_later_are_refused_by_name() {
    for key in ["segment_behavior", "vintage_behavior", "stage_config", "state_transition_model", "attribution_chain"] {
        let mut nodes = entity(json!({"type": "int", "generator": {"sequence": {}}}));
        nodes[0][key] = json!({"anything": 1});
        let found = problems(nodes);
        assert!(
            found.iter().any(|problem| problem.contains(key) && problem.contains("not supported yet")),
            "{found:?}"
        );
    }
}
