//! How many tests passed, failed and were skipped, read from the runners' closing lines. Pure.

use std::fmt;
use std::ops::Add;

/// Counts of tests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// The counts in `line`, if it is the closing line of nextest or of one `cargo test` executable.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let counts = match line.trim_start().strip_prefix("Summary [") {
            Some(summary) => summary.split_once(" run:")?.1,
            None => line.strip_prefix("test result: ")?.split_once('.')?.1,
        };
        let tally = counts.split([',', ';']).filter_map(Self::part).fold(Self::default(), Self::add);
        Some(tally)
    }

    /// One part such as `4 passed (1 slow)`; an unknown word counts nothing.
    fn part(text: &str) -> Option<Self> {
        let (number, word) = text.trim().split_once(' ')?;
        let number = number.parse().ok()?;
        let word = word.split(" (").next()?;
        Some(match word {
            "passed" => Self { passed: number, ..Self::default() },
            "failed" | "timed out" | "exec failed" => Self { failed: number, ..Self::default() },
            "skipped" | "ignored" | "filtered out" => Self { skipped: number, ..Self::default() },
            _ => return None,
        })
    }
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_both_runners_are_read() {
        let cases = [
            ("     Summary [   0.011s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped", (4, 1, 2)),
            ("     Summary [   9.000s] 1 test run: 0 passed, 1 timed out, 0 skipped", (0, 1, 0)),
            ("     Summary [   1.000s] 3/9 tests run: 2 passed, 1 exec failed, 0 skipped", (2, 1, 0)),
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.02s",
                (3, 0, 3),
            ),
            (
                "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1s",
                (3, 2, 0),
            ),
        ];
        for (line, (passed, failed, skipped)) in cases {
            assert_eq!(Tally::read(line), Some(Tally { passed, failed, skipped }), "{line}");
        }
    }

    #[test]
    fn other_lines_count_nothing() {
        for line in ["", "running 3 tests", "test a::b ... ok", "4 passed, 1 failed", "Summary"] {
            assert_eq!(Tally::read(line), None, "{line}");
        }
    }

    #[test]
    fn the_sum_is_shown_in_the_plain_form() {
        let sum = Tally { passed: 2, failed: 1, skipped: 0 } + Tally { passed: 3, failed: 0, skipped: 4 };
        assert_eq!(sum.to_string(), "5 passed, 1 failed, 4 skipped");
    }
}
