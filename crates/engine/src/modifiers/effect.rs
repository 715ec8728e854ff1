//! `effect`: a factor (or summand) from another table, by key and time window; on a table it scales the fan-out. Pure.

use arrow::array::{Array, ArrayRef, Float64Array};
use shardmill_shared::spec::Place;

use super::arithmetic::{kind_of, widened};
use super::{Built, Info, Modifier};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::{EngineError, Result};
use crate::frame::{Frame, Source};
use crate::generators::{Param, Read};
use crate::link::{INDEX_ROWS_MAX, Index};
use crate::measure::{from_measure, measure};
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "effect",
    about: "multiplies by (or adds) a field of the first row of another table that matches by key and time; on a table it scales the number of children, by the parent's key and first datetime column",
    params: &[
        Param { name: "effect_table", takes: "table", default: "", about: "where effects stand; at most 1048576 rows" },
        Param {
            name: "on",
            takes: "map of our column to theirs",
            default: "{}",
            about: "keys that must be equal; empty matches every row",
        },
        Param {
            name: "window",
            takes: "{start_col, end_col}",
            default: "none",
            about: "their columns between which the row's time must lie, both included",
        },
        Param {
            name: "map",
            takes: "{field, op: mul or add, default}",
            default: "",
            about: "what is applied, and what where nothing matches",
        },
    ],
    bare: None,
    example: "{type: float, constant: 100, modifiers: [{effect: {effect_table: promotions, window: {start_col: first_day, end_col: last_day}, map: {field: factor}}}]}",
    build,
};

/// An effect, seen from the rows that it changes.
#[derive(Debug)]
pub struct Effect {
    table: usize,
    index: Index,
    window: Option<Window>,
    /// The column that is applied; without one, what matches counts as 1.
    field: Option<usize>,
    op: Op,
    default: f64,
}

#[derive(Debug)]
struct Window {
    /// The time of the changed row; without one, a fixed moment.
    time: Option<Source>,
    moment_us: f64,
    start: usize,
    end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Mul,
    Add,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    if kind.is_temporal() {
        // A time cannot be multiplied; where the reference schema says so it has no meaning, and says nothing.
        place.warn("an effect cannot scale a datetime column; it is left as it is");
        return Some(None);
    }
    let is_timeless = place.node.get("window").is_some() && site.first_time().is_none();
    if site.is_bare() && is_timeless {
        place.warn("the table has no datetime column for the effect's window; the column is left as it is");
        return Some(None);
    }
    if !kind.is_number() {
        return place.problem(format!("`effect` cannot change values of type {kind}"), "a numeric column");
    }
    Some(Some(Box::new(Effect::read(place, site)?)))
}

impl Effect {
    /// Reads an effect on the rows of the site's table.
    pub(crate) fn read(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Self> {
        let fields = place.fields()?;
        let table = fields.need("effect_table").and_then(|place| site.table_named(&place, place.text()?));
        let on = fields.get("on");
        let window = fields.get("window");
        let map = fields.need("map");
        fields.finish();
        let table = table?;
        if site.rows_most_of(table) > INDEX_ROWS_MAX {
            return place.problem("the effect table has too many rows", format!("at most {INDEX_ROWS_MAX}"));
        }
        let index = match on {
            Some(on) => keys(&on, site, table)?,
            None => Index { sources: Vec::new(), columns: Vec::new(), rows: Default::default() },
        };
        let window = match window {
            Some(window) => Some(Window::read(&window, site, table)?),
            None => None,
        };
        let map = map?.fields()?;
        let field = map.need("field").and_then(|place| field(&place, site, table));
        let op = map.get("op").map_or(Some(0), |place| place.one_of("op", &["mul", "add"]));
        let op = if op? == 0 { Op::Mul } else { Op::Add };
        let default = map.float_or(&["default"], if op == Op::Mul { 1.0 } else { 0.0 });
        map.finish();
        let field = match field? {
            Some(field) => match site.type_of(table, field)? {
                kind if kind.is_number() => Some(field),
                kind => return map.place.problem(format!("the field has type {kind}"), "a numeric field"),
            },
            None => None,
        };
        Some(Self { table, index, window, field, op, default: default? })
    }

    /// What is read to find the effect.
    pub(crate) fn reads(&self) -> Vec<Read> {
        let whole = |column: usize| Read::Whole { table: self.table, column };
        let mut reads: Vec<Read> = self.index.sources.iter().map(|source| Read::Column(*source)).collect();
        reads.extend(self.index.columns.iter().map(|(column, _)| whole(*column)));
        reads.extend(self.field.map(whole));
        if let Some(window) = &self.window {
            reads.extend(window.time.map(Read::Column));
            reads.extend([whole(window.start), whole(window.end)]);
        }
        reads
    }

    /// Applies the effect to one number for each row of a frame.
    ///
    /// # Errors
    /// When a column of the rows or of the effect table fails.
    pub fn scale(&self, frame: &Frame<'_>, numbers: &mut [f64]) -> Result<()> {
        let count = frame.tables.rows(self.table)?;
        if count > INDEX_ROWS_MAX {
            let table = frame.tables.table(self.table).name.clone();
            let message = format!("{count} rows are too many for an effect; at most {INDEX_ROWS_MAX}");
            return Err(EngineError::Column { table, column: String::new(), message });
        }
        let whole = frame.tables.frame(self.table, 0..count, &frame.scratch);
        let field = match self.field {
            Some(field) => Some(measure(&whole.read_plain(Source::Own(field))?)?),
            None => None,
        };
        let spans = match &self.window {
            Some(window) => Some((
                measure(&whole.read_plain(Source::Own(window.start))?)?,
                measure(&whole.read_plain(Source::Own(window.end))?)?,
            )),
            None => None,
        };
        let times = match self.window.as_ref().and_then(|window| window.time) {
            Some(time) => Some(measure(&frame.read_plain(time)?)?),
            None => None,
        };
        let everyone: Vec<u32> = (0..count as u32).collect();
        let matches = if self.index.sources.is_empty() {
            vec![everyone.as_slice(); frame.len()]
        } else {
            self.index.matches(self.table, frame)?
        };
        for (at, rows) in matches.iter().enumerate() {
            let moment = match (&times, &self.window) {
                (Some(times), _) if times.is_valid(at) => times.value(at),
                (_, Some(window)) => window.moment_us,
                _ => 0.0,
            };
            let holds = |row: &u32| match &spans {
                // An open start or end has no bound.
                Some((start, end)) => {
                    let row = *row as usize;
                    (start.is_null(row) || start.value(row) <= moment) && (end.is_null(row) || moment <= end.value(row))
                }
                None => true,
            };
            let found = rows.iter().copied().find(|row| holds(row));
            let value = match (found, &field) {
                (Some(row), Some(field)) if field.is_valid(row as usize) => field.value(row as usize),
                (Some(_), None) => 1.0,
                _ => self.default,
            };
            match self.op {
                Op::Mul => numbers[at] *= value,
                Op::Add => numbers[at] += value,
            }
        }
        Ok(())
    }
}

/// The field's column. A bare document may name one that is not there: then what matches counts as 1, as it does where
/// such documents come from, and the author is told.
fn field(place: &Place<'_>, site: &Site<'_, '_>, table: usize) -> Option<Option<usize>> {
    let name = place.text()?;
    if site.is_bare() && !site.has_column_in(table, name) {
        place.warn(format!("the effect table has no column `{name}`; what matches counts as 1"));
        return Some(None);
    }
    site.column_named(place, table, name).map(Some)
}

fn keys(on: &Place<'_>, site: &Site<'_, '_>, table: usize) -> Option<Index> {
    let mut index = Index { sources: Vec::new(), columns: Vec::new(), rows: Default::default() };
    for (local, theirs) in on.entries()? {
        let their_column = site.column_named(&theirs, table, theirs.text()?);
        if site.is_fanout() && !site.has_column(local) {
            theirs.warn(format!("the parent has no column `{local}`; the effect is matched without it"));
            continue;
        }
        let own = site.own(&theirs, local);
        let (own, column) = (own?, their_column?);
        index.sources.push(Source::Own(own));
        index.columns.push((column, site.type_of(table, column)?));
    }
    Some(index)
}

impl Window {
    fn read(place: &Place<'_>, site: &Site<'_, '_>, table: usize) -> Option<Self> {
        let fields = place.fields()?;
        let column = |name: &'static str| {
            let place = fields.need(name)?;
            let column = site.column_named(&place, table, place.text()?)?;
            match site.type_of(table, column)? {
                kind if kind.is_temporal() => Some(column),
                kind => place.problem(format!("the column has type {kind}"), "a datetime or date column"),
            }
        };
        let (start, end) = (column("start_col"), column("end_col"));
        fields.finish();
        let (start, end) = (start?, end?);
        let time = site.first_time().map(Source::Own);
        let moment_us = match (time, site.is_fanout()) {
            (Some(_), _) => 0.0,
            (None, true) => {
                let window = site.timeframe(place)?;
                (window.start + (window.end - window.start) / 2) as f64
            }
            (None, false) => {
                return place.problem("the table has no datetime column", "a datetime or date column in this table");
            }
        };
        Some(Self { time, moment_us, start, end })
    }
}

impl Modifier for Effect {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let kind = widened(kind_of(&values));
        let line = measure(&values)?;
        let mut numbers: Vec<f64> = (0..line.len()).map(|at| line.value(at)).collect();
        self.scale(draw.frame, &mut numbers)?;
        let changed = Float64Array::new(numbers.into(), line.nulls().cloned());
        from_measure(&changed, kind)
    }

    fn reads(&self) -> Vec<Read> {
        Self::reads(self)
    }
}
