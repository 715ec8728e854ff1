//! Any split of any table gives the same rows, any column can be made at any rows, and children find their parents.

use std::collections::HashSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use shardmill_engine::Tables;
use shardmill_tests::engine::{all, batch, column, numbers, rows, spec, tables, texts};

static MADE: LazyLock<Tables> = LazyLock::new(|| tables(&spec(SHOP)));
static ITEMS: LazyLock<Vec<String>> = LazyLock::new(|| rows(&all(&MADE, "items")));

const SHOP: &str = "
  users:
    rows: 3000
    columns:
      id: {sequence: {start: 100, step: 3}}
      joined_at: {datetime_series: {pattern: {dimension: dow, weights: [1, 1, 1, 1, 2, 0, 0]}}}
      tier: {choice: {choices: [free, pro, team], weights: [6, 3, 1]}}
      referrer_id: {type: int, nullable: true, lookup: users.id}
      orders: {rollup: orders}
      spent: {type: 'decimal(12,2)', rollup: orders.total}
  products:
    rows: 500
    columns:
      id: {uuid: 4}
      price: {type: 'decimal(8,2)', distribution: {type: lognormal, params: {mean: 3, sigma: 0.5}, clamp: [1, 500]}}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 2.5, max: 9}
    columns:
      id: {sequence: 1}
      user_id: {lookup: users.id}
      tier: {lookup: users.tier}
      user_joined_at: {lookup: users.joined_at}
      at: {datetime_series: {order: ascending}}
      total: {type: 'decimal(12,2)', rollup: items.price}
      last_price: {rollup: {from: items.price, agg: last}}
  items:
    parent: orders
    fanout: {distribution: uniform, min: 0, max: 4}
    columns:
      id: {sequence: 1}
      order_id: {lookup: orders.id}
      user_id: {lookup: users.id}
      order_user_id: {lookup: orders.user_id}
      product_id: {choice: {choices_ref: products.id, weights_kind: zipf@1.1}}
      price: {lookup: products.price}
      price_again: {lookup: {from: products.price, on: {id: product_id}}}
      tier: {lookup: {from: users.tier, on: {id: order_user_id}}}
      first_order_at: {lookup: {from: orders.at, on: {user_id: user_id}}}
";

#[test]
fn splits_of_any_table_give_the_same_rows() {
    let made = tables(&spec(SHOP));
    for table in ["users", "products", "orders", "items"] {
        let whole = rows(&all(&made, table));
        assert!(!whole.is_empty());
        for size in [1u64, 7, 1000] {
            let count = if size == 1 { 60 } else { whole.len() as u64 };
            for start in (0..count).step_by(size as usize) {
                let end = (start + size).min(whole.len() as u64);
                assert_eq!(
                    rows(&batch(&made, table, start..end)),
                    whole[start as usize..end as usize],
                    "{table} {start}..{end}"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_range_gives_the_same_rows(start in 0u64..7000, length in 0u64..700) {
        let (made, whole) = (&*MADE, &*ITEMS);
        let start = start.min(whole.len() as u64);
        let end = (start + length).min(whole.len() as u64);
        prop_assert_eq!(&rows(&batch(made, "items", start..end))[..], &whole[start as usize..end as usize]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_column_can_be_made_at_any_rows(picked in prop::collection::vec(0u64..5000, 1..60)) {
        for table in ["users", "orders", "items"] {
            let at = MADE.find(table).expect("it is in the spec");
            let count = MADE.rows(at).expect("it is counted");
            let picked: Vec<u64> = picked.iter().map(|row| row % count).collect();
            let whole = all(&MADE, table);
            let scratch = std::rc::Rc::new(shardmill_engine::Scratch::default());
            for (position, described) in MADE.table(at).columns.iter().enumerate() {
                // A frame of its own, so that the column is made before everything it reads.
                let rows = shardmill_engine::rows::Rows::Picked(picked.clone());
                let frame = shardmill_engine::frame::Frame::new(&MADE, at, rows, &scratch);
                let made = texts(frame.column(position).expect("the column can be made").as_ref());
                let expected = column(&whole, &described.name);
                let expected: Vec<String> = picked.iter().map(|row| expected[*row as usize].clone()).collect();
                prop_assert_eq!(made, expected, "{}.{}", table, described.name);
            }
        }
    }
}

#[test]
fn every_child_has_its_parent_and_roles_agree() {
    let made = tables(&spec(SHOP));
    let users: HashSet<String> = column(&all(&made, "users"), "id").into_iter().collect();
    let orders = all(&made, "orders");
    assert!(column(&orders, "user_id").iter().all(|id| users.contains(id)));
    let items = all(&made, "items");
    let order_ids: HashSet<String> = column(&orders, "id").into_iter().collect();
    assert!(column(&items, "order_id").iter().all(|id| order_ids.contains(id)));
    assert_eq!(column(&items, "user_id"), column(&items, "order_user_id"));
    assert_eq!(column(&items, "price"), column(&items, "price_again"));
    let tier_of: std::collections::HashMap<String, String> =
        column(&all(&made, "users"), "id").into_iter().zip(column(&all(&made, "users"), "tier")).collect();
    for (user, tier) in column(&items, "user_id").iter().zip(column(&items, "tier")) {
        assert_eq!(tier_of[user], tier);
    }
}

#[test]
fn a_join_on_a_foreign_key_finds_the_first_child() {
    let made = tables(&spec(SHOP));
    let orders = all(&made, "orders");
    let mut first = std::collections::HashMap::new();
    for (user, at) in column(&orders, "user_id").into_iter().zip(column(&orders, "at")) {
        first.entry(user).or_insert(at);
    }
    let items = all(&made, "items");
    for (user, at) in column(&items, "user_id").iter().zip(column(&items, "first_order_at")) {
        assert_eq!(first[user], at);
    }
}

#[test]
fn rollups_add_up_to_the_cent() {
    let made = tables(&spec(SHOP));
    let cents = |text: &str| text.replace('.', "").parse::<i64>().unwrap();
    let items = all(&made, "items");
    let mut totals = std::collections::HashMap::<String, i64>::new();
    for (order, price) in column(&items, "order_id").into_iter().zip(column(&items, "price")) {
        *totals.entry(order).or_default() += cents(&price);
    }
    let orders = all(&made, "orders");
    let mut spent = std::collections::HashMap::<String, i64>::new();
    let mut childless = 0;
    let columns =
        (column(&orders, "id"), column(&orders, "total"), column(&orders, "user_id"), column(&orders, "last_price"));
    for at in 0..orders.num_rows() {
        let sum = totals.get(&columns.0[at]).copied().unwrap_or(0);
        assert_eq!(cents(&columns.1[at]), sum);
        assert_eq!(columns.3[at] == "∅", !totals.contains_key(&columns.0[at]));
        childless += usize::from(!totals.contains_key(&columns.0[at]));
        *spent.entry(columns.2[at].clone()).or_default() += sum;
    }
    assert!(childless > 100, "{childless}");
    let users = all(&made, "users");
    for (id, sum) in column(&users, "id").iter().zip(column(&users, "spent")) {
        assert_eq!(cents(&sum), spent.get(id).copied().unwrap_or(0));
    }
    assert_eq!(numbers(&users, "orders").iter().sum::<f64>() as usize, orders.num_rows());
}

#[test]
fn self_references_point_upwards() {
    let made = tables(&spec(SHOP));
    let users = all(&made, "users");
    let (ids, referrers) = (numbers(&users, "id"), column(&users, "referrer_id"));
    assert_eq!(referrers[0], "∅");
    for (id, referrer) in ids.iter().zip(&referrers).skip(1) {
        assert!(referrer.parse::<f64>().unwrap() < *id);
    }
}

#[test]
fn ascending_times_ascend_within_a_parent() {
    let made = tables(&spec(SHOP));
    let orders = all(&made, "orders");
    let (users, times) = (column(&orders, "user_id"), column(&orders, "at"));
    for at in 1..users.len() {
        assert!(users[at] != users[at - 1] || times[at] >= times[at - 1]);
    }
}
