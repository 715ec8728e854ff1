//! Functions of null, and the smallest and largest of several values. Pure.

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::{kernels::zip::zip, nullif};

use super::FunctionInfo;
use crate::expression::compare::{compare, is_null};
use crate::expression::operand::{Call, Operand, Refusal, refused};
use crate::expression::syntax::Operator;

/// The group's functions.
pub(super) const FUNCTIONS: [FunctionInfo; 8] = [
    FunctionInfo::new("coalesce", "coalesce(values...: T) -> T", "The first value that is not null.", coalesce)
        .example("coalesce(null, 'a', 'b')", "a"),
    FunctionInfo::new("is_null", "is_null(x: any) -> bool", "Whether a value is null.", is_null)
        .example("is_null(1 / 0)", "true"),
    FunctionInfo::new(
        "nullif",
        "nullif(x: T, unwanted: T) -> T",
        "Null where the two are equal, else the first.",
        null_if,
    )
    .example("coalesce(nullif('n/a', 'n/a'), 'none')", "none"),
    FunctionInfo::new(
        "min",
        "min(values...: T) -> T",
        "The smallest of several values; null if one is null.",
        smallest,
    )
    .example("min(3, 1, 2)", "1"),
    FunctionInfo::new("least", "least(values...: T) -> T", "The same as `min`.", smallest)
        .example("least('b', 'a')", "a"),
    FunctionInfo::new("max", "max(values...: T) -> T", "The largest of several values; null if one is null.", largest)
        .example("max(3, 1.5)", "3.0"),
    FunctionInfo::new("greatest", "greatest(values...: T) -> T", "The same as `max`.", largest)
        .example("greatest(date('2024-01-31'), date('2024-02-01'))", "2024-02-01"),
    FunctionInfo::new(
        "clamp",
        "clamp(x: T, low: T, high: T) -> T",
        "A value, or the end of the range that it passes.",
        clamp,
    )
    .example("clamp(12, 0, 10)", "10"),
];

fn choose(mask: &BooleanArray, yes: &Operand, no: &Operand) -> Result<Operand, Refusal> {
    let (yes, no) = (yes.plain()?, no.plain()?);
    zip(mask, &yes, &no).map(Operand::column).map_err(refused)
}

fn coalesce(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let mut values = spread(call, 0)?;
    for next in &call.operands[1..] {
        let present = arrow::compute::is_not_null(&values.array).map_err(refused)?;
        values = choose(&present, &values, next)?;
    }
    Ok(values.array)
}

/// An operand with one value per row of the call.
fn spread(call: &Call<'_>, at: usize) -> Result<Operand, Refusal> {
    let all = BooleanArray::from(vec![true; call.rows]);
    choose(&all, &call.operands[at], &call.operands[at])
}

fn null_if(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let value = spread(call, 0)?;
    let equal = compare(call, Operator::Equal, 0, 1)?;
    nullif(&value.array, &equal).map_err(refused)
}

fn smallest(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    extreme(call, Operator::Less)
}

fn largest(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    extreme(call, Operator::Greater)
}

fn extreme(call: &Call<'_>, better: Operator) -> Result<ArrayRef, Refusal> {
    let mut best = spread(call, 0)?;
    for next in &call.operands[1..] {
        best = better_of(call, best, next, better)?;
    }
    Ok(best.array)
}

/// Row by row `next` where it is better, else `best`, null where one of them is.
fn better_of(call: &Call<'_>, best: Operand, next: &Operand, better: Operator) -> Result<Operand, Refusal> {
    let pair = [next.clone(), best];
    let kinds = [call.kind; 2];
    let call = Call { kind: call.kind, kinds: &kinds, rows: call.rows, operands: &pair };
    let mask = compare(&call, better, 0, 1)?;
    let chosen = choose(&mask, &pair[0], &pair[1])?;
    let missing = arrow::compute::is_null(&mask).map_err(refused)?;
    nullif(&chosen.array, &missing).map(Operand::column).map_err(refused)
}

fn clamp(call: &Call<'_>) -> Result<ArrayRef, Refusal> {
    let raised = better_of(call, spread(call, 0)?, &call.operands[1], Operator::Greater)?;
    Ok(better_of(call, raised, &call.operands[2], Operator::Less)?.array)
}
