//! `effect`: on a column it is what a plain search finds; on a table it scales the number of children.

use std::rc::Rc;

use shardmill_engine::Scratch;
use shardmill_engine::civil::parse_time;
use shardmill_tests::engine::{all, batch, column, numbers, rows, spec, tables};
use shardmill_tests::fit::{mean, rate, shares, values};

/// Two effects of one country and window overlap: the first row wins. A start or an end may be open.
const EFFECTS: &str = "
  effects:
    kind: vocab
    columns:
      country: {enum_list: [DE, DE, FR, FR, DE]}
      tier: {enum_list: [pro, pro, free, pro, free]}
      from: {type: datetime, enum_list: [2024-02-01, 2024-01-01, 2024-03-01, 2024-06-01, 2024-01-01]}
      to: {type: datetime, enum_list: [2024-03-01, 2024-12-31, '2024-03-31T12:00:00Z', 2024-06-30, 2024-01-31]}
      factor: {type: float, enum_list: [3, 2, 0.5, 10, 0.25]}
";

/// What the first matching row of [`EFFECTS`] says.
fn found(country: &str, tier: Option<&str>, time: f64) -> Option<f64> {
    let rows = [
        ("DE", "pro", "2024-02-01", "2024-03-01", 3.0),
        ("DE", "pro", "2024-01-01", "2024-12-31", 2.0),
        ("FR", "free", "2024-03-01", "2024-03-31T12:00:00Z", 0.5),
        ("FR", "pro", "2024-06-01", "2024-06-30", 10.0),
        ("DE", "free", "2024-01-01", "2024-01-31", 0.25),
    ];
    let moment = |text: &str| parse_time(text).unwrap() as f64;
    rows.iter()
        .find(|(c, t, from, to, _)| {
            *c == country && tier.is_none_or(|tier| tier == *t) && moment(from) <= time && time <= moment(to)
        })
        .map(|row| row.4)
}

#[test]
fn on_a_column_the_first_match_wins() {
    let body = format!(
        "{EFFECTS}
  t:
    rows: 20000
    columns:
      country: {{choice: [DE, FR, IT]}}
      tier: {{choice: [free, pro]}}
      at: {{datetime_series: {{freq: H}}}}
      base: {{type: float, constant: 10}}
      both: {{type: float, constant: 10, modifiers: [{{effect: {{effect_table: effects, on: {{country: country, tier: tier}}, window: {{start_col: from, end_col: to}}, map: {{field: factor}}}}}}]}}
      one: {{type: float, constant: 10, modifiers: [{{effect: {{effect_table: effects, on: {{country: country}}, window: {{start_col: from, end_col: to}}, map: {{field: factor, op: add, default: -1}}}}}}]}}
      global: {{type: float, constant: 10, modifiers: [{{effect: {{effect_table: effects, on: {{}}, map: {{field: factor}}}}}}]}}
      default: {{type: float, constant: 10, modifiers: [{{effect: {{effect_table: effects, on: {{country: country, tier: tier}}, window: {{start_col: from, end_col: to}}, map: {{field: factor, op: mul, default: 7}}}}}}]}}
"
    );
    let made = tables(&spec(&body));
    let t = all(&made, "t");
    let (countries, tiers) = (column(&t, "country"), column(&t, "tier"));
    let times = values(&made, "t", "at");
    let (both, one) = (numbers(&t, "both"), numbers(&t, "one"));
    let (global, default) = (numbers(&t, "global"), numbers(&t, "default"));
    let mut hits = 0;
    for at in 0..times.len() {
        let exact = found(&countries[at], Some(&tiers[at]), times[at]);
        hits += usize::from(exact.is_some());
        assert_eq!(both[at], 10.0 * exact.unwrap_or(1.0));
        assert_eq!(default[at], 10.0 * exact.unwrap_or(7.0));
        assert_eq!(one[at], 10.0 + found(&countries[at], None, times[at]).unwrap_or(-1.0));
        assert_eq!(global[at], 30.0);
    }
    assert!(hits > 3_000, "{hits}");
}

const SCALED: &str = "
  seasons:
    kind: vocab
    columns:
      country: {enum_list: [DE, FR, FR, IT]}
      from: {type: date, enum_list: [2024-01-01, 2024-01-01, 2024-07-01, 2024-01-01]}
      to: {type: date, enum_list: [2024-12-31, 2024-06-30, 2024-12-31, 2024-12-31]}
      factor: {type: float, enum_list: [0.5, 2, 3.3, 0]}
  users:
    rows: 41000
    columns:
      id: {sequence: 0}
      country: {choice: [DE, FR, IT, ES]}
      joined: {datetime_series: {freq: H}}
      orders: {rollup: orders}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 2}
    modifiers: [{effect: {effect_table: seasons, on: {country: country}, window: {start_col: from, end_col: to}, map: {field: factor}}}]
    columns:
      id: {sequence: 0}
      user_id: {lookup: users.id}
      country: {lookup: users.country}
      amount: {type: float, distribution: {type: uniform}}
";

#[test]
fn on_a_table_it_scales_the_mean_and_counts_stay_exact() {
    let made = tables(&spec(SCALED));
    let users = all(&made, "users");
    let counts = numbers(&users, "orders");
    let orders = made.rows(made.find("orders").unwrap()).unwrap();
    assert_eq!(counts.iter().sum::<f64>(), orders as f64);
    let middle = parse_time("2024-07-01").unwrap() as f64;
    let times = values(&made, "users", "joined");
    let countries = column(&users, "country");
    let of = |country: &str, early: bool| -> Vec<f64> {
        (0..counts.len())
            .filter(|at| countries[*at] == country && (times[*at] < middle) == early)
            .map(|at| counts[at])
            .collect()
    };
    for (country, early, factor) in [
        ("DE", true, 0.5),
        ("DE", false, 0.5),
        ("FR", true, 2.0),
        ("FR", false, 3.3),
        ("IT", true, 0.0),
        ("ES", true, 1.0),
    ] {
        let counts = of(country, early);
        let wanted = 2.0 * factor;
        // The variance of a scaled draw and of its rounding.
        let error = ((2.0 * factor * factor + 0.25) / counts.len() as f64).sqrt();
        assert!((mean(&counts) - wanted).abs() <= 5.0 * error, "{country}: {} for {wanted}", mean(&counts));
    }
    let spain = of("ES", true);
    let cells: Vec<u64> =
        (0..12).map(|n| spain.iter().filter(|count| **count == f64::from(n)).count() as u64).collect();
    let expected: Vec<f64> = (0..12).map(|n| shardmill_engine::math::poisson::poisson_probability(2.0, n)).collect();
    shares("unscaled", &cells, &expected);
    let halves = of("DE", true);
    rate("rounded up or down", halves.iter().filter(|n| **n == 0.0).count(), halves.len(), halved_to_nothing());
}

/// The chance that half a Poisson number of mean 2 is rounded to 0: of 0 always, of 1 half the time.
fn halved_to_nothing() -> f64 {
    use shardmill_engine::math::poisson::poisson_probability;
    poisson_probability(2.0, 0) + 0.5 * poisson_probability(2.0, 1)
}

#[test]
fn counting_in_parts_and_rows_in_parts_give_the_same() {
    let whole = tables(&spec(SCALED));
    let orders = whole.find("orders").unwrap();
    let blocks = whole.count_blocks(orders).unwrap();
    let counted = whole.count(orders, 0..blocks).unwrap();
    for size in [1, 7, 30] {
        let parts: Vec<u64> = (0..blocks)
            .step_by(size)
            .flat_map(|start| whole.count(orders, start..(start + size as u64).min(blocks)).unwrap())
            .collect();
        assert_eq!(parts, counted, "{size}");
    }
    let all_rows = rows(&all(&whole, "orders"));
    let scratch = Rc::new(Scratch::default());
    for start in (0..all_rows.len() as u64).step_by(9_973) {
        let end = (start + 211).min(all_rows.len() as u64);
        assert_eq!(rows(&batch(&whole, "orders", start..end)), all_rows[start as usize..end as usize]);
        let again = whole.batch(orders, start..end, &scratch).unwrap();
        assert_eq!(rows(&again), all_rows[start as usize..end as usize]);
    }
}

#[test]
fn a_fan_out_is_scaled_beyond_its_greatest_number() {
    let body = "
  boost: {kind: vocab, columns: {factor: {type: float, enum_list: [3]}}}
  p: {rows: 20000, columns: {id: {sequence: 0}, n: {rollup: c}}}
  c:
    parent: p
    fanout: {distribution: uniform, min: 1, max: 3}
    modifiers: [{effect: {effect_table: boost, on: {}, map: {field: factor}}}]
    columns: {id: {sequence: 0}}
";
    let counts = values(&tables(&spec(body)), "p", "n");
    assert!((mean(&counts) - 6.0).abs() < 0.05, "{}", mean(&counts));
    let constant = values(&tables(&spec(&body.replace("{distribution: uniform, min: 1, max: 3}", "2"))), "p", "n");
    assert!(constant.iter().all(|n| *n == 6.0), "a constant fan-out too");
    let clamped = body.replace("max: 3", "max: 3, clamp: [0, 5]");
    let counts = values(&tables(&spec(&clamped)), "p", "n");
    assert!(counts.iter().all(|n| *n <= 5.0) && counts.contains(&5.0));
}
