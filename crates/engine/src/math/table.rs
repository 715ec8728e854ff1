//! A slow quantile function sampled once and read many times: gamma and beta columns at the price of a normal one. Pure.
//!
//! Seen over the normal quantile of p, the logarithm of a positive value (or the log-odds of one between 0 and 1) is a
//! smooth curve, also in both tails: cubics between a thousand points follow it to about eight digits. A column that is
//! read from a table has the table's values, by definition.

use super::exp::{exp, ln};
use super::gamma::Tails;
use super::normal::{normal_cdf, normal_quantile, normal_quantile_all};

/// Points per unit of the normal quantile.
const DENSITY: usize = 64;
/// How far the curve goes to both sides: a draw of 52 bits reaches 8.2.
const REACH: f64 = 8.5;
/// Points beyond the reach on each side, for the slopes.
const MARGIN: usize = 2;
/// Cubics of the curve.
const SPANS: usize = (2.0 * REACH) as usize * DENSITY;
/// Logarithms and log-odds stay within this: beyond is nothing that a value could hold.
const STEEPEST: f64 = 740.0;

/// Where the values of a distribution lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// Above 0.
    Positive,
    /// Between 0 and 1.
    Unit,
}

/// One quantile function as a curve of cubics.
#[derive(Clone, Debug)]
pub struct QuantileTable {
    support: Support,
    /// The coefficients of every cubic, from the constant on.
    cubics: Vec<[f64; 4]>,
}

impl QuantileTable {
    /// Samples `point`, which must rise: the value that has the given tails.
    pub fn new(support: Support, point: impl Fn(Tails) -> f64) -> Self {
        let heights: Vec<f64> = (0..=SPANS + 2 * MARGIN)
            .map(|i| {
                let z = (i as f64 - MARGIN as f64) / DENSITY as f64 - REACH;
                height(support, point(Tails { lower: normal_cdf(z), upper: normal_cdf(-z) }))
            })
            .collect();
        let slope = |i: usize| (heights[i - 2] - heights[i + 2] + 8.0 * (heights[i + 1] - heights[i - 1])) / 12.0;
        let cubic = |i: usize| {
            let (left, right, rise) = (slope(i), slope(i + 1), heights[i + 1] - heights[i]);
            [heights[i], left, 3.0 * rise - 2.0 * left - right, left + right - 2.0 * rise]
        };
        Self { support, cubics: (MARGIN..MARGIN + SPANS).map(cubic).collect() }
    }

    /// The value that is above a part `p` of all; `p` nearer to 0 or 1 than 2^-55 counts as that.
    #[inline]
    pub fn value(&self, p: f64) -> f64 {
        self.at(normal_quantile(p))
    }

    /// `value` of every number, in place.
    pub fn value_all(&self, values: &mut [f64]) {
        normal_quantile_all(values);
        for value in values {
            *value = self.at(*value);
        }
    }

    /// The value at the normal quantile `z`.
    #[inline]
    pub fn at(&self, z: f64) -> f64 {
        let position = (z.clamp(-REACH, REACH) + REACH) * DENSITY as f64;
        // What is not a number becomes the first span and stays what it is.
        let span = (position as usize).min(SPANS - 1);
        let t = position - span as f64;
        let [c0, c1, c2, c3] = self.cubics[span];
        let height = c0 + t * (c1 + t * (c2 + t * c3));
        match self.support {
            Support::Positive => exp(height),
            Support::Unit => 1.0 / (1.0 + exp(-height)),
        }
    }
}

fn height(support: Support, value: f64) -> f64 {
    let height = match support {
        Support::Positive => ln(value),
        Support::Unit => ln(value) - ln(1.0 - value),
    };
    height.clamp(-STEEPEST, STEEPEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::beta::{beta_point, beta_quantile};
    use crate::math::gamma::{gamma_point, gamma_quantile};

    const UNITS: [f64; 9] = [1e-15, 1e-6, 0.01, 0.2, 0.5, 0.77, 0.95, 0.9999, 1.0 - 1e-12];

    #[test]
    fn gamma_tables_follow_the_function() {
        for shape in [0.05, 0.3, 1.0, 2.0, 17.0, 500.0, 1e5] {
            let table = QuantileTable::new(Support::Positive, |tails| gamma_point(shape, tails));
            for p in UNITS {
                let (got, expected) = (table.value(p), gamma_quantile(shape, p));
                assert!(expected < 1e-250 || (got / expected - 1.0).abs() < 2e-8, "{shape} {p}: {got:e} {expected:e}");
            }
        }
    }

    #[test]
    fn beta_tables_follow_the_function() {
        for (a, b) in [(0.1, 0.1), (0.5, 0.5), (1.0, 1.0), (2.0, 5.0), (30.0, 0.7), (800.0, 900.0)] {
            let table = QuantileTable::new(Support::Unit, |tails| beta_point(a, b, tails));
            for p in UNITS {
                let (got, expected) = (table.value(p), beta_quantile(a, b, p));
                assert!((got / expected - 1.0).abs() < 2e-8, "{a} {b} {p}: {got:e} {expected:e}");
            }
        }
    }

    #[test]
    fn tables_rise_and_slices_give_the_bits_of_single_calls() {
        let table = QuantileTable::new(Support::Positive, |tails| gamma_point(0.4, tails));
        let units: Vec<f64> = (1..200_000).map(|i| f64::from(i) / 200_000.0).collect();
        let mut values = units.clone();
        table.value_all(&mut values);
        assert!(values.is_sorted());
        assert!(units.iter().zip(&values).all(|(p, value)| table.value(*p).to_bits() == value.to_bits()));
        assert!(table.value(0.0) < table.value(1e-16) && table.value(1.0) > table.value(1.0 - 1e-16));
        assert!(table.value(f64::NAN).is_nan());
    }
}
