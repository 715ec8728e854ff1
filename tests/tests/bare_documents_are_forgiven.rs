//! What documents of the reference language say though it means nothing: they run, and the author is told.

use shardmill_tests::engine::{all, numbers, tables, try_tables};

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
    let ours = BARE
        .replace(
            r#""version": "1.0", "metadata": {"name": "Forgiven Things", "description": "as its users have them"},"#,
            r#""shardmill": 1, "name": "held","#,
        )
        .replace("\"nodes\"", "\"tables\"");
    assert!(try_tables(&ours).is_err());
}
