//! What documents of the reference language say though it means nothing: they run, and the author is told.

use shardmill_tests::engine::{all, numbers, spec, tables, try_tables};

const BARE: &str = r#"{
"version": "1.0", "metadata": {"name": "Forgiven Things", "description": "as its users have them"},
"timeframe": {"start": "2024-01-01T00:00:00Z", "end": "2024-12-31T23:59:59Z", "freq": "H"},
"nodes": [
 {"id": "season", "kind": "entity", "pk": "season_id", "rows": 2, "columns": [
  {"name": "season_id", "type": "int", "generator": {"sequence": {}}},
  {"name": "starts", "type": "datetime", "generator": {"datetime_series": {"within": {"start": "2023-01-01", "end": "2023-01-02"}}}},
  {"name": "ends", "type": "datetime", "generator": {"datetime_series": {"within": {"start": "2025-01-01", "end": "2025-01-02"}}}}]},
 {"id": "shop", "kind": "entity", "pk": "shop_id", "rows": 2000, "columns": [
  {"name": "shop_id", "type": "int", "generator": {"sequence": {}}},
  {"name": "size", "type": "float", "generator": {"distribution": {"type": "uniform", "params": {"low": 1, "high": 2}}},
   "modifiers": [{"transform": "seasonality", "args": {"dimension": "dow", "weights": [1, 1, 1, 1, 1, 9, 9]}}]}]},
 {"id": "sale", "kind": "fact", "pk": "sale_id", "parents": ["shop"],
  "fanout": {"distribution": "uniform", "min": 1, "max": 3, "lambda": 7},
  "modifiers": [{"transform": "effect", "args": {"effect_table": "season", "on": {}, "window": {"start_col": "starts", "end_col": "ends"}, "map": {"field": "is_open", "op": "mul", "default": 0.0}}}],
  "columns": [
   {"name": "sale_id", "type": "int", "generator": {"sequence": {}}},
   {"name": "at", "type": "datetime", "generator": {"datetime_series": {"within": "timeframe"}},
    "modifiers": [{"transform": "effect", "args": {"effect_table": "season", "on": {"nothing": "nothing"}, "map": {"field": "x", "op": "mul"}}}]}]}
],
"constraints": {"unique": [], "foreign_keys": [], "ranges": [], "inequalities": []}
}"#;

#[test]
fn what_means_nothing_is_left_out() {
    let made = tables(BARE);
    let sizes = numbers(&all(&made, "shop"), "size");
    assert!(sizes.iter().all(|size| (1.0..=2.0).contains(size)), "without a time no season applies");
    let sales = all(&made, "sale").num_rows();
    assert!((3_900..=4_100).contains(&sales), "a matching effect without its field counts as 1: {sales}");
}

#[test]
fn a_spec_of_ours_is_held_to_its_word() {
    let ours = |effect: &str| {
        spec(&format!(
            "  seasons: {{rows: 2, columns: {{id: {{sequence: 1}}, factor: {{type: float}}}}}}\n  t: {{columns: {{x: {{type: float, constant: 1, modifiers: [{{effect: {{effect_table: seasons, map: {{field: {effect}}}}}}}]}}}}}}\n"
        ))
    };
    assert!(try_tables(&ours("factor")).is_ok());
    let problems = try_tables(&ours("is_open")).unwrap_err();
    assert!(problems[0].contains("there is no column of `seasons` named `is_open`"), "{problems:?}");
}

#[test]
fn an_effect_table_of_any_size_is_reached_by_its_key() {
    let made = tables(&spec(
        "  shops: {rows: 3000000, columns: {id: {sequence: {start: 5, step: 2}}, factor: {type: float, distribution: {type: uniform, low: 2, high: 3}}}}\n  sales: {rows: 4000, columns: {shop_id: {lookup: shops.id}, factor: {lookup: shops.factor}, amount: {type: float, constant: 10, modifiers: [{effect: {effect_table: shops, on: {shop_id: id}, map: {field: factor}}}]}}}\n",
    ));
    let sales = all(&made, "sales");
    for (factor, amount) in numbers(&sales, "factor").iter().zip(numbers(&sales, "amount")) {
        assert!((amount - 10.0 * factor).abs() < 1e-9);
    }
}
