//! Functions of numbers. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};
// Pinned arithmetic: the only place of this language where a transcendental function is taken from.
use libm::log10;

use super::FunctionInfo;
use crate::expression::arithmetic::{decimal_array, half_even, power_of_ten};
use crate::expression::cast::float_to_int;
use crate::expression::operand::{Call, Refusal};
use crate::math::{exp, ln, pow};
use crate::random::key::Key;
use crate::value::Type;

/// The group's functions.
pub(super) const FUNCTIONS: [FunctionInfo; 11] = [
    FunctionInfo::new("abs", "abs(x: number) -> number", "A number without its sign.", absolute)
        .example("abs(-3)", "3"),
    FunctionInfo::new("sign", "sign(x: number) -> int", "-1, 0 or 1.", sign)
        .example("sign(-2.5)", "-1"),
    FunctionInfo::new(
        "round",
        "round(x: number, digits?: int) -> number",
        "A number rounded to so many digits after the point (0; negative ones round to tens); a half goes to the even neighbour for decimals, away from zero for floats.",
        round,
    )
    .example("round(2.345, 1)", "2.3"),
    FunctionInfo::new("floor", "floor(x: number) -> int", "The whole number at or below.", |call| whole(call, Towards::Floor))
        .example("floor(-1.5)", "-2"),
    FunctionInfo::new("ceil", "ceil(x: number) -> int", "The whole number at or above.", |call| whole(call, Towards::Ceiling))
        .example("ceil(1.2)", "2"),
    FunctionInfo::new("sqrt", "sqrt(x: float) -> float", "The square root; null below 0.", |call| floats(call, f64::sqrt))
        .example("sqrt(9)", "3.0"),
    FunctionInfo::new("exp", "exp(x: float) -> float", "e to a power; null where it is too large.", |call| floats(call, exp))
        .example("exp(0)", "1.0"),
    FunctionInfo::new("ln", "ln(x: float) -> float", "The natural logarithm; null at and below 0.", |call| floats(call, ln))
        .example("ln(1)", "0.0"),
    FunctionInfo::new("log10", "log10(x: float) -> float", "The logarithm to base 10; null at and below 0.", |call| floats(call, log10))
        .example("log10(1000)", "3.0"),
    FunctionInfo::new("pow", "pow(x: float, exponent: float) -> float", "A power; null where there is none or it is too large.", power)
        .example("pow(2, 10)", "1024.0"),
    FunctionInfo::new(
        "hash_bucket",
        "hash_bucket(x: any, buckets: int) -> int",
        "A number from 0 to `buckets` - 1 that depends on the value only: equal values share a bucket.",
        hash_bucket,
    )
    .example("hash_bucket('alice', 1)", "0"),
];

/// A function of one float; what is no finite number is null.
fn floats(call: &Call<'_>, apply: fn(f64) -> f64) -> Result<ArrayRef, Refusal> {
    let values = call.cells::<Float64Type>(0);
    Ok(call.map::<Float64Type>(|row| values.get(row).map(apply).filter(|value| value.is_finite())))
}

fn power(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (base, exponent) = (call.cells::<Float64Type>(0), call.cells::<Float64Type>(1));
    Ok(call.map::<Float64Type>(|row| Some(pow(base.get(row)?, exponent.get(row)?)).filter(|value| value.is_finite())))
}

fn absolute(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    match call.kind {
        Type::Int => {
            let values = call.cells::<Int64Type>(0);
            let sizes = call.collect::<Int64Type>(|row| match values.get(row) {
                Some(value) => value.checked_abs().map(Some).ok_or_else(|| "overflows int".to_owned()),
                None => Ok(None),
            })?;
            Ok(Arc::new(sizes))
        }
        Type::Decimal { .. } => decimals(call, |value| Some(value.abs())),
        _ => floats(call, f64::abs),
    }
}

/// A function of one decimal that keeps its type; nothing where it overflows.
fn decimals(call: &Call<'_>, apply: impl Fn(i128) -> Option<i128>) -> Result<ArrayRef, Refusal> {
    let Type::Decimal { precision, .. } = call.kind else { return Err("is no decimal".into()) };
    let (values, limit) = (call.cells::<Decimal128Type>(0), power_of_ten(precision));
    let results = call.collect::<Decimal128Type>(|row| {
        let Some(value) = values.get(row) else { return Ok(None) };
        let result = apply(value).filter(|result| -limit < *result && *result < limit);
        result.map(Some).ok_or_else(|| format!("overflows {}", call.kind))
    })?;
    decimal_array(results, call.kind)
}

fn sign(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    Ok(match call.kinds[0] {
        Type::Int => {
            let values = call.cells::<Int64Type>(0);
            call.map::<Int64Type>(|row| values.get(row).map(i64::signum))
        }
        Type::Decimal { .. } => {
            let values = call.cells::<Decimal128Type>(0);
            call.map::<Int64Type>(|row| values.get(row).map(|value| value.signum() as i64))
        }
        _ => {
            let values = call.cells::<Float64Type>(0);
            call.map::<Int64Type>(|row| values.get(row).map(|value| i64::from(value > 0.0) - i64::from(value < 0.0)))
        }
    })
}

/// Which way a number becomes whole.
#[derive(Clone, Copy)]
enum Towards {
    Floor,
    Ceiling,
}

fn whole(call: &Call<'_>, towards: Towards) -> Result<ArrayRef, Refusal> {
    let values: Box<dyn Fn(usize) -> Option<Result<i64, Refusal>>> = match call.kinds[0] {
        Type::Int => return Ok(Arc::clone(&call.operands[0].array)),
        Type::Decimal { scale, .. } => {
            let (values, unit) = (call.cells::<Decimal128Type>(0), power_of_ten(scale.unsigned_abs()));
            Box::new(move |row| {
                let value = values.get(row)?;
                let floor = value.div_euclid(unit);
                let up = matches!(towards, Towards::Ceiling) && value.rem_euclid(unit) != 0;
                Some(i64::try_from(floor + i128::from(up)).map_err(|_| "overflows int".to_owned()))
            })
        }
        _ => {
            let values = call.cells::<Float64Type>(0);
            Box::new(move |row| {
                let value = values.get(row)?;
                Some(float_to_int(if matches!(towards, Towards::Floor) { value.floor() } else { value.ceil() }))
            })
        }
    };
    Ok(Arc::new(call.collect::<Int64Type>(|row| values(row).transpose())?))
}

/// The digits after the point of a row: 0 unless given, null if null. Beyond 38 there is nothing to round.
fn digits(call: &Call<'_>, row: usize) -> Option<i32> {
    if call.operands.len() < 2 {
        return Some(0);
    }
    call.cells::<Int64Type>(1).get(row).map(|digits| digits.clamp(-38, 38) as i32)
}

fn round(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    match call.kind {
        Type::Int => {
            let values = call.cells::<Int64Type>(0);
            let rounded = call.collect::<Int64Type>(|row| {
                let (Some(value), Some(digits)) = (values.get(row), digits(call, row)) else { return Ok(None) };
                let rounded = round_scaled(value.into(), -digits);
                i64::try_from(rounded).map(Some).map_err(|_| "overflows int".to_owned())
            })?;
            Ok(Arc::new(rounded))
        }
        Type::Decimal { precision, scale } => {
            let (values, limit) = (call.cells::<Decimal128Type>(0), power_of_ten(precision));
            let rounded = call.collect::<Decimal128Type>(|row| {
                let (Some(value), Some(digits)) = (values.get(row), digits(call, row)) else { return Ok(None) };
                let rounded = round_scaled(value, i32::from(scale) - digits);
                let fits = -limit < rounded && rounded < limit;
                if fits { Ok(Some(rounded)) } else { Err(format!("overflows {}", call.kind)) }
            })?;
            decimal_array(rounded, call.kind)
        }
        _ => {
            let values = call.cells::<Float64Type>(0);
            Ok(call.map::<Float64Type>(|row| Some(round_float(values.get(row)?, digits(call, row)?))))
        }
    }
}

/// An integer with its last `drop` digits rounded to zeros, half to even.
fn round_scaled(value: i128, drop: i32) -> i128 {
    match drop {
        ..=0 => value,
        1..=38 => {
            let unit = power_of_ten(drop as u8);
            // A value below 10^38 rounds to at most 10^38, which 128 bits hold.
            half_even(value, unit) * unit
        }
        _ => 0,
    }
}

/// A float rounded to so many digits, half away from zero. Where scaling would leave the finite numbers it is as it is.
fn round_float(value: f64, digits: i32) -> f64 {
    let unit = power_of_ten(digits.unsigned_abs() as u8) as f64;
    let rounded = if digits >= 0 { (value * unit).round() / unit } else { (value / unit).round() * unit };
    if rounded.is_finite() { rounded } else { value }
}

/// The key of all hash buckets: pinned, for buckets must not change with seed or engine.
const BUCKETS: Key = Key::from_words(0x5348_4152_444D_494C, 0x4255_434B_4554_5321);

fn hash_bucket(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let buckets = call.cells::<Int64Type>(1);
    let hash = hasher(call);
    let placed = call.collect::<Int64Type>(|row| {
        let (Some(hash), Some(buckets)) = (hash(row), buckets.get(row)) else { return Ok(None) };
        match u64::try_from(buckets) {
            Ok(buckets @ 1..) => Ok(Some(((u128::from(hash) * u128::from(buckets)) >> 64) as i64)),
            _ => Err(format!("needs at least 1 bucket, found {buckets}")),
        }
    })?;
    Ok(Arc::new(placed))
}

/// 64 bits of the first operand's value, by row.
fn hasher<'a>(call: &'a Call<'_>) -> Box<dyn Fn(usize) -> Option<u64> + 'a> {
    match call.kinds[0] {
        Type::Int => {
            let values = call.cells::<Int64Type>(0);
            Box::new(move |row| Some(BUCKETS.draw(values.get(row)? as u64)))
        }
        Type::Float => {
            let values = call.cells::<Float64Type>(0);
            // Adding 0.0 makes -0.0, which is equal to 0.0, the same bits.
            Box::new(move |row| Some(BUCKETS.draw((values.get(row)? + 0.0).to_bits())))
        }
        Type::Bool => {
            let (truths, stride) = (call.truths(0), usize::from(!call.operands[0].constant));
            Box::new(move |row| {
                let at = row * stride;
                truths.is_valid(at).then(|| BUCKETS.draw(truths.value(at).into()))
            })
        }
        Type::Decimal { .. } => {
            let values = call.cells::<Decimal128Type>(0);
            Box::new(move |row| Some(hash_bytes(&values.get(row)?.to_le_bytes())))
        }
        Type::Text => {
            let texts = call.texts(0);
            Box::new(move |row| Some(hash_bytes(texts.get(row)?.as_bytes())))
        }
        // Expressions read fields of structs, never the whole.
        Type::Struct => Box::new(|_| None),
        Type::Date | Type::Time => {
            let moments = call.moments(0);
            Box::new(move |row| Some(BUCKETS.draw(moments.micros(row)? as u64)))
        }
    }
}

/// Eight bytes at a time, the length first.
fn hash_bytes(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(BUCKETS.draw(bytes.len() as u64), |state, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        BUCKETS.draw(state ^ u64::from_le_bytes(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_keeps_what_is_beyond_its_reach() {
        assert_eq!([0, 1, 2, 39].map(|drop| round_scaled(1250, drop)), [1250, 1250, 1200, 0]);
        assert_eq!(round_scaled(1350, 2), 1400);
        assert_eq!([2.5, -2.5, 0.5].map(|value| round_float(value, 0)), [3.0, -3.0, 1.0]);
        assert_eq!(round_float(1e300, 38), 1e300);
        assert_eq!(round_float(1250.0, -2), 1300.0);
    }

    /// Buckets split real data: they are part of every dataset that used them.
    #[test]
    fn hashes_are_pinned() {
        assert_eq!(hash_bytes(b"alice"), 1_970_368_154_040_148_691);
        assert_eq!(hash_bytes(b""), 5_440_929_699_194_360_361);
    }
}
