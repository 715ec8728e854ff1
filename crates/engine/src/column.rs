//! One compiled column: generator, modifiers, bounds, nulls. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Float64Array};
use arrow::compute::{interleave, nullif};
use arrow::datatypes::DataType;

use crate::draw::Draw;
use crate::error::{EngineError, Result};
use crate::filling::{Filling, Shape};
use crate::frame::{Frame, Source};
use crate::generators::Generator;
use crate::measure::{DAY_US, convert, from_measure, from_steps, in_steps, measure};
use crate::modifiers::Modifier;
use crate::random::key::Key;
use crate::value::Type;

/// How often a value that breaks a bound is drawn again before it is set to the bound.
const REDRAWS_MAX: u64 = 32;

/// A compiled column.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// Whether it may be null.
    pub nullable: bool,
    /// What makes it, for people: the generator's name, and whether it was inferred.
    pub made_by: String,
    /// Where its values come from.
    pub generator: Box<dyn Generator>,
    /// What changes them, in order.
    pub modifiers: Vec<Box<dyn Modifier>>,
    /// What the values must not pass.
    pub bounds: Vec<Bound>,
    /// Which values are null.
    pub nulls: Option<Nulls>,
}

/// Nulls by rate: a draw of its own role, so that switching them off changes no other value.
#[derive(Clone, Copy, Debug)]
pub struct Nulls {
    /// The role's key.
    pub key: Key,
    /// The share of nulls, 0 to 1.
    pub rate: f64,
}

/// A bound on a column's values.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// Which side is bounded.
    pub side: Side,
    /// Whether the bound itself is excluded.
    pub strict: bool,
    /// Where the bound is.
    pub at: Limit,
}

/// Which side is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Values are at least the limit.
    Lower,
    /// Values are at most the limit.
    Upper,
}

/// Where a bound is.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// The same for all rows, in the measure.
    Constant(f64),
    /// Another column of the row, or of a related one.
    Column(Source),
}

/// The bounds of each row, in the measure; both inclusive.
struct Interval {
    lower: Vec<f64>,
    upper: Vec<f64>,
}

impl Column {
    /// What a model is asked for its values, when they are answers.
    pub fn filling(&self) -> Option<&Filling> {
        self.generator.filling()
    }

    /// The Arrow type of its values, dictionaries aside.
    pub fn arrow(&self) -> DataType {
        self.generator.shape().map_or_else(|| self.kind.arrow(), Shape::arrow)
    }

    /// The values of this column for the rows of a frame.
    pub fn evaluate(&self, frame: &Frame<'_>) -> Result<ArrayRef> {
        let values = match self.interval(frame)? {
            None => self.attempt(&Draw { frame, attempt: 0 })?,
            Some(interval) => self.within(frame, &interval)?,
        };
        if !self.nullable && values.null_count() > 0 {
            return Err(EngineError::Column {
                table: frame.described().name.clone(),
                column: self.name.clone(),
                message: format!(
                    "{} values are null where none may be; let it be nullable, or give it another source",
                    values.null_count()
                ),
            });
        }
        let Some(nulls) = self.nulls else { return Ok(values) };
        let missing: BooleanArray = frame.rows.map(|row| Some(nulls.key.unit(row) < nulls.rate)).into();
        Ok(nullif(&values, &missing)?)
    }

    /// Generator, modifiers and type, with no regard to bounds.
    fn attempt(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let mut values = self.generator.values(draw)?;
        for modifier in &self.modifiers {
            values = modifier.apply(values, draw)?;
        }
        if self.kind == Type::Struct {
            return Ok(values);
        }
        convert(&values, self.kind)
    }

    fn interval(&self, frame: &Frame<'_>) -> Result<Option<Interval>> {
        if self.bounds.is_empty() {
            return Ok(None);
        }
        let rows = frame.len();
        let mut interval = Interval { lower: vec![f64::NEG_INFINITY; rows], upper: vec![f64::INFINITY; rows] };
        for bound in &self.bounds {
            match bound.at {
                Limit::Constant(limit) => (0..rows).for_each(|row| interval.narrow(row, bound, limit, self.kind)),
                Limit::Column(source) => {
                    let limits = measure(&frame.read_plain(source)?)?;
                    for (row, limit) in limits.iter().enumerate() {
                        if let Some(limit) = limit {
                            interval.narrow(row, bound, limit, self.kind);
                        }
                    }
                }
            }
        }
        Ok(Some(interval))
    }

    fn within(&self, frame: &Frame<'_>, interval: &Interval) -> Result<ArrayRef> {
        let draw = Draw { frame, attempt: 0 };
        if self.modifiers.is_empty()
            && let Some(inversion) = self.generator.inversion()
        {
            // A date holds all the moments of its day.
            let is_day = self.kind == Type::Date && self.generator.kind() == Type::Time;
            let spread = if is_day { DAY_US - 1.0 } else { 0.0 };
            let mut values = inversion.units(&draw)?;
            for (row, unit) in values.iter_mut().enumerate() {
                let (lower, upper) = (interval.lower[row], interval.upper[row] + spread);
                let (from, to) = (inversion.below(lower), inversion.up_to(upper));
                *unit = inversion.quantile(from + *unit * (to - from).max(0.0));
            }
            let values = convert(&inversion.array(values)?, self.kind)?;
            return self.clamp(&values, interval);
        }
        let mut values = self.attempt(&draw)?;
        for attempt in 1..=REDRAWS_MAX {
            let outside = interval.outside(&measure(&values)?);
            if outside.is_empty() {
                return Ok(values);
            }
            let again = self.attempt(&Draw { frame: &frame.pick(&outside), attempt })?;
            values = scatter(&values, &outside, &again)?;
        }
        self.clamp(&values, interval)
    }

    /// Sets what is still outside to the bound it passed; where the bounds exclude each other the lower one wins.
    fn clamp(&self, values: &ArrayRef, interval: &Interval) -> Result<ArrayRef> {
        let line = measure(values)?;
        let outside = interval.outside(&line);
        if outside.is_empty() {
            return Ok(Arc::clone(values));
        }
        let nearest: Float64Array = outside
            .iter()
            .map(|row| Some(line.value(*row).min(interval.upper[*row]).max(interval.lower[*row])))
            .collect();
        scatter(values, &outside, &from_measure(&nearest, self.kind)?)
    }
}

impl Interval {
    fn narrow(&mut self, row: usize, bound: &Bound, limit: f64, kind: Type) {
        let nearest = bound.nearest(limit, kind);
        match bound.side {
            Side::Lower => self.lower[row] = self.lower[row].max(nearest),
            Side::Upper => self.upper[row] = self.upper[row].min(nearest),
        }
    }

    /// The positions of values that are outside; nulls are inside.
    fn outside(&self, values: &Float64Array) -> Vec<usize> {
        (0..values.len())
            .filter(|row| {
                let value = values.value(*row);
                values.is_valid(*row) && !(value >= self.lower[*row] && value <= self.upper[*row])
            })
            .collect()
    }
}

impl Bound {
    /// The value of a type that is nearest to a limit and within it.
    pub(crate) fn nearest(&self, limit: f64, kind: Type) -> f64 {
        let inwards = if self.side == Side::Lower { 1.0 } else { -1.0 };
        let Some(steps) = in_steps(limit, kind).filter(|steps| steps.is_finite()) else {
            return match (self.strict, self.side) {
                (false, _) => limit,
                (true, Side::Lower) => limit.next_up(),
                (true, Side::Upper) => limit.next_down(),
            };
        };
        let whole = steps.round();
        // What is a value of the type but for binary rounding is that value.
        let is_value = (steps - whole).abs() <= 1e-12 * whole.abs().max(1.0);
        let steps = match (is_value, self.side) {
            (true, _) if self.strict => whole + inwards,
            (true, _) => whole,
            (false, Side::Lower) => steps.ceil(),
            (false, Side::Upper) => steps.floor(),
        };
        from_steps(steps, kind)
    }
}

/// `values` with those at `positions` replaced by `others`.
fn scatter(values: &ArrayRef, positions: &[usize], others: &ArrayRef) -> Result<ArrayRef> {
    let mut from: Vec<(usize, usize)> = (0..values.len()).map(|at| (0, at)).collect();
    for (other, position) in positions.iter().enumerate() {
        from[*position] = (1, other);
    }
    Ok(interleave(&[values, others], &from)?)
}
