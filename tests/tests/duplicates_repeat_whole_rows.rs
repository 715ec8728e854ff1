//! Duplicates by rate: whole rows but for their keys, never across parents, and without them nothing else changes.

use shardmill_tests::engine::{all, batch, column, rows, spec, tables};

fn shop(duplicates: &str) -> String {
    spec(&format!(
        "
  users: {{rows: 5000, {duplicates}columns: {{id: {{sequence: 1}}, name: {{faker: name}}, email: {{faker: email}}, spent: {{type: int, rollup: orders.amount}}}}}}
  orders:
    parent: users
    fanout: {{distribution: poisson, lambda: 3}}
    {duplicates}
    columns: {{id: {{sequence: 1}}, user_id: {{lookup: users.id}}, amount: {{type: int, distribution: {{type: uniform, low: 1, high: 1000000}}}}, twice: {{expression: amount * 2}}}}
"
    ))
}

#[test]
fn a_share_of_rows_repeats_an_earlier_one() {
    let (with, without) = (tables(&shop("duplicates: 0.2, ").replace("0.2, \n", "0.2\n")), tables(&shop("")));
    let (users, plain) = (all(&with, "users"), all(&without, "users"));
    let (emails, originals) = (column(&users, "email"), column(&plain, "email"));
    assert_eq!(column(&users, "id"), column(&plain, "id"), "keys are kept");
    let changed: Vec<usize> = (0..emails.len()).filter(|row| emails[*row] != originals[*row]).collect();
    let share = changed.len() as f64 / emails.len() as f64;
    assert!((0.17..0.22).contains(&share), "{share}");
    let names = (column(&users, "name"), column(&plain, "name"));
    for row in changed {
        let original = originals[..row].iter().zip(&names.1).position(|pair| pair == (&emails[row], &names.0[row]));
        assert!(original.is_some(), "row {row} repeats no earlier row");
    }
}

#[test]
fn children_repeat_siblings_so_that_parents_add_up() {
    let made = tables(&shop("duplicates: 0.2, ").replace("0.2, \n", "0.2\n"));
    let orders = all(&made, "orders");
    let (users, amounts, twice) = (column(&orders, "user_id"), column(&orders, "amount"), column(&orders, "twice"));
    let mut repeats = 0;
    let mut seen = std::collections::HashSet::new();
    for at in 0..users.len() {
        let number = |text: &str| text.parse::<i64>().unwrap();
        assert_eq!(number(&amounts[at]) * 2, number(&twice[at]));
        repeats += usize::from(!seen.insert((users[at].clone(), amounts[at].clone())));
    }
    assert!(repeats > users.len() / 20, "{repeats} of {}", users.len());
    let whole = rows(&orders);
    assert_eq!(rows(&batch(&made, "orders", 777..2345)), whole[777..2345], "any range gives the same rows");
}
