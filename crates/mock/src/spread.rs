//! A number that varies from call to call: fixed, between two bounds, or lognormal around a median. Pure.

use std::str::FromStr;

use shardmill_engine::math::exp::exp;
use shardmill_engine::math::normal::normal_quantile;

use crate::error::OptionError;

/// How a number is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spread {
    /// Always this.
    Fixed(u64),
    /// Anything from the least to the most, each as likely.
    Even {
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
    /// Lognormal.
    Lognormal {
        /// Half of all draws are below.
        median: u64,
        /// The deviation of its logarithm.
        sigma: f64,
    },
}

impl Spread {
    /// The number at `unit`, which is in (0, 1); never above `most`.
    pub fn draw(&self, unit: f64, most: u64) -> u64 {
        let drawn = match *self {
            Self::Fixed(number) => number,
            Self::Even { least, most } => least + (unit * (most - least + 1) as f64) as u64,
            Self::Lognormal { median, sigma } => (median as f64 * exp(sigma * normal_quantile(unit))).round() as u64,
        };
        drawn.min(most)
    }

    /// Reads `80`, `20..200` or `lognormal(60,0.5)`.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn of_counts(text: &str) -> Result<Self, OptionError> {
        let expected = "a number, such as 80, 20..200 or lognormal(60,0.5)";
        Self::read(text, |number| number.parse().ok()).ok_or_else(|| OptionError::spread(text, expected))
    }

    /// Reads `50ms`, `20ms..80ms` or `lognormal(50ms,0.4)`; `1.5s` is 1500 milliseconds.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn of_milliseconds(text: &str) -> Result<Self, OptionError> {
        let expected = "a time, such as 50ms, 20ms..80ms or lognormal(50ms,0.4)";
        Self::read(text, milliseconds).ok_or_else(|| OptionError::spread(text, expected))
    }

    fn read(text: &str, number: impl Fn(&str) -> Option<u64>) -> Option<Self> {
        let text = text.trim();
        if let Some(inside) = text.strip_prefix("lognormal(").and_then(|rest| rest.strip_suffix(')')) {
            let (median, sigma) = inside.split_once(',')?;
            let sigma = f64::from_str(sigma.trim()).ok().filter(|sigma| (0.0..=10.0).contains(sigma))?;
            return Some(Self::Lognormal { median: number(median.trim())?, sigma });
        }
        let Some((least, most)) = text.split_once("..") else { return number(text).map(Self::Fixed) };
        let (least, most) = (number(least.trim())?, number(most.trim())?);
        (least <= most && most < u64::MAX).then_some(Self::Even { least, most })
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let (number, unit_ms) = match text.strip_suffix("ms") {
        Some(number) => (number, 1.0),
        None => (text.strip_suffix('s')?, 1_000.0),
    };
    let number = f64::from_str(number.trim()).ok().filter(|number| (0.0..1e12).contains(number))?;
    Some((number * unit_ms).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_read_as_people_write_them() {
        let even = |least, most| Ok(Spread::Even { least, most });
        assert_eq!(Spread::of_counts("80"), Ok(Spread::Fixed(80)));
        assert_eq!(Spread::of_counts("20..200"), even(20, 200));
        assert_eq!(Spread::of_counts("lognormal(60, 0.5)"), Ok(Spread::Lognormal { median: 60, sigma: 0.5 }));
        assert_eq!(Spread::of_milliseconds("0ms"), Ok(Spread::Fixed(0)));
        assert_eq!(Spread::of_milliseconds("20ms..1.5s"), even(20, 1500));
    }

    #[test]
    fn what_is_none_is_refused_with_an_example() {
        for text in ["", "ten", "5..", "9..3", "-1", "lognormal(5)", "lognormal(5,-1)", "50ms"] {
            let error = Spread::of_counts(text).expect_err(text).to_string();
            assert!(error.contains("expected a number, such as 80"), "{error}");
        }
        for text in ["50", "50 m", "ms", "1e99s"] {
            assert!(Spread::of_milliseconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn draws_follow_the_spread_and_its_bound() {
        let even = Spread::Even { least: 3, most: 5 };
        assert_eq!([0.01, 0.5, 0.99].map(|unit| even.draw(unit, 100)), [3, 4, 5]);
        let lognormal = Spread::Lognormal { median: 100, sigma: 0.5 };
        assert_eq!(lognormal.draw(0.5, 1_000), 100);
        assert!(lognormal.draw(0.975, 1_000) > 200 && lognormal.draw(0.025, 1_000) < 50);
        assert_eq!(lognormal.draw(0.975, 150), 150);
    }
}
