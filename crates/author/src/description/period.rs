//! Times in a description: `in 2024`, `last two years`, `from 2023-01 to 2023-06`, `90 days`. The day is given. Pure.

use std::ops::Range;

use chrono::{Datelike, Days, Months, NaiveDate};

use super::amount::number;
use super::word::Word;

/// The longest time that is believed, in years: beyond it the number means something else.
const YEARS_MAX: f64 = 200.0;
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// A time from one day to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first day.
    pub start: NaiveDate,
    /// The last day.
    pub end: NaiveDate,
}

/// The first time that a description names, and the words that name it.
pub(super) fn period(words: &[Word], today: NaiveDate) -> Option<(Period, Range<usize>)> {
    (0..words.len()).find_map(|at| {
        let (period, end) =
            span(words, at, today).or_else(|| recent(words, at, today)).or_else(|| single(words, at))?;
        (period.start <= period.end).then_some((period, at..end))
    })
}

fn text(words: &[Word], at: usize) -> &str {
    words.get(at).map_or("", |word| word.text.as_str())
}

/// `from A to B`, `between A and B`, `A to B`, `A-B`, `since A`.
fn span(words: &[Word], at: usize, today: NaiveDate) -> Option<(Period, usize)> {
    if text(words, at) == "since" {
        let (from, end) = point(words, at + 1)?;
        return Some((Period { start: from.start, end: today }, end));
    }
    if let Some((front, back)) = text(words, at).split_once('-')
        && let (Some(front), Some(back)) = (year(front), year(back))
    {
        return Some((Period { start: front.start, end: back.end }, at + 1));
    }
    let is_led = matches!(text(words, at), "from" | "between");
    let (from, end) = point(words, at + usize::from(is_led))?;
    let joins = match text(words, end) {
        "to" | "until" | "till" | "through" | "thru" => true,
        "and" => text(words, at) == "between",
        _ => false,
    };
    let (to, end) = point(words, end + usize::from(joins)).filter(|_| joins)?;
    Some((Period { start: from.start, end: to.end }, end))
}

/// `last two years`, `past 90 days`, `last year`, `this year`, `90 days of`, `over 6 months`.
fn recent(words: &[Word], at: usize, today: NaiveDate) -> Option<(Period, usize)> {
    let lead = text(words, at);
    let yesterday = today.pred_opt()?;
    match (lead, text(words, at + 1)) {
        ("last" | "previous", "year") => return Some((year_of(today.year() - 1)?, at + 2)),
        ("this" | "current", "year") => return Some((year_of(today.year())?, at + 2)),
        ("last" | "past" | "previous", unit) if months_in(unit).is_some() || days_in(unit).is_some() => {
            return Some((Period { start: back(today, 1.0, unit)?, end: yesterday }, at + 2));
        }
        _ => {}
    }
    let is_led = matches!(lead, "last" | "past" | "previous" | "over" | "for" | "of" | "spanning" | "covering");
    let from = at + usize::from(is_led);
    // `the last`, `over the past`: whatever leads is read when the search comes to it.
    let hyphened = text(words, from).split_once('-').and_then(|(count, unit)| Some((count.parse().ok()?, unit)));
    let (count, unit, end) = match hyphened {
        Some((count, unit)) => (count, unit, from + 1),
        None => {
            let (count, at) = number(words, from)?;
            (count, text(words, at), at + 1)
        }
    };
    Some((Period { start: back(today, count, unit)?, end: yesterday }, end))
}

fn months_in(unit: &str) -> Option<f64> {
    match unit {
        "month" | "months" => Some(1.0),
        "quarter" | "quarters" => Some(3.0),
        "year" | "years" => Some(12.0),
        _ => None,
    }
}

fn days_in(unit: &str) -> Option<f64> {
    match unit {
        "day" | "days" => Some(1.0),
        "week" | "weeks" => Some(7.0),
        _ => None,
    }
}

/// The day so many units before another.
fn back(today: NaiveDate, count: f64, unit: &str) -> Option<NaiveDate> {
    let (months, days) = (months_in(unit).map(|m| m * count), days_in(unit).map(|d| d * count));
    let is_believed = |part: f64, in_year: f64| part >= 1.0 && part <= YEARS_MAX * in_year;
    match (months, days) {
        (Some(months), _) if is_believed(months, 12.0) => today.checked_sub_months(Months::new(months as u32)),
        (_, Some(days)) if is_believed(days, 366.0) => today.checked_sub_days(Days::new(days as u64)),
        _ => None,
    }
}

/// `in 2024`, `during March 2024`, `Q1 2024`, `2024-05`; a bare year only where nothing follows that it could count.
fn single(words: &[Word], at: usize) -> Option<(Period, usize)> {
    let is_led = matches!(text(words, at), "in" | "during" | "throughout" | "year");
    let (found, end) = point(words, at + usize::from(is_led))?;
    let is_bare_year = end == at + 1 && year(text(words, at)).is_some();
    let counts = words.get(end).is_some_and(|next| !next.is_apart && !is_small(&next.text));
    (is_led || !is_bare_year || !counts).then_some((found, end))
}

/// Words after which no thing is counted.
fn is_small(word: &str) -> bool {
    matches!(word, "and" | "with" | "to" | "for" | "in" | "at" | "only" | "data" | "on" | "until")
}

/// A day, month, quarter or year, and where it ends.
fn point(words: &[Word], at: usize) -> Option<(Period, usize)> {
    let (one, two) = (text(words, at), text(words, at + 1));
    if let Some(found) = day(one).or_else(|| month(one)).or_else(|| quarter(one)) {
        return Some((found, at + 1));
    }
    let year_after = year(two).map(|found| found.start.year());
    if let (Some(number), Some(year)) = (month_name(one), year_after) {
        return Some((month_of(year, number)?, at + 2));
    }
    if let (Some(number), Some(year)) = (one.strip_prefix('q').and_then(|q| q.parse().ok()), year_after) {
        return Some((quarter_of(year, number)?, at + 2));
    }
    year(one).map(|found| (found, at + 1))
}

fn month_name(text: &str) -> Option<u32> {
    let is = |name: &&str| {
        *name == text || (text.len() == 3 && name.starts_with(text)) || (text, *name) == ("sept", "september")
    };
    MONTHS.iter().position(is).map(|at| at as u32 + 1)
}

fn day(text: &str) -> Option<Period> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|day| (1000..=9999).contains(&day.year()))?;
    Some(Period { start: day, end: day })
}

fn month(text: &str) -> Option<Period> {
    let (front, back) = text.split_once('-')?;
    let year = year(front)?.start.year();
    month_of(year, back.parse().ok().filter(|_| back.len() <= 2)?)
}

fn quarter(text: &str) -> Option<Period> {
    let (front, back) = text.split_once('-')?;
    let (year, quarter) =
        year(front).zip(back.strip_prefix('q')).or_else(|| year(back).zip(front.strip_prefix('q')))?;
    quarter_of(year.start.year(), quarter.parse().ok()?)
}

fn year(text: &str) -> Option<Period> {
    let number: i32 = text.parse().ok().filter(|_| text.len() == 4)?;
    if (1900..=2199).contains(&number) { year_of(number) } else { None }
}

fn year_of(year: i32) -> Option<Period> {
    Some(Period { start: NaiveDate::from_ymd_opt(year, 1, 1)?, end: NaiveDate::from_ymd_opt(year, 12, 31)? })
}

fn quarter_of(year: i32, quarter: u32) -> Option<Period> {
    let start = NaiveDate::from_ymd_opt(year, (1..=4).contains(&quarter).then(|| quarter * 3 - 2)?, 1)?;
    Some(Period { start, end: start.checked_add_months(Months::new(3))?.pred_opt()? })
}

fn month_of(year: i32, month: u32) -> Option<Period> {
    let start = NaiveDate::from_ymd_opt(year, month, 1)?;
    Some(Period { start, end: start.checked_add_months(Months::new(1))?.pred_opt()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::word::words;

    fn read(text: &str) -> Option<String> {
        let today = NaiveDate::from_ymd_opt(2026, 3, 15).expect("a day");
        period(&words(text), today).map(|(period, _)| format!("{} {}", period.start, period.end))
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, wanted) in [
            ("orders in 2024", "2024-01-01 2024-12-31"),
            ("orders of 2023", "2023-01-01 2023-12-31"),
            ("sales 2022-2024", "2022-01-01 2024-12-31"),
            ("sales 2022–2024", "2022-01-01 2024-12-31"),
            ("from 2023-01 to 2023-06", "2023-01-01 2023-06-30"),
            ("from 2023-01-15 until 2023-02-03", "2023-01-15 2023-02-03"),
            ("between March 2023 and May 2024", "2023-03-01 2024-05-31"),
            ("from 2021 through 2022", "2021-01-01 2022-12-31"),
            ("Jan 2024 to Mar 2024", "2024-01-01 2024-03-31"),
            ("in Q1 2024", "2024-01-01 2024-03-31"),
            ("2024-Q2", "2024-04-01 2024-06-30"),
            ("in February 2024", "2024-02-01 2024-02-29"),
            ("since 2025", "2025-01-01 2026-03-15"),
            ("the last two years", "2024-03-15 2026-03-14"),
            ("over the past 6 months", "2025-09-15 2026-03-14"),
            ("last year", "2025-01-01 2025-12-31"),
            ("last month", "2026-02-15 2026-03-14"),
            ("this year", "2026-01-01 2026-12-31"),
            ("90 days of readings", "2025-12-15 2026-03-14"),
            ("a 90-day history", "2025-12-15 2026-03-14"),
            ("two weeks", "2026-03-01 2026-03-14"),
        ] {
            assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["2024 users", "5k users", "a may flower", "10 day-trippers", "999999 years", "from 2024 to 1999 x"]
        {
            let read = read(text);
            assert!(read.is_none() || text.starts_with("from"), "{text}: {read:?}");
        }
    }
}
