//! When a schedule fires: a cron line, read on the wall clock of a time zone. Pure.
//!
//! Where the wall clock jumps forward, what lies in the gap fires once, at its end. Where it is set back, what lies in the
//! repeated hour fires once, the first time. So a nightly line fires exactly once in every night.

use std::fmt;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::{TZ_VARIANTS, Tz};
use croner::Cron;
use croner::errors::CronError;
use croner::parser::{CronParser, Seconds, Year};
use serde::{Deserialize, Serialize};

use crate::spec::problem::nearest;

/// Missed fires that are counted, at most.
pub const MISSED_MOST: u64 = 1_000;
/// Minutes of the longest jump of a wall clock: some islands have skipped a day.
const JUMP_MINUTES: u32 = 26 * 60;
/// The fields of a cron line.
const FIELDS: usize = 5;

/// A cron line and the time zone in which it is read.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Timing {
    line: String,
    cron: Cron,
    zone: Tz,
}

/// A timing as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    cron: String,
    time_zone: String,
}

/// Why a text is no timing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimingError {
    /// The cron line cannot be read.
    #[error("`{line}` is no cron line: {reason}")]
    Line {
        /// The line.
        line: String,
        /// Where reading stopped.
        reason: String,
    },
    /// No such day comes.
    #[error("`{0}` never fires: there is no such day")]
    Never(String),
    /// There is no such time zone.
    #[error("there is no time zone `{zone}`")]
    Zone {
        /// The name.
        zone: String,
        /// The nearest name that there is.
        nearest: Option<String>,
    },
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The newest time to fire, in milliseconds since 1970.
    pub at_ms: u64,
    /// How many times before it were missed; more than [`MISSED_MOST`] are not counted.
    pub missed: u64,
}

impl Timing {
    /// Reads a cron line of five fields (minute, hour, day of month, month, day of week) and the IANA name of a time zone.
    ///
    /// # Errors
    /// When the line cannot be read or never fires, or there is no such time zone.
    pub fn new(line: &str, zone: &str) -> Result<Self, TimingError> {
        let (cron, zone) = (Self::read_line(line)?, Self::read_zone(zone)?);
        Ok(Self { line: line.split_whitespace().collect::<Vec<_>>().join(" "), cron, zone })
    }

    /// Checks a cron line alone.
    ///
    /// # Errors
    /// When it cannot be read or never fires.
    pub fn check_line(line: &str) -> Result<(), TimingError> {
        Self::read_line(line).map(|_| ())
    }

    /// Checks the name of a time zone alone.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn check_zone(zone: &str) -> Result<(), TimingError> {
        Self::read_zone(zone).map(|_| ())
    }

    fn read_line(line: &str) -> Result<Cron, TimingError> {
        let bad = |reason: String| TimingError::Line { line: line.to_owned(), reason };
        let fields = line.split_whitespace().count();
        if fields != FIELDS {
            return Err(bad(format!("it has {fields} fields")));
        }
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(line).map_err(|error| bad(reason(error)))?;
        let comes = cron.find_next_occurrence(&DateTime::UNIX_EPOCH.naive_utc(), true);
        comes.map_err(|_| TimingError::Never(line.to_owned())).map(|_| cron)
    }

    fn read_zone(zone: &str) -> Result<Tz, TimingError> {
        zone.parse().map_err(|_| TimingError::Zone { zone: zone.to_owned(), nearest: nearest_zone(zone) })
    }

    /// The cron line.
    pub fn line(&self) -> &str {
        &self.line
    }

    /// The name of the time zone.
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// The first time to fire after a time, both in milliseconds since 1970; none when no more comes.
    pub fn next_after(&self, after_ms: u64) -> Option<u64> {
        let mut wall = self.wall(after_ms)?;
        // In a repeated hour, the times ahead on the wall clock have fired before: no hour is longer than a jump.
        for _ in 0..JUMP_MINUTES {
            wall = self.cron.find_next_occurrence(&wall, false).ok()?;
            let at_ms = self.instant(wall)?;
            if at_ms > after_ms {
                return Some(at_ms);
            }
        }
        None
    }

    /// The times to fire after a time and not after another, in order.
    pub fn fires_between(&self, after_ms: u64, until_ms: u64) -> impl Iterator<Item = u64> {
        let following = move |at_ms: &u64| self.next_after(*at_ms);
        std::iter::successors(self.next_after(after_ms), following).take_while(move |at_ms| *at_ms <= until_ms)
    }

    /// What is due of the times after one and not after another: the newest, however many there are.
    pub fn due(&self, after_ms: u64, until_ms: u64) -> Option<Due> {
        let at_ms = self.newest(until_ms).filter(|at_ms| *at_ms > after_ms)?;
        let most = usize::try_from(MISSED_MOST).unwrap_or(usize::MAX);
        let missed = self.fires_between(after_ms, at_ms - 1).take(most).count();
        Some(Due { at_ms, missed: missed as u64 })
    }

    fn newest(&self, until_ms: u64) -> Option<u64> {
        let now = self.wall(until_ms)?;
        let next = |wall: &NaiveDateTime| self.cron.find_next_occurrence(wall, false).ok();
        let has_come = |wall: &NaiveDateTime| self.instant(*wall).is_some_and(|at_ms| at_ms <= until_ms);
        // In a repeated hour, times ahead on the wall clock have come before.
        let ahead = std::iter::successors(next(&now), next).take_while(has_come).take(JUMP_MINUTES as usize).last();
        let newest = ahead.or_else(|| self.cron.find_previous_occurrence(&now, true).ok())?;
        self.instant(newest)
    }

    /// What the wall clock shows, to the second.
    fn wall(&self, at_ms: u64) -> Option<NaiveDateTime> {
        let time = DateTime::from_timestamp_millis(i64::try_from(at_ms).ok()?)?;
        time.with_timezone(&self.zone).naive_local().with_nanosecond(0)
    }

    /// When the wall clock first shows a time; the end of the gap when it never does.
    fn instant(&self, wall: NaiveDateTime) -> Option<u64> {
        let shown = |minutes: u32| match self.zone.from_local_datetime(&(wall + TimeDelta::minutes(minutes.into()))) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.timestamp_millis()),
            LocalResult::None => None,
        };
        (0..=JUMP_MINUTES).find_map(shown).and_then(|at_ms| u64::try_from(at_ms).ok())
    }
}

impl PartialEq for Timing {
    fn eq(&self, other: &Self) -> bool {
        (&self.line, self.zone) == (&other.line, other.zone)
    }
}

impl Eq for Timing {}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.line, self.zone())
    }
}

impl TryFrom<Written> for Timing {
    type Error = TimingError;

    fn try_from(written: Written) -> Result<Self, TimingError> {
        Self::new(&written.cron, &written.time_zone)
    }
}

impl From<Timing> for Written {
    fn from(timing: Timing) -> Self {
        Self { time_zone: timing.zone().to_owned(), cron: timing.line }
    }
}

/// What the parser says, in our way of writing.
fn reason(error: CronError) -> String {
    let text = match error {
        CronError::InvalidPattern(text) | CronError::IllegalCharacters(text) | CronError::ComponentError(text) => text,
        other => other.to_string(),
    };
    let text = text.trim_end_matches('.');
    let first = text.chars().next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(text.chars().skip(1)).collect()
}

/// The zone that was meant: one of that city, else one that is spelled much like it.
fn nearest_zone(text: &str) -> Option<String> {
    let city = |name: &str| name.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(text));
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    names().find(|name| city(name)).map(str::to_owned).or_else(|| nearest(text, names()))
}

#[cfg(test)]
mod tests;
