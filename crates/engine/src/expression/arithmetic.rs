//! The kernels of `+ - * / // %` and the sign. Division by zero is null. Pure.

use std::sync::Arc;

use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type, i256};
use arrow::error::ArrowError;

use super::operand::{Call, Kernel, Refusal, refused};
use super::syntax::Operator;
use crate::value::Type;

/// Powers of ten up to 10^38.
pub(super) const fn power_of_ten(exponent: u8) -> i128 {
    10_i128.pow(exponent as u32)
}

/// The kernel of an operator on operands that both have one of the three number types.
pub(super) fn kernel(operator: Operator, kind: Type) -> Option<Kernel> {
    let float = kind == Type::Float;
    let decimal = matches!(kind, Type::Decimal { .. });
    Some(match operator {
        Operator::Add if decimal => |call| decimals(call, |a, b, _| Some(Some(a.checked_add(b)?))),
        Operator::Subtract if decimal => |call| decimals(call, |a, b, _| Some(Some(a.checked_sub(b)?))),
        Operator::Multiply if decimal => |call| decimals(call, |a, b, _| Some(Some(a.checked_mul(b)?))),
        Operator::Divide if decimal => |call| decimals(call, quotient),
        Operator::Remainder if decimal => |call| decimals(call, |a, b, _| Some(floor_remainder(a, b))),
        Operator::Add => add,
        Operator::Subtract => subtract,
        Operator::Multiply => multiply,
        Operator::Divide => |call| Ok(floats(call, |a, b| a / b)),
        Operator::FloorDivide if float => |call| Ok(floats(call, |a, b| (a / b).floor())),
        Operator::FloorDivide => floor_divide,
        Operator::Remainder if float => |call| Ok(floats(call, float_remainder)),
        Operator::Remainder => remainder,
        _ => return None,
    })
}

fn add(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    numeric::add(&call.operands[0], &call.operands[1]).map_err(|error| overflow(call.kind, &error))
}

fn subtract(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    numeric::sub(&call.operands[0], &call.operands[1]).map_err(|error| overflow(call.kind, &error))
}

fn multiply(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    numeric::mul(&call.operands[0], &call.operands[1]).map_err(|error| overflow(call.kind, &error))
}

fn overflow(kind: Type, error: &ArrowError) -> Refusal {
    match error {
        ArrowError::ArithmeticOverflow(_) => format!("overflows {kind}"),
        other => refused(other),
    }
}

fn floats(call: &Call<'_>, apply: fn(f64, f64) -> f64) -> ArrayRef {
    let (left, right) = (call.cells::<Float64Type>(0), call.cells::<Float64Type>(1));
    call.map::<Float64Type>(|row| {
        let divisor = right.get(row)?;
        if divisor == 0.0 { None } else { Some(apply(left.get(row)?, divisor)) }
    })
}

/// As in Python: the remainder has the sign of the divisor.
fn float_remainder(left: f64, right: f64) -> f64 {
    let rest = left % right;
    if rest != 0.0 && (rest < 0.0) != (right < 0.0) { rest + right } else { rest }
}

fn floor_divide(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    if call.kinds[0] == Type::Int {
        let (left, right) = (call.cells::<Int64Type>(0), call.cells::<Int64Type>(1));
        return floor_quotients(call, |row| Some((left.get(row)?.into(), right.get(row)?.into())));
    }
    let (left, right) = (call.cells::<Decimal128Type>(0), call.cells::<Decimal128Type>(1));
    floor_quotients(call, |row| Some((left.get(row)?, right.get(row)?)))
}

fn floor_quotients(call: &Call<'_>, operands: impl Fn(usize) -> Option<(i128, i128)>) -> Result<ArrayRef, Refusal> {
    let quotients = call.collect::<Int64Type>(|row| {
        let Some((left, right)) = operands(row) else { return Ok(None) };
        let Some(quotient) = floor_quotient(left, right) else { return Ok(None) };
        i64::try_from(quotient).map(Some).map_err(|_| "overflows int".to_owned())
    })?;
    Ok(Arc::new(quotients))
}

/// The quotient rounded towards minus infinity, as in Python; null for a divisor of zero.
fn floor_quotient(left: i128, right: i128) -> Option<i128> {
    let whole = left.checked_div(right)?;
    let inexact = left % right != 0;
    Some(if inexact && (left < 0) != (right < 0) { whole - 1 } else { whole })
}

fn remainder(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let (left, right) = (call.cells::<Int64Type>(0), call.cells::<Int64Type>(1));
    Ok(call.map::<Int64Type>(|row| {
        let rest = floor_remainder(left.get(row)?.into(), right.get(row)?.into())?;
        Some(rest as i64)
    }))
}

/// The remainder with the sign of the divisor; null for a divisor of zero.
fn floor_remainder(left: i128, right: i128) -> Option<i128> {
    let rest = left.checked_rem(right).or((right == -1).then_some(0))?;
    Some(if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest })
}

/// Scaled integers: `apply` gives the result at the call's own scale, null inside, nothing where it overflows.
fn decimals(call: &Call<'_>, apply: impl Fn(i128, i128, u8) -> Option<Option<i128>>) -> Result<ArrayRef, Refusal> {
    let Type::Decimal { precision, scale } = call.kind else { return Err("is no decimal".into()) };
    let (Type::Decimal { scale: left_scale, .. }, Type::Decimal { scale: right_scale, .. }) =
        (call.kinds[0], call.kinds[1])
    else {
        return Err("has an operand that is no decimal".into());
    };
    // What division must raise the dividend by; the other operators do not look at it.
    let shift = (scale - left_scale + right_scale).max(0) as u8;
    let limit = power_of_ten(precision);
    let (left, right) = (call.cells::<Decimal128Type>(0), call.cells::<Decimal128Type>(1));
    let values = call.collect::<Decimal128Type>(|row| {
        let (Some(left), Some(right)) = (left.get(row), right.get(row)) else { return Ok(None) };
        match apply(left, right, shift) {
            Some(Some(value)) if -limit < value && value < limit => Ok(Some(value)),
            Some(None) => Ok(None),
            _ => Err(format!("overflows {}", call.kind)),
        }
    })?;
    decimal_array(values, call.kind)
}

/// An array with its type's precision and scale.
pub(super) fn decimal_array(values: PrimitiveArray<Decimal128Type>, kind: Type) -> Result<ArrayRef, Refusal> {
    Ok(Arc::new(values.with_data_type(kind.arrow())))
}

/// `left` × 10^`shift` / `right`, half to even.
fn quotient(left: i128, right: i128, shift: u8) -> Option<Option<i128>> {
    if right == 0 {
        return Some(None);
    }
    if let Some(raised) = 10_i128.checked_pow(shift.into()).and_then(|power| left.checked_mul(power)) {
        return Some(Some(half_even(raised, right)));
    }
    let power = i256::from_i128(10).checked_pow(shift.into())?;
    let (dividend, divisor) = (i256::from_i128(left).checked_mul(power)?, i256::from_i128(right));
    let (whole, rest) = (dividend.checked_div(divisor)?, dividend.checked_rem(divisor)?);
    let whole = whole.to_i128()?;
    // The rest is smaller than the divisor, hence an i128, and so is what is missing to the next whole.
    Some(Some(whole + rounding(whole, rest.to_i128()?, right)))
}

/// `value` / `divisor` (which is not 0), half to even.
pub(super) fn half_even(value: i128, divisor: i128) -> i128 {
    let (whole, rest) = (value / divisor, value % divisor);
    whole + rounding(whole, rest, divisor)
}

/// What to add to a truncated quotient: 0, or one away from zero.
const fn rounding(whole: i128, rest: i128, divisor: i128) -> i128 {
    let (rest_size, size) = (rest.unsigned_abs(), divisor.unsigned_abs());
    let missing = size - rest_size;
    let up = rest_size > missing || (rest_size == missing && whole % 2 != 0);
    match (up, (rest < 0) == (divisor < 0)) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => -1,
    }
}

/// `-a`.
pub(super) fn negate(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    numeric::neg(&call.operands[0].array).map_err(|error| overflow(call.kind, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_go_to_the_even_neighbour_on_both_sides_of_zero() {
        let rounded: Vec<i128> = [-35, -25, -15, -5, 5, 15, 25, 26, 35].map(|value| half_even(value, 10)).into();
        assert_eq!(rounded, [-4, -2, -2, 0, 0, 2, 2, 3, 4]);
        assert_eq!(half_even(25, -10), -2);
    }

    #[test]
    fn a_quotient_too_wide_for_128_bits_on_its_way_is_exact() {
        let large = power_of_ten(37);
        assert_eq!(quotient(large, large, 6), Some(Some(1_000_000)));
        assert_eq!(quotient(2 * large, 3 * large, 6), Some(Some(666_667)));
        assert_eq!(quotient(large, 1, 6), None);
    }

    #[test]
    fn remainders_have_the_sign_of_the_divisor() {
        assert_eq!([(7, 3), (-7, 3), (7, -3), (-7, -3)].map(|(a, b)| floor_remainder(a, b)), [1, 2, -2, -1].map(Some));
        assert_eq!(floor_remainder(1, 0), None);
        assert_eq!(floor_remainder(i128::MIN, -1), Some(0));
        assert_eq!([(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0)].map(|(a, b)| float_remainder(a, b)), [1.5, 0.5, -0.5]);
    }
}
