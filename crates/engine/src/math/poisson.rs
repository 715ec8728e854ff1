//! The Poisson distribution: single probabilities, the cumulative function, and a table of all that matter. Pure.

use super::exp::exp;
use super::gamma::gamma_tails;
use super::stirling::{deviance, stirling_error};
use std::f64::consts::TAU;

/// The largest mean for which a table is made: it has some 24 000 entries.
pub const MAX_MEAN: f64 = 1e6;
/// How many standard deviations a table reaches: beyond lies less than one draw of 64 bits can tell.
const REACH: f64 = 12.0;

/// The probability of the count `k` where `mean` (not negative) is expected.
pub fn poisson_probability(mean: f64, k: u64) -> f64 {
    if mean == 0.0 {
        return if k == 0 { 1.0 } else { 0.0 };
    }
    if k == 0 {
        return exp(-mean);
    }
    let k = k as f64;
    exp(-deviance(mean, k) - stirling_error(k)) / (TAU * k).sqrt()
}

/// The probability of at most `k` where `mean` (not negative) is expected.
pub fn poisson_cdf(mean: f64, k: u64) -> f64 {
    gamma_tails(k as f64 + 1.0, mean).upper
}

/// Consecutive counts and their probabilities; what lies outside is folded into the ends.
#[derive(Clone, Debug, PartialEq)]
pub struct PoissonTable {
    /// The count that the first probability belongs to.
    pub first: u64,
    /// The probabilities of `first`, `first + 1`, …
    pub probabilities: Vec<f64>,
}

/// The table for `mean`, or nothing if that is negative, not a number or above `MAX_MEAN`.
pub fn poisson_table(mean: f64) -> Option<PoissonTable> {
    if !(0.0..=MAX_MEAN).contains(&mean) {
        return None;
    }
    if mean == 0.0 {
        return Some(PoissonTable { first: 0, probabilities: vec![1.0] });
    }
    let reach = REACH * mean.sqrt();
    let first = (mean - reach).max(0.0) as u64;
    // The right tail of a small mean is longer than a normal one.
    let last = (mean + reach + 2.0 * REACH) as u64;
    let mut probabilities: Vec<f64> = (first..=last).map(|k| poisson_probability(mean, k)).collect();
    if first > 0 {
        probabilities[0] = poisson_cdf(mean, first);
    }
    if let Some(end) = probabilities.last_mut() {
        *end = gamma_tails(last as f64, mean).lower;
    }
    Some(PoissonTable { first, probabilities })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// mean, k, probability of k, probability of at most k; computed with 50 digits by another library.
    const VALUES: &[(f64, u64, f64, f64)] = &[
        (0.3, 0, 0.7408182206817179, 0.7408182206817179),
        (0.3, 5, 1.5001568968804784e-05, 0.9999992165284272),
        (4.0, 4, 0.1953668148131646, 0.6288369351798735),
        (60.0, 30, 7.298078364760148e-06, 1.4174343333492245e-05),
        (60.0, 95, 7.121975168543862e-06, 0.9999886065302083),
        (1500.0, 1500, 0.010300073145112224, 0.5068665119847636),
        (1500.0, 1380, 7.734010045876331e-05, 0.0008935536123290596),
        (100000.0, 100900, 2.2147490938779924e-05, 0.9977717443920255),
        (1000000.0, 999000, 0.000242051415050649, 0.1587762998117256),
    ];

    #[test]
    fn probabilities_agree_with_other_arithmetic() {
        for &(mean, k, single, up_to) in VALUES {
            assert!((poisson_probability(mean, k) / single - 1.0).abs() < 5e-13, "{mean} {k}");
            assert!((poisson_cdf(mean, k) - up_to).abs() < 5e-14, "{mean} {k} {} {up_to}", poisson_cdf(mean, k));
        }
    }

    #[test]
    fn tables_hold_everything_and_keep_mean_and_variance() {
        for mean in [0.001, 0.7, 1.0, 12.5, 143.9, 144.1, 5000.0, 1e6] {
            let table = poisson_table(mean).expect("the mean is in range");
            let moment = |power: i32| -> f64 {
                let value = |i: usize| (0..power).fold(1.0, |v, _| v * (table.first as f64 + i as f64 - mean));
                table.probabilities.iter().enumerate().map(|(i, p)| p * value(i)).sum()
            };
            assert!((moment(0) - 1.0).abs() < 1e-12, "{mean}: {}", moment(0));
            assert!(moment(1).abs() < 1e-9 * mean.sqrt(), "{mean}: {}", moment(1));
            assert!((moment(2) / mean - 1.0).abs() < 1e-9, "{mean}: {}", moment(2));
            assert!(table.probabilities.len() < 24_100);
        }
    }

    #[test]
    fn a_mean_of_zero_always_gives_zero_and_bad_means_nothing() {
        assert_eq!(poisson_table(0.0), Some(PoissonTable { first: 0, probabilities: vec![1.0] }));
        assert_eq!([poisson_probability(0.0, 0), poisson_probability(0.0, 1), poisson_cdf(0.0, 0)], [1.0, 0.0, 1.0]);
        for mean in [-0.1, 1e6 + 1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(poisson_table(mean), None, "{mean}");
        }
    }
}
