//! How many rows break a rule, and the first of them. Pure.

use super::report::Detail;

/// How many rows are shown of those that break a rule.
pub const SAMPLES_MAX: usize = 5;

/// Rows seen, and those among them that break a rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows whose value was judged; nulls are not.
    pub checked: u64,
    /// Rows that break the rule.
    pub violations: u64,
    /// The first of them: row number and value.
    pub samples: Vec<(u64, String)>,
}

impl Tally {
    /// One more row that breaks the rule.
    pub fn violation(&mut self, row: u64, value: impl FnOnce() -> String) {
        self.violations += 1;
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push((row, value()));
        }
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        self.checked += other.checked;
        self.violations += other.violations;
        self.samples.extend(other.samples);
        self.samples.sort();
        self.samples.truncate(SAMPLES_MAX);
    }

    /// The figures for a report.
    pub fn details(&self) -> Vec<(&'static str, Detail)> {
        let samples = self.samples.iter().map(|(row, value)| format!("row {row}: {value}")).collect();
        vec![
            ("total", Detail::Count(self.checked)),
            ("violations", Detail::Count(self.violations)),
            ("samples", Detail::List(samples)),
        ]
    }

    /// One line: how many of how many `what`, and the first.
    pub fn message(&self, what: &str) -> String {
        match self.samples.first() {
            None => format!("{} values, no violations", self.checked),
            Some((row, value)) => {
                format!("{} of {} values {what}; the first is {value} in row {row}", self.violations, self.checked)
            }
        }
    }
}

/// The least and the greatest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Extremes {
    /// The least; infinite when there are none.
    pub least: f64,
    /// The greatest; infinite when there are none.
    pub greatest: f64,
}

impl Extremes {
    /// Of no numbers.
    pub const NONE: Self = Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY };

    /// One more number.
    pub fn see(&mut self, number: f64) {
        self.least = self.least.min(number);
        self.greatest = self.greatest.max(number);
    }

    /// Adds what was seen elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
    }

    /// Both, unless there were no numbers.
    pub fn ends(&self) -> Option<(f64, f64)> {
        (self.least <= self.greatest).then_some((self.least, self.greatest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_violations_are_kept_in_any_order_of_merging() {
        let part = |rows: std::ops::Range<u64>| {
            let mut tally = Tally { checked: rows.end - rows.start, ..Tally::default() };
            rows.for_each(|row| tally.violation(row, || "x".to_owned()));
            tally
        };
        let (mut forward, mut backward) = (part(0..4), part(4..10));
        forward.merge(part(4..10));
        backward.merge(part(0..4));
        assert_eq!(forward, backward);
        assert_eq!(forward.violations, 10);
        assert_eq!(forward.samples.iter().map(|sample| sample.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn extremes_of_nothing_are_none() {
        let mut extremes = Extremes::NONE;
        assert_eq!(extremes.ends(), None);
        extremes.see(2.0);
        extremes.merge(Extremes { least: -1.0, greatest: 1.0 });
        assert_eq!(extremes.ends(), Some((-1.0, 2.0)));
    }
}
