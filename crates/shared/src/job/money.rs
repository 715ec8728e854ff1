//! Money as whole numbers: totals in billionths of a dollar, rates in trillionths, and no float anywhere. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Decimals of a dollar that a total keeps.
const NANO: usize = 9;
/// Decimals of a dollar that a rate keeps: prices of single tokens are finer than a nano-dollar.
const PICO: usize = 12;

/// An amount of money in nano-dollars, at most 18 446 744 073 dollars.
///
/// It is written, in JSON too, as the decimal text of its dollars (`"5.10"`): exact for every reader, where a JSON number above
/// 2^53 is rounded by most of them, and the same text that people type.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NanoUsd(pub u64);

/// A price in pico-dollars per unit, such as a token.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PicoUsd(pub u64);

/// Why a text is no amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// It is not of the form.
    #[error("`{0}` is no amount of dollars; write digits and at most one point, such as 5 or 0.10")]
    Malformed(String),
    /// It has more decimals than are kept.
    #[error("`{text}` has more than {most} decimals; round it")]
    TooFine {
        /// The whole text.
        text: String,
        /// Decimals that are kept.
        most: usize,
    },
    /// It is beyond what can be counted.
    #[error("`{0}` dollars are more than can be counted; write less")]
    TooLarge(String),
}

impl NanoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// So many whole dollars; the most there can be if they are too many.
    pub const fn dollars(dollars: u64) -> Self {
        Self(dollars.saturating_mul(1_000_000_000))
    }

    /// The sum, or nothing beyond what can be counted.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, or nothing below zero.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The sum, or the most there can be: what is spent must never look like less.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Dollars, rounded: for graphs only.
    pub fn approximate_dollars(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl PicoUsd {
    /// The price of `units`, rounded up to a nano-dollar; nothing beyond what can be counted.
    pub fn times(self, units: u64) -> Option<NanoUsd> {
        let pico = u128::from(self.0) * u128::from(units);
        u64::try_from(pico.div_ceil(1_000)).ok().map(NanoUsd)
    }
}

/// `text` as a whole number of units, of which `decimals` decimals of a dollar are one.
fn parse(text: &str, decimals: usize) -> Result<u64, MoneyError> {
    let malformed = || MoneyError::Malformed(text.to_owned());
    let (whole, part) = match text.split_once('.') {
        Some((_, "")) => return Err(malformed()),
        Some(parts) => parts,
        None => (text, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(part) {
        return Err(malformed());
    }
    let part = part.trim_end_matches('0');
    if part.len() > decimals {
        return Err(MoneyError::TooFine { text: text.to_owned(), most: decimals });
    }
    let digits = format!("{whole}{part:0<decimals$}");
    digits.parse().map_err(|_| MoneyError::TooLarge(text.to_owned()))
}

/// Dollars with all decimals that are not zero, and at least two.
fn write(formatter: &mut fmt::Formatter<'_>, units: u64, decimals: usize) -> fmt::Result {
    let digits = format!("{units:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let kept = part.trim_end_matches('0').len().max(2);
    formatter.pad(&format!("{whole}.{}", &part[..kept]))
}

macro_rules! decimal {
    ($money:ident, $decimals:expr) => {
        impl FromStr for $money {
            type Err = MoneyError;

            fn from_str(text: &str) -> Result<Self, MoneyError> {
                parse(text, $decimals).map(Self)
            }
        }

        impl fmt::Display for $money {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(formatter, self.0, $decimals)
            }
        }

        impl fmt::Debug for $money {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "${self}")
            }
        }

        impl TryFrom<String> for $money {
            type Error = MoneyError;

            fn try_from(text: String) -> Result<Self, MoneyError> {
                text.parse()
            }
        }

        impl From<$money> for String {
            fn from(money: $money) -> Self {
                money.to_string()
            }
        }
    };
}

decimal!(NanoUsd, NANO);
decimal!(PicoUsd, PICO);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dollars_are_read_and_written_to_the_last_decimal() {
        for (text, nanos, written) in [
            ("5", 5_000_000_000, "5.00"),
            ("0.10", 100_000_000, "0.10"),
            ("0.000000001", 1, "0.000000001"),
            ("1.0000000010", 1_000_000_001, "1.000000001"),
            ("007", 7_000_000_000, "7.00"),
            ("18446744073.709551615", u64::MAX, "18446744073.709551615"),
        ] {
            let money: NanoUsd = text.parse().expect("an amount");
            assert_eq!((money.0, money.to_string().as_str()), (nanos, written));
        }
        assert_eq!("0.000000546875".parse(), Ok(PicoUsd(546_875)));
        assert_eq!(format!("{:>8}|{:?}", NanoUsd::dollars(5), NanoUsd(1)), "    5.00|$0.000000001");
    }

    #[test]
    fn what_is_no_amount_says_what_to_write() {
        for text in ["", ".", "5.", ".5", "-1", "+1", "$5", "1,000", "1e3", "1.2.3", " 5", "٥", "NaN"] {
            assert_eq!(text.parse::<NanoUsd>(), Err(MoneyError::Malformed(text.to_owned())), "{text}");
        }
        assert!(matches!("0.0000000001".parse::<NanoUsd>(), Err(MoneyError::TooFine { most: 9, .. })));
        for text in ["18446744073.709551616", "99999999999999999999999"] {
            assert!(matches!(text.parse::<NanoUsd>(), Err(MoneyError::TooLarge(_))), "{text}");
        }
    }

    #[test]
    fn sums_stop_at_both_ends() {
        let (one, most) = (NanoUsd(1), NanoUsd(u64::MAX));
        assert_eq!((most.checked_add(one), NanoUsd::ZERO.checked_sub(one)), (None, None));
        assert_eq!((most.saturating_add(one), NanoUsd::ZERO.saturating_sub(one)), (most, NanoUsd::ZERO));
        assert_eq!(one.checked_add(one), Some(NanoUsd(2)));
    }

    #[test]
    fn a_price_is_rounded_up_once_for_all_its_tokens() {
        assert_eq!(PicoUsd(546_875).times(1), Some(NanoUsd(547)));
        assert_eq!(PicoUsd(546_875).times(8), Some(NanoUsd(4_375)));
        assert_eq!(PicoUsd(1).times(1), Some(NanoUsd(1)));
        assert_eq!(PicoUsd(0).times(u64::MAX), Some(NanoUsd(0)));
        assert_eq!(PicoUsd(u64::MAX).times(1_000), Some(NanoUsd(u64::MAX)));
        assert_eq!(PicoUsd(u64::MAX).times(1_001), None);
    }

    proptest! {
        #[test]
        fn json_reads_what_it_writes(nanos: u64) {
            let text = serde_json::to_string(&NanoUsd(nanos)).expect("writes");
            prop_assert!(text.starts_with('"'));
            prop_assert_eq!(serde_json::from_str::<NanoUsd>(&text).expect("reads"), NanoUsd(nanos));
        }
    }
}
