//! `null_rate`: the wanted share is missing, and switching it off changes no other value.

use shardmill_tests::engine::{all, column, spec, tables};
use shardmill_tests::fit::rate;

fn body(null_rate: f64) -> String {
    spec(&format!(
        "
  u: {{rows: 20000, columns: {{id: {{sequence: 1}}, email: {{null_rate: {null_rate}, faker: email}}, name: {{faker: name}}, tier: {{null_rate: {null_rate}, choice: [a, b]}}}}}}
  t:
    parent: u
    fanout: {{distribution: poisson, lambda: 2}}
    columns:
      id: {{sequence: 1}}
      u_id: {{lookup: u.id}}
      other_id: {{lookup: {{from: u.id, as: other}}}}
      x: {{type: float, null_rate: {null_rate}, distribution: normal, modifiers: [{{jitter: 1}}]}}
      y: {{type: float, distribution: normal}}
      at: {{null_rate: {null_rate}, datetime_series: {{order: ascending}}}}
      day: {{type: date, datetime_series: {{}}}}
      sum: {{type: float, nullable: true, expression: x + y}}
      money: {{type: 'decimal(9,2)', null_rate: {null_rate}, distribution: {{type: lognormal, mean: 3}}}}
      flag: {{null_rate: {null_rate}, distribution: {{type: bernoulli, p: 0.3}}}}
      email: {{nullable: true, lookup: u.email}}
"
    ))
}

#[test]
fn the_share_is_missing_and_nothing_else_changes() {
    let (with, without) = (tables(&body(0.15)), tables(&body(0.0)));
    for table in ["u", "t"] {
        let (with, without) = (all(&with, table), all(&without, table));
        for field in with.schema().fields() {
            let name = field.name();
            let (some, every) = (column(&with, name), column(&without, name));
            assert!(!every.contains(&"∅".to_owned()), "{name}");
            let missing = some.iter().filter(|value| *value == "∅").count();
            let drawn =
                ["tier", "x", "at", "money", "flag"].contains(&name.as_str()) || (table == "u" && name == "email");
            match (drawn, name.as_str()) {
                (true, _) => rate(name, missing, some.len(), 0.15),
                (false, "sum" | "email") => assert!(missing > 0, "{name}: nulls pass on"),
                _ => assert_eq!(missing, 0, "{name}"),
            }
            assert!(some.iter().zip(&every).all(|(a, b)| a == "∅" || a == b), "{name}");
        }
    }
}

#[test]
fn columns_lose_values_independently() {
    let made = tables(&body(0.5));
    let t = all(&made, "t");
    let (x, at) = (column(&t, "x"), column(&t, "at"));
    let both = x.iter().zip(&at).filter(|(x, at)| *x == "∅" && *at == "∅").count();
    rate("both", both, x.len(), 0.25);
}
