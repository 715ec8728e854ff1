//! How many rows there will be: a number, or an interval until a counting stage has counted. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A count of rows that is known, or known to lie between two bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Rows {
    /// Exactly so many.
    Exact(u64),
    /// Not fewer and not more than this, both included.
    Between {
        /// The fewest.
        least: u64,
        /// The most.
        most: u64,
    },
}

impl Rows {
    /// The count, once it is known.
    pub fn exact(self) -> Option<u64> {
        match self {
            Self::Exact(count) => Some(count),
            Self::Between { .. } => None,
        }
    }

    /// The fewest it can be.
    pub fn least(self) -> u64 {
        match self {
            Self::Exact(count) => count,
            Self::Between { least, .. } => least,
        }
    }

    /// The most it can be.
    pub fn most(self) -> u64 {
        match self {
            Self::Exact(count) => count,
            Self::Between { most, .. } => most,
        }
    }

    /// Whether `count` is possible.
    pub fn allows(self, count: u64) -> bool {
        (self.least()..=self.most()).contains(&count)
    }

    /// The sum, or nothing beyond `u64`.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let least = self.least().checked_add(other.least())?;
        let most = self.most().checked_add(other.most())?;
        Some(match (self, other) {
            (Self::Exact(_), Self::Exact(_)) => Self::Exact(least),
            _ => Self::Between { least, most },
        })
    }
}

impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(count) => write!(f, "{count}"),
            Self::Between { least, most } => write!(f, "{least} to {most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_keep_what_is_exact_and_stop_at_the_end() {
        let between = Rows::Between { least: 1, most: 3 };
        assert_eq!(Rows::Exact(2).checked_add(Rows::Exact(3)), Some(Rows::Exact(5)));
        assert_eq!(Rows::Exact(2).checked_add(between), Some(Rows::Between { least: 3, most: 5 }));
        assert_eq!(Rows::Exact(u64::MAX).checked_add(between), None);
        assert!(between.allows(3) && !between.allows(4) && !between.allows(0));
    }

    #[test]
    fn both_forms_read_what_they_write() {
        for rows in [Rows::Exact(7), Rows::Between { least: 1, most: 9 }] {
            let text = serde_json::to_string(&rows).expect("writes");
            assert_eq!(serde_json::from_str::<Rows>(&text).expect("reads"), rows);
        }
    }
}
