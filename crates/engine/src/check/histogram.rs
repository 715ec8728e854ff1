//! When rows occur, by parts of the calendar, against when some patterns say they should. Pure.

use super::tally::Extremes;
use crate::civil::{Dimension, HOUR_US};
use crate::generators::calendar::Pattern;

/// Cells with a smaller expected share are not compared: their relative error is noise.
const SHARE_MIN: f64 = 0.003;

/// The widest window that is compared, 200 years of hours: it bounds the work where a time is wrong by millennia.
const HOURS_MAX: i64 = 200 * 8_766;

/// How many times fall into each cell of the product of some dimensions.
#[derive(Clone, Debug)]
pub struct Histogram {
    dimensions: Vec<Dimension>,
    counts: Vec<u64>,
    first_us: i64,
    last_us: i64,
}

/// How far the shares are from those expected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Deviation {
    /// The mean absolute error.
    pub mae: f64,
    /// The mean absolute error relative to the expected share, in percent.
    pub mape: f64,
    /// The cells compared.
    pub cells: u64,
}

impl Histogram {
    /// Of the dimensions that `patterns` speak of, before the first time.
    pub fn new(patterns: &[Pattern]) -> Self {
        let spoken = |dimension: &Dimension| patterns.iter().any(|pattern| pattern.dimension == *dimension);
        let all = (0..Dimension::NAMES.len()).map(Dimension::nth);
        let dimensions: Vec<Dimension> = all.filter(spoken).collect();
        let cells = dimensions.iter().map(|dimension| dimension.parts()).product();
        Self { dimensions, counts: vec![0; cells], first_us: i64::MAX, last_us: i64::MIN }
    }

    /// Adds a time.
    pub fn see(&mut self, time_us: i64) {
        let cell = self.cell(time_us);
        self.counts[cell] += 1;
        self.first_us = self.first_us.min(time_us);
        self.last_us = self.last_us.max(time_us);
    }

    /// Adds the times of another histogram over the same patterns.
    pub fn merge(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += other);
        self.first_us = self.first_us.min(other.first_us);
        self.last_us = self.last_us.max(other.last_us);
    }

    /// All times.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The deviation from `patterns`, each hour of the observed window weighing as much of it as was observed. `length_us`
    /// is how long one observation lasts: an instant for times, a day for dates. `None` when there is nothing to compare.
    pub fn deviation(&self, patterns: &[Pattern], length_us: i64) -> Option<Deviation> {
        let expected = self.expected(patterns, length_us)?;
        let total = self.total() as f64;
        let found: Vec<f64> = self.counts.iter().map(|count| *count as f64 / total).collect();
        let compared: f64 = expected.iter().filter(|share| **share >= SHARE_MIN).sum();
        if compared >= 0.5 {
            return deviation(expected.iter().copied().zip(found));
        }
        // The cells are too fine to be compared, as those of hour by weekday by month are: each dimension by itself.
        let margins = (0..self.dimensions.len())
            .flat_map(|at| self.margin(&expected, at).into_iter().zip(self.margin(&found, at)));
        deviation(margins)
    }

    /// The expected share of every cell; they sum to 1.
    fn expected(&self, patterns: &[Pattern], length_us: i64) -> Option<Vec<f64>> {
        if self.first_us > self.last_us {
            return None;
        }
        let end_us = self.last_us.saturating_add(length_us);
        let (first, last) = (self.first_us.div_euclid(HOUR_US), (end_us - 1).div_euclid(HOUR_US));
        if last - first > HOURS_MAX {
            return None;
        }
        let mut shares = vec![0.0; self.counts.len()];
        for hour in first..=last {
            let begin = hour * HOUR_US;
            let observed = (begin + HOUR_US).min(end_us) - begin.max(self.first_us);
            let weights = patterns.iter().map(|pattern| pattern.weights[pattern.dimension.of(begin)]);
            shares[self.cell(begin)] += observed as f64 * weights.product::<f64>();
        }
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        (sum > 0.0).then_some(shares)
    }

    fn cell(&self, time_us: i64) -> usize {
        self.dimensions.iter().fold(0, |cell, dimension| cell * dimension.parts() + dimension.of(time_us))
    }

    /// The shares summed over all dimensions but one.
    fn margin(&self, shares: &[f64], dimension: usize) -> Vec<f64> {
        let finer: usize = self.dimensions[dimension + 1..].iter().map(|dimension| dimension.parts()).product();
        let length = self.dimensions[dimension].parts();
        let mut margin = vec![0.0; length];
        shares.iter().enumerate().for_each(|(cell, share)| margin[cell / finer % length] += share);
        margin
    }
}

impl Extremes {
    /// The first and the last time of a histogram, in microseconds since 1970.
    pub fn of_times(histogram: &Histogram) -> Self {
        let mut extremes = Self::NONE;
        if histogram.first_us <= histogram.last_us {
            extremes.see(histogram.first_us as f64);
            extremes.see(histogram.last_us as f64);
        }
        extremes
    }
}

/// Of pairs of expected and found shares, those that are expected often enough.
fn deviation(pairs: impl Iterator<Item = (f64, f64)>) -> Option<Deviation> {
    let compared = pairs.filter(|(expected, _)| *expected >= SHARE_MIN);
    let (cells, error, relative) = compared.fold((0u64, 0.0, 0.0), |(cells, error, relative), (expected, found)| {
        let distance = (found - expected).abs();
        (cells + 1, error + distance, relative + distance / expected)
    });
    let mean = |sum: f64| sum / cells as f64;
    (cells > 0).then(|| Deviation { mae: mean(error), mape: 100.0 * mean(relative), cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::civil::DAY_US;

    fn pattern(dimension: Dimension, weights: Vec<f64>) -> Pattern {
        Pattern { dimension, weights }
    }

    fn weekdays() -> Pattern {
        pattern(Dimension::Dow, vec![1.0, 1.0, 1.0, 1.0, 1.0, 3.0, 2.0])
    }

    #[test]
    fn rows_that_follow_the_weights_deviate_by_nothing() {
        let patterns = [weekdays()];
        let mut histogram = Histogram::new(&patterns);
        for hour in 0..28 * 24 {
            let time = hour * HOUR_US;
            (0..patterns[0].weights[Dimension::Dow.of(time)] as u64).for_each(|_| histogram.see(time));
        }
        let found = histogram.deviation(&patterns, HOUR_US).unwrap();
        assert!(found.mae < 1e-12 && found.mape < 1e-9 && found.cells == 7, "{found:?}");
    }

    #[test]
    fn evenly_spread_rows_deviate_from_weights() {
        let mut histogram = Histogram::new(&[weekdays()]);
        (0..28).for_each(|day| histogram.see(day * DAY_US));
        let found = histogram.deviation(&[weekdays()], DAY_US).unwrap();
        // 1/7 against 0.1 on five days, 0.3 and 0.2 on the others.
        assert!((found.mae - (5.0 * (1.0 / 7.0 - 0.1) + (0.3 - 1.0 / 7.0) + (0.2 - 1.0 / 7.0)) / 7.0).abs() < 1e-12);
        assert!(found.mape > 30.0);
    }

    #[test]
    fn days_outside_the_window_are_not_expected() {
        let patterns = [weekdays()];
        let mut histogram = Histogram::new(&patterns);
        // Day 0 was a Thursday: Thursday and Friday only.
        (0..2).for_each(|day| histogram.see(day * DAY_US));
        let found = histogram.deviation(&patterns, DAY_US).unwrap();
        assert_eq!(found, Deviation { mae: 0.0, mape: 0.0, cells: 2 });
    }

    #[test]
    fn cells_that_are_too_fine_are_compared_by_dimension() {
        let patterns = [pattern(Dimension::Hour, vec![1.0; 24]), pattern(Dimension::Month, vec![1.0; 12]), weekdays()];
        let mut histogram = Histogram::new(&patterns);
        (0..365 * 24).for_each(|hour| histogram.see(hour * HOUR_US));
        let found = histogram.deviation(&patterns, HOUR_US).unwrap();
        assert_eq!(found.cells, 24 + 7 + 12);
        assert!(found.mae > 0.01);
    }

    #[test]
    fn nothing_and_absurd_windows_are_not_compared() {
        let mut histogram = Histogram::new(&[weekdays()]);
        assert_eq!(histogram.deviation(&[weekdays()], 1), None);
        histogram.see(i64::MIN);
        histogram.see(i64::MAX);
        assert_eq!(histogram.deviation(&[weekdays()], 1), None);
    }
}
