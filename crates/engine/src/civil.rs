//! The calendar in whole numbers: days and microseconds since 1970, proleptic Gregorian, UTC. Pure.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime};

/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600 * SECOND_US;
/// Microseconds in a day.
pub const DAY_US: i64 = 24 * HOUR_US;
/// A year in microseconds, of 365.25 days.
pub const YEAR_US: f64 = 365.25 * 86_400e6;

/// A date: year, month 1 to 12, day 1 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// The year.
    pub year: i64,
    /// The month, 1 to 12.
    pub month: u32,
    /// The day, 1 to 31.
    pub day: u32,
}

/// The date of a day since 1970 (days-to-civil, after Howard Hinnant's published derivation).
pub const fn civil(days: i64) -> Civil {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    Civil { year, month, day }
}

/// The day since 1970 of a date; `month` may be 13, meaning January of the next year.
pub const fn days(year: i64, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 12 { (year + 1, month - 12) } else { (year, month) };
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let of_era = y.rem_euclid(400);
    let shifted = if month > 2 { month - 3 } else { month + 9 } as i64;
    let of_year = (153 * shifted + 2) / 5 + day as i64 - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The weekday of a day since 1970, Monday = 0.
pub const fn weekday(days: i64) -> usize {
    (days + 3).rem_euclid(7) as usize
}

/// A part of the calendar that weights can be given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Hour of the day, 0 to 23.
    Hour,
    /// Day of the week, Monday = 0.
    Dow,
    /// Month, January = 0.
    Month,
}

impl Dimension {
    /// The names in specs.
    pub const NAMES: [&'static str; 3] = ["hour", "dow", "month"];
    const ALL: [Self; 3] = [Self::Hour, Self::Dow, Self::Month];

    /// The dimension at a position of [`Self::NAMES`].
    pub const fn nth(at: usize) -> Self {
        Self::ALL[at]
    }

    /// How many parts it has, hence weights it needs.
    pub const fn parts(self) -> usize {
        match self {
            Self::Hour => 24,
            Self::Dow => 7,
            Self::Month => 12,
        }
    }

    /// The position of a time among the weights.
    pub const fn of(self, time_us: i64) -> usize {
        let day = time_us.div_euclid(DAY_US);
        match self {
            Self::Hour => (time_us.rem_euclid(DAY_US) / HOUR_US) as usize,
            Self::Dow => weekday(day),
            Self::Month => civil(day).month as usize - 1,
        }
    }
}

/// A time as specs write it: ISO 8601 with or without a time of day and zone; without a zone it is UTC.
pub fn parse_time(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    for pattern in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), pattern) {
            return Some(time.and_utc().timestamp_micros());
        }
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    (date.year().abs() < 9_999).then(|| date.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

/// A time as people read it, to the second, in UTC.
pub fn show_time(time_us: i64) -> String {
    let Civil { year, month, day } = civil(time_us.div_euclid(DAY_US));
    let second = time_us.rem_euclid(DAY_US) / SECOND_US;
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_with_chrono() {
        for day in (-800_000..800_000).step_by(37) {
            let date = NaiveDate::from_epoch_days(day as i32).unwrap();
            let ours = civil(day);
            assert_eq!((ours.year, ours.month, ours.day), (i64::from(date.year()), date.month(), date.day()));
            assert_eq!(days(ours.year, ours.month, ours.day), day);
            assert_eq!(weekday(day), date.weekday().num_days_from_monday() as usize);
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for text in ["2024-02-29", "2024-02-29T00:00:00Z", "2024-02-29 00:00", "2024-02-29T01:00:00+01:00"] {
            assert_eq!(parse_time(text).map(show_time).as_deref(), Some("2024-02-29T00:00:00Z"), "{text}");
        }
        assert_eq!(parse_time("2024-02-30"), None);
        assert_eq!(parse_time("soon"), None);
    }
}
