//! Joins with tables too large for an index find, from how their keys were made, what a search of all rows would find.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::collections::HashMap;
use std::sync::LazyLock;

use shardmill_engine::Tables;
use shardmill_engine::civil::parse_time;
use shardmill_engine::link::INDEX_ROWS_MAX;
use shardmill_tests::engine::{batch, column, numbers, rows, spec, tables, try_tables};

const ORDERS: u64 = 4_000;

/// 1.3 million deals: about two for each of 600 000 customers.
const SPEC: &str = "
  customers:
    rows: 600000
    columns:
      id: {sequence: 1000}
  deals:
    parent: customers
    fanout: {distribution: poisson, lambda: 2.2}
    columns:
      id: {sequence: 0}
      customer: {lookup: customers.id}
      tier: {choice: [free, pro]}
      from: {datetime_series: {freq: D}}
      until: {datetime_series: {freq: D}}
      factor: {type: float, distribution: {type: uniform, min: 2, max: 9}}
  orders:
    rows: 4000
    columns:
      customer: {lookup: customers.id}
      deal: {lookup: deals.id}
      plan: {choice: [free, pro]}
      at: {datetime_series: {freq: H}}
      any: {type: float, constant: 1, modifiers: [{effect: {effect_table: deals, on: {customer: customer}, map: {field: factor}}}]}
      now: {type: float, constant: 1, modifiers: [{effect: {effect_table: deals, on: {customer: customer}, window: {start_col: from, end_col: until}, map: {field: factor}}}]}
      same: {type: float, constant: 1, modifiers: [{effect: {effect_table: deals, on: {plan: tier, customer: customer}, map: {field: factor, default: -1}}}]}
      both: {type: float, constant: 1, modifiers: [{effect: {effect_table: deals, on: {customer: customer, plan: tier}, window: {start_col: from, end_col: until}, map: {field: factor}}}]}
      origin: {type: float, constant: 1, modifiers: [{effect: {effect_table: deals, on: {deal: id, plan: tier}, map: {field: factor}}}]}
      found: {lookup: {from: deals.factor, on: {customer: customer, tier: plan}}}
";

struct Deal {
    id: String,
    customer: String,
    tier: String,
    from: f64,
    until: f64,
    factor: f64,
}

struct Order {
    customer: String,
    deal: String,
    plan: String,
    at: f64,
}

/// The compiled shop, all its deals, and where those of each customer are.
struct Shop {
    made: Tables,
    deals: Vec<Deal>,
    of_customer: HashMap<String, Vec<usize>>,
}

fn time(text: &str) -> f64 {
    parse_time(text).unwrap() as f64
}

static SHOP: LazyLock<Shop> = LazyLock::new(|| {
    let made = tables(&spec(SPEC));
    let total = made.rows(made.find("deals").unwrap()).unwrap();
    assert!(total > INDEX_ROWS_MAX, "{total} deals would be indexed");
    let mut deals = Vec::new();
    for start in (0..total).step_by(50_000) {
        let rows = batch(&made, "deals", start..(start + 50_000).min(total));
        let [ids, customers, tiers, froms, untils] =
            ["id", "customer", "tier", "from", "until"].map(|name| column(&rows, name));
        let factors = numbers(&rows, "factor");
        deals.extend((0..ids.len()).map(|at| Deal {
            id: ids[at].clone(),
            customer: customers[at].clone(),
            tier: tiers[at].clone(),
            from: time(&froms[at]),
            until: time(&untils[at]),
            factor: factors[at],
        }));
    }
    let mut of_customer: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, deal) in deals.iter().enumerate() {
        of_customer.entry(deal.customer.clone()).or_default().push(at);
    }
    Shop { made, deals, of_customer }
});

/// Compares a column with the factor of the first deal that `is_match` accepts.
fn compare(name: &str, default: f64, is_match: impl Fn(&Deal, &Order) -> bool) {
    let Shop { made, deals, of_customer } = &*SHOP;
    let rows = batch(made, "orders", 0..ORDERS);
    let [customers, chosen, plans, times] = ["customer", "deal", "plan", "at"].map(|name| column(&rows, name));
    let mut matched = 0;
    for (at, result) in column(&rows, name).iter().enumerate() {
        let customer = customers[at].clone();
        let order = Order { customer, deal: chosen[at].clone(), plan: plans[at].clone(), at: time(&times[at]) };
        // Every test asks for deals of the order's customer, or for the deal itself.
        let candidates = of_customer.get(&order.customer).map_or(&[][..], Vec::as_slice).iter().copied();
        let itself = (name == "origin").then(|| order.deal.parse().unwrap());
        let found = candidates.chain(itself).map(|at| &deals[at]).find(|deal| is_match(deal, &order));
        matched += usize::from(found.is_some());
        let expected = found.map_or(default, |deal| deal.factor);
        let result: f64 = if result == "∅" { f64::NAN } else { result.parse().unwrap() };
        assert!(result.total_cmp(&expected).is_eq(), "{name}, order {at}: {result}, not {expected}");
    }
    assert!((ORDERS as usize / 40..ORDERS as usize).contains(&matched), "{name}: {matched} orders have a match");
}

fn is_now(deal: &Deal, order: &Order) -> bool {
    deal.from <= order.at && order.at <= deal.until
}

#[test]
fn by_a_key_the_first_child_is_found() {
    compare("any", 1.0, |deal, order| deal.customer == order.customer);
}

#[test]
fn a_window_looks_through_all_children() {
    compare("now", 1.0, |deal, order| deal.customer == order.customer && is_now(deal, order));
}

#[test]
fn several_keys_are_all_compared() {
    compare("same", -1.0, |deal, order| deal.customer == order.customer && deal.tier == order.plan);
    compare("both", 1.0, |deal, order| {
        deal.customer == order.customer && deal.tier == order.plan && is_now(deal, order)
    });
    compare("found", f64::NAN, |deal, order| deal.customer == order.customer && deal.tier == order.plan);
}

#[test]
fn a_key_that_leads_to_one_row_is_compared_too() {
    compare("origin", 1.0, |deal, order| deal.id == order.deal && deal.tier == order.plan);
}

#[test]
fn any_rows_can_be_asked_for_alone() {
    let made = &SHOP.made;
    let whole = rows(&batch(made, "orders", 0..ORDERS));
    for start in [0, 1, 777, ORDERS - 50] {
        assert_eq!(rows(&batch(made, "orders", start..start + 50)), whole[start as usize..start as usize + 50]);
    }
}

#[test]
fn a_key_that_leads_nowhere_is_refused_with_the_remedies() {
    let lost = SPEC.replace("customer: {lookup: customers.id}\n      deal", "customer: {id: '{random:9}'}\n      deal");
    assert_ne!(lost, SPEC);
    let problems = try_tables(&spec(&lost)).expect_err("a random key cannot be searched for");
    let text = problems.join("\n");
    for part in ["too many to be searched by value", "a `lookup` of `deals` or of its parent", "1048576 rows"] {
        assert!(text.contains(part), "{text}");
    }
}
