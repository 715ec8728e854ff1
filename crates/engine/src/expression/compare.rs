//! The kernels of comparison and logic, with three-valued nulls. Pure.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::{boolean, cmp};
use arrow::datatypes::{Decimal128Type, Float64Type};
use arrow::error::ArrowError;

use super::arithmetic::power_of_ten;
use super::operand::{Call, Kernel, Operand, Refusal, refused};
use super::syntax::Operator;
use crate::value::Type;

type Truths = Result<BooleanArray, Refusal>;

/// The kernel of a comparison or of `and`, `or`.
pub(super) fn kernel(operator: Operator) -> Option<Kernel> {
    Some(match operator {
        Operator::Equal => |call| wrap(compare(call, Operator::Equal, 0, 1)),
        Operator::NotEqual => |call| wrap(compare(call, Operator::NotEqual, 0, 1)),
        Operator::Less => |call| wrap(compare(call, Operator::Less, 0, 1)),
        Operator::LessEqual => |call| wrap(compare(call, Operator::LessEqual, 0, 1)),
        Operator::Greater => |call| wrap(compare(call, Operator::Greater, 0, 1)),
        Operator::GreaterEqual => |call| wrap(compare(call, Operator::GreaterEqual, 0, 1)),
        Operator::And => |call| logic(call, boolean::and_kleene),
        Operator::Or => |call| logic(call, boolean::or_kleene),
        _ => return None,
    })
}

fn wrap(truths: Truths) -> Result<ArrayRef, Refusal> {
    truths.map(|truths| Arc::new(truths) as ArrayRef)
}

/// Two operands of one type, compared row by row.
pub(super) fn compare(call: &Call<'_>, operator: Operator, left: usize, right: usize) -> Truths {
    if call.kinds[left] == Type::Float {
        return Ok(compare_floats(call, operator, left, right));
    }
    if let (Type::Decimal { scale: a, .. }, Type::Decimal { scale: b, .. }) = (call.kinds[left], call.kinds[right])
        && a != b
    {
        return Ok(compare_scales(call, operator, [left, right], a - b));
    }
    let (left, right) = (&call.operands[left], &call.operands[right]);
    let apply: fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError> = match operator {
        Operator::Equal => cmp::eq,
        Operator::NotEqual => cmp::neq,
        Operator::Less => cmp::lt,
        Operator::LessEqual => cmp::lt_eq,
        Operator::Greater => cmp::gt,
        _ => cmp::gt_eq,
    };
    apply(left, right).map_err(refused)
}

/// Decimals that no one type holds, the left one with so many more digits after the point.
fn compare_scales(call: &Call<'_>, operator: Operator, [left, right]: [usize; 2], more: i8) -> BooleanArray {
    let holds: fn(Ordering) -> bool = match operator {
        Operator::Equal => Ordering::is_eq,
        Operator::NotEqual => Ordering::is_ne,
        Operator::Less => Ordering::is_lt,
        Operator::LessEqual => Ordering::is_le,
        Operator::Greater => Ordering::is_gt,
        _ => Ordering::is_ge,
    };
    let (a, b) = (call.cells::<Decimal128Type>(left), call.cells::<Decimal128Type>(right));
    let unit = power_of_ten(more.unsigned_abs());
    let test = |row| {
        let (a, b) = (a.get(row)?, b.get(row)?);
        // A product beyond 128 bits is farther from zero than any decimal.
        Some(holds(match more {
            0.. => b.checked_mul(unit).map_or(0.cmp(&b), |b| a.cmp(&b)),
            _ => a.checked_mul(unit).map_or(a.cmp(&0), |a| a.cmp(&b)),
        }))
    };
    (0..call.rows).map(test).collect()
}

/// Arrow orders floats by their bits, so that -0.0 is less than 0.0; people do not.
fn compare_floats(call: &Call<'_>, operator: Operator, left: usize, right: usize) -> BooleanArray {
    let holds: fn(&f64, &f64) -> bool = match operator {
        Operator::Equal => f64::eq,
        Operator::NotEqual => f64::ne,
        Operator::Less => f64::lt,
        Operator::LessEqual => f64::le,
        Operator::Greater => f64::gt,
        _ => f64::ge,
    };
    let (a, b) = (call.cells::<Float64Type>(left), call.cells::<Float64Type>(right));
    let values = BooleanBuffer::collect_bool(call.rows, |row| holds(&a.raw(row), &b.raw(row)));
    let nulls = [left, right].map(|at| nulls(&call.operands[at], call.rows));
    BooleanArray::new(values, NullBuffer::union(nulls[0].as_ref(), nulls[1].as_ref()))
}

/// Where an operand is null, if it is anywhere.
pub(super) fn nulls(operand: &Operand, rows: usize) -> Option<NullBuffer> {
    match operand.constant {
        true => operand.array.is_null(0).then(|| NullBuffer::new_null(rows)),
        false => operand.array.logical_nulls(),
    }
}

/// An operand's truths, one per row.
fn spread(operand: &Operand, rows: usize) -> BooleanArray {
    let truths = operand.array.as_boolean();
    if !operand.constant || rows == truths.len() {
        return truths.clone();
    }
    match truths.is_null(0) {
        true => BooleanArray::new_null(rows),
        false if truths.value(0) => BooleanArray::new(BooleanBuffer::new_set(rows), None),
        false => BooleanArray::new(BooleanBuffer::new_unset(rows), None),
    }
}

fn logic(
    call: &Call<'_>,
    apply: fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, ArrowError>,
) -> Result<ArrayRef, Refusal> {
    let (left, right) = (spread(&call.operands[0], call.rows), spread(&call.operands[1], call.rows));
    wrap(apply(&left, &right).map_err(refused))
}

/// `not a`.
pub(super) fn negation(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    wrap(boolean::not(call.truths(0)).map_err(refused))
}

/// `a is null`.
pub(super) fn is_null(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    wrap(match nulls(&call.operands[0], call.rows) {
        None => Ok(BooleanArray::new(BooleanBuffer::new_unset(call.rows), None)),
        Some(nulls) => Ok(BooleanArray::new(!nulls.inner(), None)),
    })
}

/// `a in (b, c, …)`: null where no value matches and one of them is null.
pub(super) fn is_in(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let mut found = spread_result(compare(call, Operator::Equal, 0, 1)?, call);
    for at in 2..call.operands.len() {
        let equal = spread_result(compare(call, Operator::Equal, 0, at)?, call);
        found = boolean::or_kleene(&found, &equal).map_err(refused)?;
    }
    wrap(Ok(found))
}

/// `a between b and c`, both ends included.
pub(super) fn is_between(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let above = spread_result(compare(call, Operator::GreaterEqual, 0, 1)?, call);
    let below = spread_result(compare(call, Operator::LessEqual, 0, 2)?, call);
    wrap(boolean::and_kleene(&above, &below).map_err(refused))
}

/// Two constants give one truth; a neighbour that is a column wants one per row.
fn spread_result(truths: BooleanArray, call: &Call<'_>) -> BooleanArray {
    let constant = truths.len() == 1;
    spread(&Operand { array: Arc::new(truths), constant }, call.rows)
}
