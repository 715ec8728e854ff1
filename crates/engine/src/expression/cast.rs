//! From one type to another: what is cast by itself, what on request, and the kernel that does it. Pure.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DecimalType, Float64Type, Int64Type, TimestampMicrosecondType,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime};

use super::arithmetic::{decimal_array, half_even, power_of_ten};
use super::operand::{Call, DAY_US, Refusal};
use crate::value::{Type, UTC};

/// The decimal that holds every int.
pub(super) const INT_AS_DECIMAL: Type = Type::Decimal { precision: 19, scale: 0 };

/// Whether a cast exists, on request or not.
pub(super) const fn exists(from: Type, to: Type) -> bool {
    use Type::{Bool, Date, Decimal, Float, Int, Struct, Text, Time};
    match to {
        Struct => false,
        Text => !matches!(from, Struct),
        Bool => matches!(from, Bool | Int | Text),
        Int | Float => matches!(from, Bool | Int | Float | Decimal { .. } | Text),
        Decimal { .. } => matches!(from, Int | Float | Decimal { .. } | Text),
        Time | Date => matches!(from, Time | Date | Text),
    }
}

/// Whether a value of one type may stand where the other is wanted, without being asked for.
pub(super) fn is_silent(from: Type, to: Type) -> bool {
    match (from, to) {
        (Type::Int | Type::Decimal { .. }, Type::Float) | (Type::Date, Type::Time) => true,
        (Type::Int, Type::Decimal { .. }) => widens(INT_AS_DECIMAL, to),
        (Type::Decimal { .. }, Type::Decimal { .. }) => widens(from, to),
        _ => from == to,
    }
}

/// Whether one decimal type holds all digits of another; at the cap of 38 the values decide.
fn widens(from: Type, to: Type) -> bool {
    match (from, to) {
        (Type::Decimal { scale: a, .. }, Type::Decimal { precision: 38, scale: b }) => a <= b,
        _ => holds(from, to),
    }
}

/// Whether one decimal type holds every value of another.
pub(super) fn holds(from: Type, to: Type) -> bool {
    let (Type::Decimal { scale: a, precision: p }, Type::Decimal { scale: b, precision: q }) = (from, to) else {
        return false;
    };
    a <= b && i16::from(p) - i16::from(a) <= i16::from(q) - i16::from(b)
}

/// The cast of the first operand to the call's type.
pub(super) fn convert(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let from = call.kinds[0];
    if from == call.kind {
        return Ok(Arc::clone(&call.operands[0].array));
    }
    match (from, call.kind) {
        (_, Type::Text) => to_text(call),
        (Type::Text, _) => from_text(call),
        (Type::Decimal { .. }, Type::Decimal { .. }) => rescale(call),
        (_, Type::Bool) => Ok(ints(call, |int| int != 0)),
        (_, Type::Int) => to_int(call),
        (_, Type::Float) => Ok(to_float(call)),
        (_, Type::Decimal { .. }) => to_decimal(call),
        (_, Type::Time) => {
            let moments = call.moments(0);
            Ok(times(call.map::<TimestampMicrosecondType>(|row| moments.micros(row))))
        }
        (_, Type::Date) => {
            let moments = call.moments(0);
            Ok(call.map::<Date32Type>(|row| i32::try_from(moments.days(row)?).ok()))
        }
        (_, Type::Struct) => Err("nothing becomes a struct".to_owned()),
    }
}

/// The same times with the zone of all times.
pub(super) fn times(array: ArrayRef) -> ArrayRef {
    use arrow::array::AsArray;
    Arc::new(array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone(UTC))
}

fn ints(call: &Call<'_>, test: fn(i64) -> bool) -> ArrayRef {
    let values = call.cells::<Int64Type>(0);
    call.test(|row| values.get(row).map(test))
}

fn to_int(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    if call.kinds[0] == Type::Bool {
        let truths = call.truths(0);
        return Ok(call.map::<Int64Type>(|row| truths.is_valid(row).then(|| truths.value(row).into())));
    }
    if let Type::Decimal { scale, .. } = call.kinds[0] {
        let (values, unit) = (call.cells::<Decimal128Type>(0), power_of_ten(scale.unsigned_abs()));
        return collect::<Int64Type>(call, |row| {
            let whole = values.get(row).map(|value| i64::try_from(value / unit));
            whole.transpose().map_err(|_| "overflows int".to_owned())
        });
    }
    let values = call.cells::<Float64Type>(0);
    collect::<Int64Type>(call, |row| values.get(row).map(|value| float_to_int(value.trunc())).transpose())
}

/// A whole float as an int.
pub(super) fn float_to_int(value: f64) -> Result<i64, Refusal> {
    // 2^63 is the first float that does not fit; NaN fails both comparisons.
    let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value);
    if fits { Ok(value as i64) } else { Err(format!("overflows int with {value:?}")) }
}

fn to_float(call: &Call<'_>) -> ArrayRef {
    match call.kinds[0] {
        Type::Bool => {
            let truths = call.truths(0);
            call.map::<Float64Type>(|row| truths.is_valid(row).then(|| f64::from(u8::from(truths.value(row)))))
        }
        Type::Decimal { scale, .. } => {
            let (values, unit) = (call.cells::<Decimal128Type>(0), power_of_ten(scale.unsigned_abs()) as f64);
            call.map::<Float64Type>(|row| Some(values.get(row)? as f64 / unit))
        }
        _ => {
            let values = call.cells::<Int64Type>(0);
            call.map::<Float64Type>(|row| Some(values.get(row)? as f64))
        }
    }
}

fn to_decimal(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let Type::Decimal { precision, scale } = call.kind else { return Err("is no decimal".into()) };
    let (unit, limit) = (power_of_ten(scale.unsigned_abs()), power_of_ten(precision));
    if call.kinds[0] == Type::Int {
        let values = call.cells::<Int64Type>(0);
        return scaled(call, |row| values.get(row).map(|value| i128::from(value).checked_mul(unit)));
    }
    let values = call.cells::<Float64Type>(0);
    scaled(call, |row| {
        values.get(row).map(|value| {
            let rounded = (value * unit as f64).round_ties_even();
            (rounded.abs() < limit as f64).then_some(rounded as i128)
        })
    })
}

fn rescale(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (Type::Decimal { scale: from, .. }, Type::Decimal { scale: to, .. }) = (call.kinds[0], call.kind) else {
        return Err("is no decimal".into());
    };
    let (values, unit) = (call.cells::<Decimal128Type>(0), power_of_ten((to - from).unsigned_abs()));
    scaled(call, |row| {
        values.get(row).map(|value| if to >= from { value.checked_mul(unit) } else { Some(half_even(value, unit)) })
    })
}

/// Scaled integers within the call's type: an inner `None` is one too large for 128 bits.
fn scaled(call: &Call<'_>, value: impl Fn(usize) -> Option<Option<i128>>) -> Result<ArrayRef, Refusal> {
    let Type::Decimal { precision, .. } = call.kind else { return Err("is no decimal".into()) };
    let limit = power_of_ten(precision);
    let values = call.collect::<Decimal128Type>(|row| match value(row) {
        None => Ok(None),
        Some(Some(value)) if -limit < value && value < limit => Ok(Some(value)),
        Some(_) => Err(format!("overflows {}", call.kind)),
    })?;
    decimal_array(values, call.kind)
}

fn collect<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    value: impl Fn(usize) -> Result<Option<T::Native>, Refusal>,
) -> Result<ArrayRef, Refusal> {
    Ok(Arc::new(call.collect::<T>(value)?))
}

fn from_text(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let texts = call.texts(0);
    let read = |row| texts.get(row).map(|text: &str| (text, text.trim()));
    macro_rules! parsed {
        ($kind:ty, $parse:expr) => {
            collect::<$kind>(call, |row| match read(row) {
                None => Ok(None),
                Some((text, trimmed)) => $parse(trimmed).map(Some).ok_or_else(|| unreadable(text, call.kind)),
            })
        };
    }
    match call.kind {
        Type::Int => parsed!(Int64Type, |text: &str| text.parse().ok()),
        Type::Float => parsed!(Float64Type, |text: &str| text.parse().ok()),
        Type::Date => parsed!(Date32Type, parse_date),
        Type::Time => parsed!(TimestampMicrosecondType, parse_time).map(times),
        Type::Decimal { scale, .. } => {
            let bad = (0..call.rows).filter_map(read).find(|(_, text)| parse_decimal(text, scale).is_none());
            if let Some((text, _)) = bad {
                return Err(unreadable(text, call.kind));
            }
            scaled(call, |row| read(row).map(|(_, text)| parse_decimal(text, scale)))
        }
        Type::Bool | Type::Text | Type::Struct => {
            let truths = (0..call.rows).map(|row| match read(row) {
                None => Ok(None),
                Some((text, trimmed)) => parse_bool(trimmed).map(Some).ok_or_else(|| unreadable(text, call.kind)),
            });
            Ok(Arc::new(truths.collect::<Result<BooleanArray, Refusal>>()?))
        }
    }
}

fn unreadable(text: &str, kind: Type) -> Refusal {
    let shown: String = text.chars().take(40).collect();
    format!("cannot read '{shown}' as {kind}")
}

fn parse_bool(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "t" | "yes" | "1" => Some(true),
        "false" | "f" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// Days since 1970 of `2024-01-31`.
pub(super) fn parse_date(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok()
}

/// Microseconds since 1970 of `2024-01-31`, with or without `T` or blank, time, fraction and zone (else UTC).
pub(super) fn parse_time(text: &str) -> Option<i64> {
    if let Some(days) = parse_date(text) {
        return Some(i64::from(days) * DAY_US);
    }
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_micros());
    }
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    let moment = formats.into_iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    moment.map(|moment| moment.and_utc().timestamp_micros())
}

/// The scaled integer of a decimal text, half to even; nothing if it is no decimal number.
fn parse_decimal(text: &str, scale: i8) -> Option<i128> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || whole.len() + fraction.len() > 39 {
        return None;
    }
    let value: i128 = format!("{whole}{fraction}").parse().ok()?;
    let more = i32::from(scale) - fraction.len() as i32;
    let unit = 10_i128.checked_pow(more.unsigned_abs())?;
    if more >= 0 { value.checked_mul(unit) } else { Some(half_even(value, unit)) }
}

fn to_text(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    call.write(|row, text| Ok(show(call, 0, row, text)))
}

/// Appends a value as `string` writes it, or nothing if it is null.
pub(super) fn show(call: &Call<'_>, at: usize, row: usize, text: &mut String) -> Option<()> {
    let written = match call.kinds[at] {
        Type::Text => {
            text.push_str(call.texts(at).get(row)?);
            Ok(())
        }
        Type::Bool => {
            let truths = call.truths(at);
            let row = if call.operands[at].constant { 0 } else { row };
            write!(text, "{}", truths.is_valid(row).then(|| truths.value(row))?)
        }
        Type::Int => write!(text, "{}", call.cells::<Int64Type>(at).get(row)?),
        Type::Float => write!(text, "{:?}", call.cells::<Float64Type>(at).get(row)?),
        Type::Decimal { precision, scale } => {
            let value = call.cells::<Decimal128Type>(at).get(row)?;
            write!(text, "{}", Decimal128Type::format_decimal(value, precision, scale))
        }
        // Expressions read fields of structs, never the whole.
        Type::Struct => return None,
        Type::Date => write!(text, "{}", call.moments(at).civil(row)?.date()),
        Type::Time => write!(text, "{}Z", call.moments(at).civil(row)?.format("%Y-%m-%dT%H:%M:%S%.f")),
    };
    written.expect("writing to a String cannot fail");
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_every_common_form() {
        for text in ["2024-01-31", "2024-01-31T00:00:00Z", "2024-01-31 00:00", "2024-01-31T01:00:00+01:00"] {
            assert_eq!(parse_time(text), Some(1_706_659_200_000_000), "{text}");
        }
        assert_eq!(parse_time("2024-01-31T00:00:00.000001"), Some(1_706_659_200_000_001));
        assert_eq!(parse_time("2024-02-30"), None);
    }

    #[test]
    fn decimals_are_read_and_rounded_to_even() {
        let read = ["1.005", "1.015", "-1.005", "7", ".5", "1e3", "--1", "1.-5"].map(|text| parse_decimal(text, 2));
        assert_eq!(read, [Some(100), Some(102), Some(-100), Some(700), Some(50), None, None, None]);
    }
}
