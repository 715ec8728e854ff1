//! One number line for all types that have an order: numbers as they are, times in microseconds since 1970. Pure.
//!
//! Binary64 holds microseconds exactly until the year 2255, and whole numbers up to 2^53.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    TimestampMicrosecondArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};

use crate::error::Result;
use crate::value::{Type, UTC};

/// Microseconds in a day.
pub const DAY_US: f64 = 86_400e6;

/// The values of an ordered column on the number line; nulls stay null.
pub fn measure(array: &ArrayRef) -> Result<Float64Array> {
    Ok(match array.data_type() {
        DataType::Float64 => array.as_primitive::<Float64Type>().clone(),
        DataType::Int64 => array.as_primitive::<Int64Type>().unary(|x| x as f64),
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().unary(|x| x as f64),
        DataType::Date32 => array.as_primitive::<Date32Type>().unary(|x| f64::from(x) * DAY_US),
        DataType::Decimal128(_, scale) => {
            let unit = power_of_ten(*scale);
            array.as_primitive::<Decimal128Type>().unary(|x| x as f64 / unit)
        }
        _ => cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().clone(),
    })
}

/// The whole number at or below `x`, by a conversion and a comparison: without SSE4.1 `f64::floor` is a call.
#[inline]
pub fn floor_whole(x: f64) -> i64 {
    let toward_zero = x as i64;
    toward_zero - i64::from(toward_zero as f64 > x)
}

/// The whole number nearest to `x`, half to even: adding 1.5 · 2^52 leaves no bits for a fraction.
#[inline]
pub fn round_whole(x: f64) -> i64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    const EXACT_BELOW: f64 = 2_251_799_813_685_248.0;
    if x.abs() < EXACT_BELOW { ((x + SHIFT) - SHIFT) as i64 } else { x.round_ties_even() as i64 }
}

/// Numbers on the line as values of an ordered type: whole numbers and decimals are rounded half to even, dates and
/// times are rounded down. What a type cannot hold becomes the nearest it can.
pub fn from_measure(values: &Float64Array, kind: Type) -> Result<ArrayRef> {
    Ok(match kind {
        Type::Float => Arc::new(values.clone()),
        Type::Int => Arc::new(values.unary::<_, Int64Type>(round_whole)),
        Type::Time => Arc::new(values.unary::<_, TimestampMicrosecondType>(floor_whole).with_timezone(UTC)),
        Type::Date => Arc::new(values.unary::<_, Date32Type>(|x| floor_whole(x / DAY_US) as i32)),
        Type::Decimal { precision, scale } => {
            let unit = power_of_ten(scale);
            let most = 10i128.pow(u32::from(precision)) - 1;
            // Up to 18 digits fit 64 bits, and converting to those is many times quicker.
            let exact = match i64::try_from(most) {
                Ok(most) => values.unary::<_, Decimal128Type>(|x| i128::from(round_whole(x * unit).clamp(-most, most))),
                Err(_) => values.unary(|x| ((x * unit).round_ties_even() as i128).clamp(-most, most)),
            };
            Arc::new(exact.with_precision_and_scale(precision, scale)?)
        }
        Type::Bool => Arc::new(BooleanArray::from_unary(values, |x| x != 0.0)),
        Type::Text | Type::Struct => cast(values, &kind.arrow())?,
    })
}

/// Any column as another type, by the rules of [`from_measure`] where a number is rounded; text is parsed.
pub fn convert(array: &ArrayRef, kind: Type) -> Result<ArrayRef> {
    let target = kind.arrow();
    let from = array.data_type();
    if *from == target {
        return Ok(Arc::clone(array));
    }
    if let DataType::Dictionary(_, values) = from {
        if kind == Type::Text && **values == DataType::Utf8 {
            return Ok(Arc::clone(array));
        }
        return convert(&cast(array, values)?, kind);
    }
    let rounds =
        matches!(from, DataType::Float64 | DataType::Decimal128(..) | DataType::Timestamp(..) | DataType::Date32);
    let rounded = matches!(kind, Type::Int | Type::Decimal { .. } | Type::Date | Type::Time | Type::Float);
    let exact = matches!((from, kind), (DataType::Decimal128(..), Type::Decimal { .. }));
    if rounds && rounded && !exact {
        return from_measure(&measure(array)?, kind);
    }
    Ok(cast(array, &target)?)
}

/// The distance between neighbouring values of a type on the number line, 0 where there is none.
pub fn step(kind: Type) -> f64 {
    match kind {
        Type::Int | Type::Bool | Type::Time => 1.0,
        Type::Date => DAY_US,
        Type::Decimal { scale, .. } => 1.0 / power_of_ten(scale),
        Type::Float | Type::Text | Type::Struct => 0.0,
    }
}

/// How many steps from 0 a place on the number line is; `None` for a type without steps.
pub fn in_steps(place: f64, kind: Type) -> Option<f64> {
    match kind {
        Type::Int | Type::Bool | Type::Time => Some(place),
        Type::Date => Some(place / DAY_US),
        Type::Decimal { scale, .. } => Some(place * power_of_ten(scale)),
        Type::Float | Type::Text | Type::Struct => None,
    }
}

/// The place of a whole number of steps: exactly where [`measure`] puts the value.
pub fn from_steps(steps: f64, kind: Type) -> f64 {
    match kind {
        Type::Date => steps * DAY_US,
        Type::Decimal { scale, .. } => steps / power_of_ten(scale),
        _ => steps,
    }
}

/// 10 to the power of a decimal's scale.
pub fn power_of_ten(scale: i8) -> f64 {
    10i128.pow(scale.unsigned_abs().into()) as f64
}

/// A column of whole numbers.
pub fn ints(values: Vec<i64>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

/// A column of binary numbers.
pub fn floats(values: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(values))
}

/// A column of times, in microseconds since 1970.
pub fn times(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone(UTC))
}

/// A column of dates, in days since 1970.
pub fn dates(values: Vec<i32>) -> ArrayRef {
    Arc::new(Date32Array::from(values))
}

/// A column of exact decimals, in units of the scale.
pub fn decimals(values: Vec<i128>, precision: u8, scale: i8) -> Result<ArrayRef> {
    Ok(Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale)?))
}
