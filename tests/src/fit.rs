//! Goodness of fit for tests: fixed seeds, so a test that passes once passes always.
//!
//! Thresholds stand at a chance of about one in a million: no honest generator fails by bad luck of its seed.

use std::rc::Rc;

use shardmill_engine::math::{gamma_cdf, normal_cdf};
use shardmill_engine::measure::measure;
use shardmill_engine::{Scratch, Tables};

/// Rows that are made at once.
const BATCH: u64 = 1 << 16;
/// 2·exp(-2c²) = 10^-6 (Kolmogorov's distribution for many values).
const KOLMOGOROV: f64 = 2.694;
/// The chance below which a figure is no accident.
const CHANCE: f64 = 1e-6;
/// Cells of a histogram are pooled until each expects so many.
const EXPECTED_MIN: f64 = 10.0;

/// A column of a whole table on the number line; nulls are left out.
pub fn values(tables: &Tables, table: &str, column: &str) -> Vec<f64> {
    values_or_null(tables, table, column).into_iter().flatten().collect()
}

/// A column of a whole table on the number line.
pub fn values_or_null(tables: &Tables, table: &str, column: &str) -> Vec<Option<f64>> {
    let at = tables.find(table).unwrap_or_else(|| panic!("no table {table}"));
    let rows = tables.rows(at).unwrap();
    let scratch = Rc::new(Scratch::default());
    let mut values = Vec::with_capacity(rows as usize);
    for start in (0..rows).step_by(BATCH as usize) {
        let batch = tables.batch(at, start..(start + BATCH).min(rows), &scratch).unwrap();
        let array = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
        values.extend(&measure(array).unwrap());
    }
    values
}

/// Asserts that values follow a continuous distribution (Kolmogorov–Smirnov).
pub fn follows(name: &str, values: &[f64], cdf: impl Fn(f64) -> f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let mut distance: f64 = 0.0;
    for (at, value) in sorted.iter().enumerate() {
        let share = cdf(*value);
        distance = distance.max(share - at as f64 / count).max((at + 1) as f64 / count - share);
    }
    let score = distance * count.sqrt();
    assert!(score < KOLMOGOROV, "{name}: {distance} away over {count} values, a score of {score}");
}

/// Asserts that counts follow shares (chi-square); a share of 0 allows nothing at all.
pub fn shares(name: &str, counts: &[u64], shares: &[f64]) {
    assert_eq!(counts.len(), shares.len(), "{name}");
    let all = counts.iter().sum::<u64>() as f64;
    let sum: f64 = shares.iter().sum();
    let (mut score, mut cells) = (0.0, 0u32);
    let (mut seen, mut wanted) = (0.0, 0.0);
    for (at, (count, share)) in counts.iter().zip(shares).enumerate() {
        assert!(*share > 0.0 || *count == 0, "{name}: {count} values in cell {at}, where none may be");
        seen += *count as f64;
        wanted += all * share / sum;
        let is_last = at + 1 == counts.len();
        if wanted >= EXPECTED_MIN || (is_last && wanted > 0.0) {
            score += (seen - wanted) * (seen - wanted) / wanted.max(1.0);
            cells += 1;
            (seen, wanted) = (0.0, 0.0);
        }
    }
    assert!(cells > 1, "{name}: one cell proves nothing");
    let chance = 1.0 - gamma_cdf(f64::from(cells - 1) / 2.0, score / 2.0);
    assert!(chance > CHANCE, "{name}: chi-square {score} over {cells} cells: {counts:?}");
}

/// Asserts that `hits` of `all` is what a share gives (normal approximation).
pub fn rate(name: &str, hits: usize, all: usize, share: f64) {
    let (hits, all) = (hits as f64, all as f64);
    let deviation = (hits - all * share) / (all * share * (1.0 - share)).sqrt();
    let chance = 2.0 * (1.0 - normal_cdf(deviation.abs()));
    assert!(chance > CHANCE, "{name}: {hits} of {all}, expected a share of {share}");
}

/// How often each whole number below `cells` is among the values.
pub fn histogram(values: &[f64], cells: usize) -> Vec<u64> {
    let mut counts = vec![0; cells];
    for value in values {
        counts[*value as usize] += 1;
    }
    counts
}

/// The mean.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
