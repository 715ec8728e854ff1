//! A choice among weighted items by comparing one draw with integer thresholds. Pure.
//!
//! The thresholds cut the 2^64 possible draws into one run per item, in the order of the items: a larger draw never
//! chooses an earlier item, so correlated draws give correlated choices.

use crate::math::poisson::{MAX_MEAN, poisson_table};
use std::cmp::Reverse;
use thiserror::Error;

/// Two cells of the guide per item, so that most draws find their item without a search; up to this many.
const MAX_GUIDE_BITS: u32 = 18;
/// 2^64.
const ALL: u128 = 1 << 64;
/// The largest weight becomes this integer, the others in proportion.
const SCALE: f64 = (1u64 << 62) as f64;

/// Why weights cannot be used.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum WeightError {
    /// There is nothing to choose from.
    #[error("there are no weights")]
    Empty,
    /// A weight is below 0.
    #[error("weight {value} at position {position} is negative")]
    Negative {
        /// Counted from 0.
        position: usize,
        /// The weight.
        value: f64,
    },
    /// A weight is infinite or not a number.
    #[error("weight {value} at position {position} is not a finite number")]
    NotFinite {
        /// Counted from 0.
        position: usize,
        /// The weight.
        value: f64,
    },
    /// Every weight is 0.
    #[error("all {count} weights are zero")]
    SumZero {
        /// How many there are.
        count: usize,
    },
    /// A mean that no table of counts is made for.
    #[error("poisson mean {mean} is not between 0 and {MAX_MEAN}")]
    Mean {
        /// The mean.
        mean: f64,
    },
}

/// Items 0, 1, 2, … each with a share of all 64-bit draws.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighted {
    /// The first draw of every item up to the last that can be drawn.
    starts: Vec<u64>,
    /// The item of the first draw of every equal cell of all draws.
    guide: Vec<u32>,
    guide_shift: u32,
    len: usize,
}

impl Weighted {
    /// Shares of all draws in proportion to `weights`, rounded by largest remainder; a weight of 0 is never drawn.
    ///
    /// Weights below 2^-63 of the largest count as 0.
    ///
    /// # Errors
    /// There are no weights, one is negative or not finite, or all are 0.
    pub fn new(weights: &[f64]) -> Result<Self, WeightError> {
        let shares = shares(weights)?;
        let mut starts = Vec::with_capacity(shares.len());
        let mut next = 0u128;
        for share in &shares {
            if next == ALL {
                break;
            }
            starts.push(next as u64);
            next += share;
        }
        let bits = (2 * starts.len()).next_power_of_two().trailing_zeros().min(MAX_GUIDE_BITS);
        let mut weighted = Self { starts, guide: Vec::new(), guide_shift: 64 - bits, len: shares.len() };
        weighted.guide = guide(&weighted.starts, bits);
        Ok(weighted)
    }

    /// The item that the draw `bits` chooses.
    #[inline]
    pub fn pick(&self, bits: u64) -> usize {
        let mut item = self.guide[(bits >> self.guide_shift) as usize] as usize;
        while let Some(start) = self.starts.get(item + 1)
            && *start <= bits
        {
            item += 1;
        }
        item
    }

    /// The item at the point `unit` of the cumulative shares, 0 to 1.
    #[inline]
    pub fn quantile(&self, unit: f64) -> usize {
        // The conversion saturates: 1 is the last draw.
        self.pick((unit * ALL as f64) as u64)
    }

    /// The probability of `item`, as it is drawn; 0 for an item that does not exist.
    pub fn share(&self, item: usize) -> f64 {
        self.run(item).map_or(0.0, |(start, end)| (end - u128::from(start)) as f64 / ALL as f64)
    }

    /// The first draw that chooses `item` and the one after the last; nothing if it is beyond all that can be drawn.
    pub fn run(&self, item: usize) -> Option<(u64, u128)> {
        let start = *self.starts.get(item)?;
        Some((start, self.starts.get(item + 1).map_or(ALL, |end| u128::from(*end))))
    }

    /// How many items there are, with those that are never drawn.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Never true: there is at least one item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The number of draws of every item; together exactly 2^64.
fn shares(weights: &[f64]) -> Result<Vec<u128>, WeightError> {
    let whole = whole_weights(weights)?;
    let total: u128 = whole.iter().sum();
    let mut shares: Vec<u128> = whole.iter().map(|w| w * ALL / total).collect();
    let missing = (ALL - shares.iter().sum::<u128>()) as usize;
    if missing > 0 {
        let remainder = |item: usize| whole[item] * ALL - shares[item] * total;
        let mut order: Vec<(Reverse<u128>, usize)> = (0..shares.len()).map(|i| (Reverse(remainder(i)), i)).collect();
        order.select_nth_unstable(missing - 1);
        for (_, item) in &order[..missing] {
            shares[*item] += 1;
        }
    }
    Ok(shares)
}

/// The weights as integers, so that their sum and their shares are exact.
fn whole_weights(weights: &[f64]) -> Result<Vec<u128>, WeightError> {
    let mut largest = 0.0;
    for (position, &value) in weights.iter().enumerate() {
        if !value.is_finite() {
            return Err(WeightError::NotFinite { position, value });
        }
        if value < 0.0 {
            return Err(WeightError::Negative { position, value });
        }
        if value > largest {
            largest = value;
        }
    }
    match (weights.len(), largest) {
        (0, _) => Err(WeightError::Empty),
        (count, 0.0) => Err(WeightError::SumZero { count }),
        _ => Ok(weights.iter().map(|w| (w / largest * SCALE + 0.5) as u128).collect()),
    }
}

fn guide(starts: &[u64], bits: u32) -> Vec<u32> {
    let mut item = 0;
    (0..1u64 << bits)
        .map(|cell| {
            while starts.get(item + 1).is_some_and(|start| *start <= cell << (64 - bits)) {
                item += 1;
            }
            item as u32
        })
        .collect()
}

/// A distribution over consecutive counts, such as the number of children of a parent.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    first: u64,
    weighted: Weighted,
}

impl Counts {
    /// Counts from `first` on, in proportion to `weights`.
    ///
    /// # Errors
    /// As `Weighted::new`.
    pub fn new(first: u64, weights: &[f64]) -> Result<Self, WeightError> {
        Ok(Self { first, weighted: Weighted::new(weights)? })
    }

    /// The Poisson distribution with `mean` from 0 to 1 000 000.
    ///
    /// # Errors
    /// The mean is outside that range or not a number.
    pub fn poisson(mean: f64) -> Result<Self, WeightError> {
        let table = poisson_table(mean).ok_or(WeightError::Mean { mean })?;
        Self::new(table.first, &table.probabilities)
    }

    /// The count that the draw `bits` chooses: larger draws never give smaller counts.
    #[inline]
    pub fn pick(&self, bits: u64) -> u64 {
        self.first + self.weighted.pick(bits) as u64
    }

    /// The probability of `count`, as it is drawn.
    pub fn share(&self, count: u64) -> f64 {
        count.checked_sub(self.first).map_or(0.0, |item| self.weighted.share(item as usize))
    }

    /// The counts at the middles of `n` equal parts of the distribution, rising: a sample without sampling noise.
    pub fn quantiles(&self, n: usize) -> Vec<u64> {
        let parts = 2 * n as u128;
        // In integers, so that the middle of a part is never rounded into its neighbour.
        (0..n as u128).map(|j| self.pick(((2 * j + 1) * ALL / parts.max(1)) as u64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::key::Key;

    fn weighted(weights: &[f64]) -> Weighted {
        Weighted::new(weights).expect("the weights are good")
    }

    #[test]
    fn bad_weights_are_named() {
        assert_eq!(Weighted::new(&[]), Err(WeightError::Empty));
        assert_eq!(Weighted::new(&[0.0, 0.0]), Err(WeightError::SumZero { count: 2 }));
        assert_eq!(Weighted::new(&[1.0, -2.0]), Err(WeightError::Negative { position: 1, value: -2.0 }));
        let infinite = Weighted::new(&[f64::INFINITY]).expect_err("infinite");
        assert_eq!(infinite.to_string(), "weight inf at position 0 is not a finite number");
        assert!(matches!(Weighted::new(&[1.0, f64::NAN]), Err(WeightError::NotFinite { position: 1, .. })));
        assert_eq!(Counts::poisson(-1.0), Err(WeightError::Mean { mean: -1.0 }));
        assert!(Counts::poisson(f64::NAN).is_err() && Counts::poisson(2e6).is_err());
    }

    #[test]
    fn runs_cover_all_draws_and_zero_weights_none() {
        for weights in [
            vec![1.0],
            vec![1.0, 1.0, 1.0],
            vec![0.0, 0.0, 5.0, 0.0, 1e-9, 0.0],
            vec![1e308, 1e308, 1e-308],
            (0..1000).map(|i| f64::from(i % 7)).collect(),
            (0..5000).map(|i| 1.0 / f64::from(i + 1)).collect(),
        ] {
            let table = weighted(&weights);
            let mut next = 0u128;
            for (item, weight) in weights.iter().enumerate() {
                let Some((start, end)) = table.run(item) else {
                    assert!(table.share(item) == 0.0 && *weight < 1e-300);
                    continue;
                };
                assert_eq!(u128::from(start), next);
                if *weight == 0.0 {
                    assert_eq!(u128::from(start), end);
                } else if end > u128::from(start) {
                    assert_eq!([table.pick(start), table.pick((end - 1) as u64)], [item, item]);
                }
                next = end;
            }
            assert_eq!(next, ALL);
            assert!(weights[table.pick(0)] > 0.0 && weights[table.pick(u64::MAX)] > 0.0);
        }
    }

    #[test]
    fn shares_are_the_weights() {
        let weights: Vec<f64> = (1..=300).map(|i| f64::from(i).sqrt()).collect();
        let sum: f64 = weights.iter().sum();
        let table = weighted(&weights);
        for (item, weight) in weights.iter().enumerate() {
            assert!((table.share(item) - weight / sum).abs() < 1e-15, "{item}");
        }
        assert_eq!((table.len(), table.is_empty(), table.share(300)), (300, false, 0.0));
    }

    #[test]
    fn draws_fit_the_shares() {
        let weights: Vec<f64> = (0..50).map(|i| f64::from(i * i % 11)).collect();
        let table = weighted(&weights);
        let key = Key::from_words(11, 12);
        let draws = 500_000;
        let mut counts = vec![0.0; 50];
        for row in 0..draws {
            counts[table.pick(key.draw(row))] += 1.0;
        }
        let mut square = 0.0;
        for (item, count) in counts.iter().enumerate() {
            let expected = table.share(item) * draws as f64;
            if expected == 0.0 {
                assert_eq!(*count, 0.0);
            } else {
                square += (count - expected) * (count - expected) / expected;
            }
        }
        // 44 degrees of freedom: five standard deviations.
        assert!(square < 44.0 + 5.0 * 88f64.sqrt(), "{square}");
    }

    #[test]
    fn a_larger_draw_never_chooses_an_earlier_item() {
        let table = weighted(&(0..3000).map(|i| f64::from(i * 7919 % 13)).collect::<Vec<_>>());
        let mut draws: Vec<u64> = (0..100_000).map(|row| Key::from_words(1, 1).draw(row)).collect();
        draws.extend(draws.clone().iter().map(|d| d.wrapping_add(1)));
        draws.sort_unstable();
        assert!(draws.is_sorted_by_key(|d| table.pick(*d)));
        assert_eq!([table.quantile(0.0), table.quantile(1.0)], [table.pick(0), table.pick(u64::MAX)]);
        assert_eq!(table.quantile(0.5), table.pick(1 << 63));
    }

    #[test]
    fn poisson_counts_have_their_mean_and_variance() {
        for mean in [0.0, 0.4, 3.0, 250.0, 1e6] {
            let quantiles = Counts::poisson(mean).expect("in range").quantiles(100_000);
            assert!(quantiles.is_sorted());
            let average = quantiles.iter().sum::<u64>() as f64 / 1e5;
            let spread = quantiles.iter().map(|q| (*q as f64 - mean) * (*q as f64 - mean)).sum::<f64>() / 1e5;
            assert!((average - mean).abs() <= 2e-4 * mean.sqrt(), "{mean}: {average}");
            assert!((spread - mean).abs() <= 2e-3 * mean, "{mean}: {spread}");
        }
        assert_eq!(Counts::poisson(0.0).expect("in range").pick(u64::MAX), 0);
    }

    #[test]
    fn quantiles_are_the_middles_of_equal_parts() {
        let counts = Counts::new(5, &[1.0, 2.0, 1.0]).expect("good");
        assert_eq!(counts.quantiles(4), [5, 6, 6, 7]);
        assert_eq!(counts.quantiles(1), [6]);
        assert_eq!(counts.quantiles(0), [0u64; 0]);
        assert_eq!([counts.share(4), counts.share(5), counts.share(6), counts.share(8)], [0.0, 0.25, 0.5, 0.0]);
    }

    #[test]
    fn choices_are_fixed_for_all_time() {
        let key = Key::from_words(43, 44);
        let table = weighted(&(0..500).map(|i| f64::from(i * 31 % 17) + 0.1).collect::<Vec<_>>());
        let means = [0.2, 6.5, 300.0, 1e6].map(|mean| Counts::poisson(mean).expect("in range"));
        let mut hasher = blake3::Hasher::new();
        for row in 0..500 {
            hasher.update(&(table.pick(key.draw(row)) as u64).to_le_bytes());
            for counts in &means {
                hasher.update(&counts.pick(key.draw(row)).to_le_bytes());
            }
        }
        assert_eq!(hasher.finalize().to_hex()[..32], *"639f879a8b14194e7cba223e7cb94326");
    }
}
