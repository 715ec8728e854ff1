//! Functions of dates and times. A date counts as its midnight, weeks start on Monday, all is UTC. Pure.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Date32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use chrono::format::{Item, StrftimeItems};
use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, Timelike};

use super::FunctionInfo;
use crate::expression::cast::times;
use crate::expression::operand::{Call, DAY_US, Refusal, refused};
use crate::value::Type;

/// Microseconds in a second.
const SECOND_US: i64 = 1_000_000;
/// Microseconds in a minute.
const MINUTE_US: i64 = 60 * SECOND_US;
/// Microseconds in an hour.
const HOUR_US: i64 = 60 * MINUTE_US;

/// The group's functions.
pub(super) const FUNCTIONS: [FunctionInfo; 23] = [
    FunctionInfo::new("year", "year(t: moment) -> int", "The year.", |call| part(call, |t| t.year().into()))
        .example("year('2024-02-29')", "2024"),
    FunctionInfo::new("quarter", "quarter(t: moment) -> int", "The quarter, 1 to 4.", |call| {
        part(call, |t| (t.month0() / 3 + 1).into())
    })
    .example("quarter('2024-05-01')", "2"),
    FunctionInfo::new("month", "month(t: moment) -> int", "The month, 1 to 12.", |call| {
        part(call, |t| t.month().into())
    })
    .example("month('2024-02-29')", "2"),
    FunctionInfo::new("week", "week(t: moment) -> int", "The ISO week, 1 to 53.", |call| {
        part(call, |t| t.iso_week().week().into())
    })
    .example("week('2024-12-30')", "1"),
    FunctionInfo::new("day", "day(t: moment) -> int", "The day of the month, 1 to 31.", |call| {
        part(call, |t| t.day().into())
    })
    .example("day('2024-02-29')", "29"),
    FunctionInfo::new("day_of_year", "day_of_year(t: moment) -> int", "The day of the year, 1 to 366.", |call| {
        part(call, |t| t.ordinal().into())
    })
    .example("day_of_year('2024-12-31')", "366"),
    FunctionInfo::new("dow", "dow(t: moment) -> int", "The day of the week, Monday = 0.", |call| {
        part(call, |t| t.weekday().num_days_from_monday().into())
    })
    .example("dow('2024-02-29')", "3"),
    FunctionInfo::new(
        "is_weekend",
        "is_weekend(t: moment) -> bool",
        "Whether it is a Saturday or a Sunday.",
        is_weekend,
    )
    .example("is_weekend('2024-03-02')", "true"),
    FunctionInfo::new("hour", "hour(t: moment) -> int", "The hour, 0 to 23.", |call| part(call, |t| t.hour().into()))
        .example("hour('2024-02-29T13:45:10')", "13"),
    FunctionInfo::new("minute", "minute(t: moment) -> int", "The minute, 0 to 59.", |call| {
        part(call, |t| t.minute().into())
    })
    .example("minute('2024-02-29T13:45:10')", "45"),
    FunctionInfo::new("second", "second(t: moment) -> int", "The second, 0 to 59.", |call| {
        part(call, |t| t.second().into())
    })
    .example("second('2024-02-29T13:45:10')", "10"),
    FunctionInfo::new(
        "date_trunc",
        "date_trunc(unit: string, t: moment) -> moment",
        "The start of the year, quarter, month, week, day, hour, minute or second.",
        truncate,
    )
    .example("date_trunc('month', date('2024-02-29'))", "2024-02-01"),
    FunctionInfo::new(
        "strftime",
        "strftime(t: moment, format: string) -> string",
        "A date or datetime as text, by the codes of C's strftime.",
        format_time,
    )
    .example("strftime('2024-02-29', '%d.%m.%Y')", "29.02.2024"),
    FunctionInfo::new(
        "format_time",
        "format_time(t: moment, format: string) -> string",
        "The same as `strftime`.",
        format_time,
    )
    .example("format_time('2024-02-29', '%Y-%m')", "2024-02"),
    FunctionInfo::new(
        "add_seconds",
        "add_seconds(t: datetime, n: float) -> datetime",
        "So many seconds later.",
        |call| later(call, SECOND_US),
    )
    .example("add_seconds('2024-02-29', 1.5)", "2024-02-29T00:00:01.500Z"),
    FunctionInfo::new(
        "add_minutes",
        "add_minutes(t: datetime, n: float) -> datetime",
        "So many minutes later.",
        |call| later(call, MINUTE_US),
    )
    .example("add_minutes('2024-02-29', -1)", "2024-02-28T23:59:00Z"),
    FunctionInfo::new("add_hours", "add_hours(t: datetime, n: float) -> datetime", "So many hours later.", |call| {
        later(call, HOUR_US)
    })
    .example("add_hours('2024-02-29', 25)", "2024-03-01T01:00:00Z"),
    FunctionInfo::new(
        "add_days",
        "add_days(t: moment, n: int) -> moment",
        "So many days later, at the same time of day.",
        add_days,
    )
    .example("add_days(date('2024-02-29'), 1)", "2024-03-01"),
    FunctionInfo::new(
        "add_months",
        "add_months(t: moment, n: int) -> moment",
        "So many months later; a day that the month does not have becomes its last.",
        add_months,
    )
    .example("add_months(date('2024-01-31'), 1)", "2024-02-29"),
    FunctionInfo::new(
        "seconds_between",
        "seconds_between(a: moment, b: moment) -> float",
        "The seconds from `a` to `b`.",
        |call| between(call, SECOND_US),
    )
    .example("seconds_between('2024-02-29', '2024-02-29T00:00:01.5')", "1.5"),
    FunctionInfo::new(
        "minutes_between",
        "minutes_between(a: moment, b: moment) -> float",
        "The minutes from `a` to `b`.",
        |call| between(call, MINUTE_US),
    )
    .example("minutes_between('2024-02-29', '2024-02-29T01:30:00')", "90.0"),
    FunctionInfo::new(
        "hours_between",
        "hours_between(a: moment, b: moment) -> float",
        "The hours from `a` to `b`.",
        |call| between(call, HOUR_US),
    )
    .example("hours_between('2024-02-29', '2024-03-01')", "24.0"),
    FunctionInfo::new(
        "days_between",
        "days_between(a: moment, b: moment) -> float",
        "The days from `a` to `b`, with fractions for datetimes.",
        |call| between(call, DAY_US),
    )
    .example("days_between('2024-02-01', '2024-03-01')", "29.0"),
];

fn part(call: &Call<'_>, part: fn(NaiveDateTime) -> i64) -> Result<ArrayRef, Refusal> {
    let moments = call.moments(0);
    Ok(call.map::<Int64Type>(|row| moments.civil(row).map(part)))
}

fn is_weekend(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let moments = call.moments(0);
    Ok(call.test(|row| moments.civil(row).map(|moment| moment.weekday().num_days_from_monday() >= 5)))
}

/// A point in time per row, as the call's own kind.
fn moments(call: &Call<'_>, value: impl Fn(usize) -> Result<Option<i64>, Refusal>) -> Result<ArrayRef, Refusal> {
    if call.kind == Type::Time {
        return Ok(times(Arc::new(call.collect::<TimestampMicrosecondType>(value)?)));
    }
    let days = call.collect::<Date32Type>(|row| match value(row)? {
        Some(micros) => i32::try_from(micros.div_euclid(DAY_US)).map(Some).map_err(|_| "overflows date".to_owned()),
        None => Ok(None),
    })?;
    Ok(Arc::new(days))
}

fn micros(moment: NaiveDateTime) -> i64 {
    moment.and_utc().timestamp_micros()
}

fn truncate(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (units, values) = (call.texts(0), call.moments(1));
    moments(call, |row| {
        let (Some(unit), Some(moment)) = (units.get(row), values.civil(row)) else { return Ok(None) };
        start_of(unit, moment).map(|start| Some(micros(start)))
    })
}

fn start_of(unit: &str, moment: NaiveDateTime) -> Result<NaiveDateTime, Refusal> {
    let date = moment.date();
    let first = |month0: u32| NaiveDate::from_ymd_opt(date.year(), month0 + 1, 1);
    let start = match unit {
        "year" => first(0),
        "quarter" => first(date.month0() / 3 * 3),
        "month" => first(date.month0()),
        "week" => date.checked_sub_days(chrono::Days::new(date.weekday().num_days_from_monday().into())),
        "day" => Some(date),
        "hour" => return Ok(date.and_hms_opt(moment.hour(), 0, 0).unwrap_or(moment)),
        "minute" => return Ok(date.and_hms_opt(moment.hour(), moment.minute(), 0).unwrap_or(moment)),
        "second" => return Ok(moment.with_nanosecond(0).unwrap_or(moment)),
        _ => {
            return Err(format!(
                "does not know the unit '{unit}'; try year, quarter, month, week, day, hour, minute, second"
            ));
        }
    };
    Ok(start.unwrap_or(date).into())
}

fn format_time(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (values, formats) = (call.moments(0), call.texts(1));
    call.write(|row, text| {
        let (Some(moment), Some(format)) = (values.civil(row), formats.get(row)) else { return Ok(None) };
        if StrftimeItems::new(format).any(|item| item == Item::Error) {
            return Err(format!("does not know the format '{format}'"));
        }
        write!(text, "{}", moment.and_utc().format(format)).map(Some).map_err(refused)
    })
}

/// `n` units after a time, to the microsecond, half away from zero.
fn later(call: &Call<'_>, unit_us: i64) -> Result<ArrayRef, Refusal> {
    let (values, counts) = (call.cells::<TimestampMicrosecondType>(0), call.cells::<Float64Type>(1));
    moments(call, |row| {
        let (Some(start), Some(count)) = (values.get(row), counts.get(row)) else { return Ok(None) };
        let step = crate::expression::cast::float_to_int((count * unit_us as f64).round());
        let moment = step.ok().and_then(|step| start.checked_add(step));
        moment.map(Some).ok_or_else(|| "overflows datetime".to_owned())
    })
}

fn add_days(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (values, counts) = (call.moments(0), call.cells::<Int64Type>(1));
    moments(call, |row| {
        let (Some(start), Some(count)) = (values.micros(row), counts.get(row)) else { return Ok(None) };
        let moment = count.checked_mul(DAY_US).and_then(|step| start.checked_add(step));
        moment.map(Some).ok_or_else(|| format!("overflows {}", call.kind))
    })
}

fn add_months(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (values, counts) = (call.moments(0), call.cells::<Int64Type>(1));
    moments(call, |row| {
        let (Some(start), Some(count)) = (values.civil(row), counts.get(row)) else { return Ok(None) };
        let months = u32::try_from(count.unsigned_abs()).ok().map(Months::new);
        let moment = months.and_then(|months| match count {
            0.. => start.checked_add_months(months),
            _ => start.checked_sub_months(months),
        });
        moment.map(|moment| Some(micros(moment))).ok_or_else(|| format!("overflows {}", call.kind))
    })
}

fn between(call: &Call<'_>, unit_us: i64) -> Result<ArrayRef, Refusal> {
    let (from, to) = (call.moments(0), call.moments(1));
    Ok(call.map::<Float64Type>(|row| {
        let elapsed = i128::from(to.micros(row)?) - i128::from(from.micros(row)?);
        Some(elapsed as f64 / unit_us as f64)
    }))
}
