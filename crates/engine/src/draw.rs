//! What a generator or modifier is given: the rows, and which attempt at them this is. Pure.

use arrow::array::ArrayRef;

use crate::error::{EngineError, Result};
use crate::frame::Frame;
use crate::random::key::Key;

/// Draw numbers that one attempt may use. A redraw takes the next ones, so that it shares none.
const NUMBERS_PER_ATTEMPT: u64 = 16;

/// The rows to be made, and which attempt this is.
pub struct Draw<'f, 't> {
    /// The rows.
    pub frame: &'f Frame<'t>,
    /// 0, or how often a constraint has asked for other values.
    pub attempt: u64,
}

impl Draw<'_, '_> {
    /// The key for draw number `number` (below 16) of this attempt.
    pub fn key(&self, key: Key, number: u64) -> Key {
        key.number(self.attempt * NUMBERS_PER_ATTEMPT + number)
    }

    /// 64 uniform bits for every row.
    pub fn bits(&self, key: Key, number: u64) -> Vec<u64> {
        self.frame.rows.bits(self.key(key, number))
    }

    /// A uniform number in (0, 1) for every row.
    pub fn units(&self, key: Key, number: u64) -> Vec<f64> {
        self.frame.rows.units(self.key(key, number))
    }

    /// An error about these rows.
    pub fn error(&self, column: &str, message: String) -> EngineError {
        EngineError::Column { table: self.frame.described().name.clone(), column: column.to_owned(), message }
    }
}

/// Values that come from one uniform number by inversion, so that they can be drawn between bounds exactly.
pub trait Inversion {
    /// The value at a uniform number in (0, 1), in the measure of [`crate::measure`].
    fn quantile(&self, unit: f64) -> f64;
    /// The share of values below `value`, as they are at last: rounded to their type, grid and clamp.
    fn below(&self, value: f64) -> f64;
    /// The share of values that are at most `value`, likewise. Equal to [`Self::below`] where no value comes twice.
    fn up_to(&self, value: f64) -> f64;
    /// Where the uniform numbers come from.
    fn units(&self, draw: &Draw<'_, '_>) -> Result<Vec<f64>>;
    /// Values in the measure as an array of the generator's type.
    fn array(&self, values: Vec<f64>) -> Result<ArrayRef>;
}
