//! One change of every number of a column, alone or by the time of its row; nulls stay null. Pure.

use arrow::array::{Array, ArrayRef, Float64Array};

use super::arithmetic::{kind_of, widened};
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::measure::{from_measure, measure};

/// Each value changed by its position and itself.
pub(super) fn each(values: &ArrayRef, change: impl Fn(usize, f64) -> f64) -> Result<ArrayRef> {
    let line = measure(values)?;
    let changed: Float64Array =
        (0..line.len()).map(|at| line.is_valid(at).then(|| change(at, line.value(at)))).collect();
    from_measure(&changed, widened(kind_of(values)))
}

/// Each value times the factor of its row's time; a row without a time stays as it is.
pub(super) fn by_time(
    values: &ArrayRef,
    draw: &Draw<'_, '_>,
    time: Source,
    factor: impl Fn(f64) -> f64,
) -> Result<ArrayRef> {
    let times = measure(&draw.frame.read_plain(time)?)?;
    each(values, |at, value| if times.is_valid(at) { value * factor(times.value(at)) } else { value })
}
