//! Which money is meant: the budget of a job, or of a tenant or one of its datasets for a month. Pure.

use std::fmt;

use chrono::{DateTime, Datelike};

use crate::job::{JobId, Name};

/// One budget of a tenant. A call is paid from several at once: they nest.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// What one job may spend.
    Job(JobId),
    /// What all versions of a dataset may spend in a month.
    Dataset(Name, Month),
    /// What the tenant may spend in a month.
    Tenant(Month),
}

/// A month of the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: i32,
    /// From 1 to 12.
    month: u32,
}

impl Month {
    /// The month of a moment, in milliseconds since 1970.
    pub fn of_unix_ms(unix_ms: u64) -> Self {
        let date = i64::try_from(unix_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
        Self { year: date.year(), month: date.month() }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}", self.year, self.month)
    }
}

impl fmt::Display for Scope {
    /// A text without spaces, another for every scope.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => write!(formatter, "job:{job}"),
            Self::Dataset(dataset, month) => write!(formatter, "dataset:{dataset}:{month}"),
            Self::Tenant(month) => write!(formatter, "tenant:{month}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_midnight_of_its_first_day() {
        let months = [(0, "1970-01"), (1_793_491_199_999, "2026-10"), (1_793_491_200_000, "2026-11")];
        for (unix_ms, text) in months {
            assert_eq!(Month::of_unix_ms(unix_ms).to_string(), text);
        }
        let name = Name::new("shop").expect("allowed");
        assert_eq!(Scope::Dataset(name, Month::of_unix_ms(0)).to_string(), "dataset:shop:1970-01");
        assert_eq!(Scope::Tenant(Month::of_unix_ms(0)).to_string(), "tenant:1970-01");
    }
}
