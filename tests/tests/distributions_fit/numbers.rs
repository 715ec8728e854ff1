//! `distribution`: every shape, in every type it can have.

use shardmill_engine::math::poisson::poisson_probability;
use shardmill_engine::math::{beta_cdf, exp, gamma_cdf, ln, normal_cdf};
use shardmill_tests::engine::{spec, tables};
use shardmill_tests::fit::{follows, histogram, mean, rate, shares, values};

const ROWS: usize = 200_000;

fn made(column: &str) -> Vec<f64> {
    values(&tables(&spec(&format!("  t: {{rows: {ROWS}, columns: {{x: {column}}}}}\n"))), "t", "x")
}

fn fits(distribution: &str, cdf: impl Fn(f64) -> f64) {
    follows(distribution, &made(&format!("{{type: float, distribution: {distribution}}}")), cdf);
}

#[test]
fn normal_and_lognormal() {
    fits("{type: normal, params: {mean: 5, std: 2}}", |x| normal_cdf((x - 5.0) / 2.0));
    fits("normal", normal_cdf);
    fits("{type: lognormal, mean: 3.2, sigma: 0.6}", |x| normal_cdf((ln(x) - 3.2) / 0.6));
}

#[test]
fn uniform_and_exponential() {
    fits("{type: uniform, low: 2, high: 7}", |x| (x - 2.0) / 5.0);
    fits("{type: uniform, low: -1e9, high: 1e9}", |x| (x + 1e9) / 2e9);
    fits("{type: exponential, mean: 4}", |x| 1.0 - exp(-x / 4.0));
    fits("{type: exponential, rate: 0.5}", |x| 1.0 - exp(-x * 0.5));
}

#[test]
fn gamma_and_beta() {
    fits("{type: gamma, shape: 2.5, scale: 3}", |x| gamma_cdf(2.5, x / 3.0));
    fits("{type: gamma, shape: 0.4}", |x| gamma_cdf(0.4, x));
    fits("{type: beta, alpha: 2, beta: 5}", |x| beta_cdf(2.0, 5.0, x));
    fits("{type: beta, alpha: 0.5, beta: 0.5, low: 10, high: 20}", |x| beta_cdf(0.5, 0.5, (x - 10.0) / 10.0));
    // Moments by another way than the quantile's inverse.
    let gamma = made("{type: float, distribution: {type: gamma, shape: 2.5, scale: 3}}");
    assert!((mean(&gamma) - 7.5).abs() < 0.06, "{}", mean(&gamma));
    let beta = made("{type: float, distribution: {type: beta, alpha: 2, beta: 5}}");
    assert!((mean(&beta) - 2.0 / 7.0).abs() < 0.002, "{}", mean(&beta));
}

#[test]
fn truncated_normal_keeps_to_its_ends() {
    let within = |low: f64, high: f64| {
        let (from, to) = (normal_cdf(low), normal_cdf(high));
        move |x: f64| (normal_cdf(x) - from) / (to - from)
    };
    fits("{type: truncated_normal, low: -0.5, high: 2}", within(-0.5, 2.0));
    fits("{type: truncated_normal, min: 3, max: 4}", within(3.0, 4.0));
    for low in [5.0, 6.5, 7.5] {
        let far = made(&format!("{{type: float, distribution: {{type: truncated_normal, low: {low}, high: 8}}}}"));
        assert!(far.iter().all(|x| (low..=8.0).contains(x)), "{low}: {:?}", far.iter().find(|x| **x < low));
    }
}

#[test]
fn clamped_values_gather_at_the_ends() {
    let x = made("{type: float, distribution: {type: normal, clamp: [-1, 1.5]}}");
    let (low, high) = (normal_cdf(-1.0), normal_cdf(-1.5));
    rate("below", x.iter().filter(|x| **x == -1.0).count(), ROWS, low);
    rate("above", x.iter().filter(|x| **x == 1.5).count(), ROWS, high);
    let inside: Vec<f64> = x.into_iter().filter(|x| *x > -1.0 && *x < 1.5).collect();
    follows("inside", &inside, |x| (normal_cdf(x) - low) / (1.0 - high - low));
}

#[test]
fn counts() {
    for mean in [0.7, 4.0, 250.0] {
        let x = made(&format!("{{distribution: {{type: poisson, params: {{lambda: {mean}}}}}}}"));
        let cells = x.iter().copied().fold(0.0, f64::max) as usize + 2;
        let mut expected: Vec<f64> = (0..cells as u64).map(|k| poisson_probability(mean, k)).collect();
        expected[cells - 1] += 1.0 - expected.iter().sum::<f64>();
        shares(&format!("poisson {mean}"), &histogram(&x, cells), &expected);
    }
    let x = made("{distribution: {type: bernoulli, p: 0.92}}");
    rate("bernoulli", x.iter().filter(|x| **x == 1.0).count(), ROWS, 0.92);
    assert!(made("{type: float, distribution: {type: constant, value: 2.5}}").iter().all(|x| *x == 2.5));
}

#[test]
fn whole_numbers_and_decimals_have_all_their_steps() {
    let dice = made("{type: int, distribution: {type: uniform, low: 1, high: 6}}");
    shares("dice", &histogram(&dice, 8), &[0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]);
    let cents = made("{type: 'decimal(6,2)', distribution: {type: uniform, low: -0.25, high: 0.74}}");
    let steps: Vec<f64> = cents.iter().map(|x| (x * 100.0).round() + 25.0).collect();
    shares("cents", &histogram(&steps, 100), &[1.0; 100]);
    let normal = made("{type: int, distribution: {type: normal, mean: 10, std: 2}}");
    let expected: Vec<f64> =
        (0..=20).map(|k| normal_cdf((f64::from(k) - 9.5) / 2.0) - normal_cdf((f64::from(k) - 10.5) / 2.0)).collect();
    shares("rounded normal", &histogram(&normal, 21), &expected);
}
