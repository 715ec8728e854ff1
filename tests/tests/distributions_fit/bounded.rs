//! Values that a constraint bounds are drawn from their distribution, cut off: the bound itself is as likely as it was.

use shardmill_engine::civil::{DAY_US, HOUR_US};
use shardmill_engine::math::normal_cdf;
use shardmill_tests::engine::{spec, tables};
use shardmill_tests::fit::{follows, histogram, shares, values};

const ROWS: usize = 200_000;

fn made(columns: &str, constraints: &str, column: &str) -> Vec<f64> {
    let body = spec(&format!("  t: {{rows: {ROWS}, columns: {{{columns}}}}}\n"));
    values(&tables(&format!("{body}constraints: {{{constraints}}}\n")), "t", column)
}

#[test]
fn whole_numbers_in_a_range() {
    let x = made(
        "x: {type: int, distribution: {type: uniform, low: 0, high: 9}}",
        "ranges: [{attr: t.x, min: 3, max: 6}]",
        "x",
    );
    shares("uniform", &histogram(&x, 10), &[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
    let x = made(
        "x: {type: int, distribution: {type: normal, mean: 5, std: 2}}",
        "ranges: [{attr: t.x, min: 3, max: 6}]",
        "x",
    );
    let cell = |k: f64| normal_cdf((k - 4.5) / 2.0) - normal_cdf((k - 5.5) / 2.0);
    shares("normal", &histogram(&x, 8), &[0.0, 0.0, 0.0, cell(3.0), cell(4.0), cell(5.0), cell(6.0), 0.0]);
    let x =
        made("x: {type: int, distribution: {type: poisson, lambda: 2}}", "ranges: [{attr: t.x, min: 1, max: 3}]", "x");
    shares("poisson, drawn again", &histogram(&x, 5), &[0.0, 2.0, 2.0, 4.0 / 3.0, 0.0]);
}

#[test]
fn numbers_in_a_range() {
    let x = made(
        "x: {type: float, distribution: {type: exponential, mean: 2}}",
        "ranges: [{attr: t.x, min: 1, max: 3}]",
        "x",
    );
    let cdf = |x: f64| 1.0 - shardmill_engine::math::exp(-x / 2.0);
    follows("exponential", &x, |x| (cdf(x) - cdf(1.0)) / (cdf(3.0) - cdf(1.0)));
    let x =
        made("x: {type: 'decimal(6,1)', distribution: {type: normal}}", "ranges: [{attr: t.x, min: 0, max: 0.3}]", "x");
    let cell = |k: f64| normal_cdf((k + 0.5) / 10.0) - normal_cdf((k - 0.5) / 10.0);
    let steps: Vec<f64> = x.iter().map(|x| (x * 10.0).round()).collect();
    shares("decimal", &histogram(&steps, 5), &[cell(0.0), cell(1.0), cell(2.0), cell(3.0), 0.0]);
}

#[test]
fn pairs_of_dice() {
    let dice = "a: {type: int, distribution: {type: uniform, low: 1, high: 4}}, b: {type: int, distribution: {type: uniform, low: 1, high: 4}}";
    // b given a is uniform over what a allows.
    let expected = |holds: fn(usize, usize) -> bool| {
        let mut shares = vec![0.0; 5];
        for a in 1..=4 {
            let allowed: Vec<usize> = (1..=4).filter(|b| holds(a, *b)).collect();
            allowed.iter().for_each(|b| shares[*b] += 0.25 / allowed.len() as f64);
        }
        shares
    };
    let b = made(dice, "inequalities: [{left: t.a, op: '<=', right: t.b}]", "b");
    shares("at most", &histogram(&b, 5), &expected(|a, b| a <= b));
    let b = made(dice, "inequalities: [{left: t.a, op: '>=', right: t.b}]", "b");
    shares("at least", &histogram(&b, 5), &expected(|a, b| a >= b));
}

#[test]
fn times_stay_on_their_grid_and_reach_both_bounds() {
    let window = "within: {start: 2024-01-01, end: 2024-01-04}";
    let columns =
        format!("a: {{datetime_series: {{{window}, freq: D}}}}, b: {{datetime_series: {{{window}, freq: D}}}}");
    for (op, wanted) in [("<=", [0.0625, 0.1458, 0.2708, 0.5208]), (">=", [0.5208, 0.2708, 0.1458, 0.0625])] {
        let b = made(&columns, &format!("inequalities: [{{left: t.a, op: '{op}', right: t.b}}]"), "b");
        let start = 19_723.0 * DAY_US as f64;
        assert!(b.iter().all(|b| (b - start) as i64 % DAY_US == 0), "{op}");
        let days: Vec<f64> = b.iter().map(|b| (b - start) / DAY_US as f64).collect();
        shares(op, &histogram(&days, 4), &wanted);
    }
    let columns = format!(
        "a: {{datetime_series: {{{window}, freq: S}}}}, b: {{datetime_series: {{within: {{start: 2024-01-01, end: 2024-01-09}}, freq: H}}}}"
    );
    let b = made(&columns, "inequalities: [{left: t.a, op: '<', right: t.b}]", "b");
    assert!(b.iter().all(|b| *b as i64 % HOUR_US == 0));
}

#[test]
fn dates_reach_both_bounds() {
    let window = "within: {start: 2024-01-01, end: '2024-01-04T23:59:59Z'}, freq: S";
    let columns =
        format!("a: {{type: date, datetime_series: {{{window}}}}}, b: {{type: date, datetime_series: {{{window}}}}}");
    for (op, wanted) in [("<=", [0.0625, 0.1458, 0.2708, 0.5208]), (">=", [0.5208, 0.2708, 0.1458, 0.0625])] {
        let b = made(&columns, &format!("inequalities: [{{left: t.a, op: '{op}', right: t.b}}]"), "b");
        let days: Vec<f64> = b.iter().map(|b| b / DAY_US as f64 - 19_723.0).collect();
        shares(op, &histogram(&days, 4), &wanted);
    }
}
