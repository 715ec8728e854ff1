//! `effect`: a factor (or summand) from another table, by key and time window; on a table it scales the fan-out. Pure.

use arrow::array::{Array, ArrayRef, Float64Array};
use shardmill_shared::spec::Place;

use super::arithmetic::{kind_of, widened};
use super::{Built, Info, Modifier};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::{Frame, Source};
use crate::generators::{Param, Read};
use crate::link::{Among, INDEX_ROWS_MAX, Index};
use crate::measure::{from_measure, measure};
use crate::rows::Rows;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "effect",
    about: "multiplies by (or adds) a field of the first row of another table that matches by key and time; on a table it scales the number of children, by the parent's key and first datetime column",
    params: &[
        Param {
            name: "effect_table",
            takes: "table",
            default: "",
            about: "where effects stand; above 1048576 rows, one key of `on` must lead there (a `lookup` of it or of its parent, or its `sequence`)",
        },
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
    finder: Finder,
    window: Option<Window>,
    /// The column that is applied; without one, what matches counts as 1.
    field: Option<usize>,
    op: Op,
    default: f64,
}

/// How the rows of the effect table that have a row's keys are found.
#[derive(Debug)]
enum Finder {
    /// By an index of the whole table.
    Index(Index),
    /// Among the few rows that a key leads to: for tables too large for an index.
    Among(Among),
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
        let finder = Finder::read(place, on.as_ref(), site, table)?;
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
        Some(Self { table, finder, window, field, op, default: default? })
    }

    /// What is read to find the effect.
    pub(crate) fn reads(&self) -> Vec<Read> {
        let mut columns: Vec<usize> = self.field.into_iter().collect();
        columns.extend(self.window.iter().flat_map(|window| [window.start, window.end]));
        let mut reads: Vec<Read> = self.window.iter().filter_map(|window| window.time).map(Read::Column).collect();
        match &self.finder {
            Finder::Index(index) => {
                reads.extend(index.sources.iter().map(|source| Read::Column(*source)));
                columns.extend(index.columns.iter().map(|(column, _)| *column));
                reads.extend(columns.into_iter().map(|column| Read::Whole { table: self.table, column }));
            }
            Finder::Among(among) => {
                let linked = |column| Read::Column(Source::Linked { link: among.link, column });
                reads.extend(among.equal.iter().map(|(own, _, _)| Read::Column(*own)));
                columns.extend(among.equal.iter().map(|(_, their, _)| *their));
                // Without any column read, the way to the row is still followed.
                columns.extend(columns.is_empty().then_some(0));
                reads.extend(columns.into_iter().map(linked));
            }
        }
        reads
    }

    /// Applies the effect to one number for each row of a frame.
    ///
    /// # Errors
    /// When a column of the rows or of the effect table fails.
    pub fn scale(&self, frame: &Frame<'_>, numbers: &mut [f64]) -> Result<()> {
        let times = match self.window.as_ref().and_then(|window| window.time) {
            Some(time) => Some(measure(&frame.read_plain(time)?)?),
            None => None,
        };
        let moment = |at: usize| match (&times, &self.window) {
            (Some(times), _) if times.is_valid(at) => times.value(at),
            (_, Some(window)) => window.moment_us,
            _ => 0.0,
        };
        match &self.finder {
            Finder::Among(among) => among.each_piece(self.table, frame, |piece| {
                let there = Candidates::read(self, |column| piece.there.column(column))?;
                let ours = numbers[piece.first..].iter_mut().zip(piece.first..);
                for ((number, at), rows) in ours.zip(&piece.matches) {
                    let found = rows.iter().map(|row| *row as usize).find(|row| there.holds(*row, moment(at)));
                    self.apply(number, there.value(found, self.default));
                }
                Ok(())
            })?,
            Finder::Index(index) => {
                let count = frame.tables.rows(self.table)?;
                // A small table is made once for all batches; a larger one, which an index still holds, for each.
                let rows = frame.tables.whole_rows(self.table).map_or(Rows::Range(0..count), Rows::Whole);
                let whole = Frame::new(frame.tables, self.table, rows, &frame.scratch);
                let there = Candidates::read(self, |column| whole.column(column))?;
                let everyone: Vec<u32> = (0..count as u32).collect();
                let matches = match index.sources.is_empty() {
                    true => vec![everyone.as_slice(); frame.len()],
                    false => index.matches(self.table, frame)?,
                };
                for ((at, number), rows) in numbers.iter_mut().enumerate().zip(matches) {
                    let found = rows.iter().map(|row| *row as usize).find(|row| there.holds(*row, moment(at)));
                    self.apply(number, there.value(found, self.default));
                }
            }
        }
        Ok(())
    }

    fn apply(&self, number: &mut f64, value: f64) {
        match self.op {
            Op::Mul => *number *= value,
            Op::Add => *number += value,
        }
    }
}

/// Rows that may be the effect: their field and their windows.
struct Candidates {
    field: Option<Float64Array>,
    spans: Option<(Float64Array, Float64Array)>,
}

impl Candidates {
    fn read(effect: &Effect, column: impl Fn(usize) -> Result<ArrayRef>) -> Result<Self> {
        let line = |at: usize| measure(&column(at)?);
        let spans = match &effect.window {
            Some(window) => Some((line(window.start)?, line(window.end)?)),
            None => None,
        };
        Ok(Self { field: effect.field.map(line).transpose()?, spans })
    }

    /// Whether a moment lies in the row's window; an open start or end has no bound.
    fn holds(&self, row: usize, moment: f64) -> bool {
        self.spans.as_ref().is_none_or(|(start, end)| {
            (start.is_null(row) || start.value(row) <= moment) && (end.is_null(row) || moment <= end.value(row))
        })
    }

    /// What the row that was found says.
    fn value(&self, found: Option<usize>, default: f64) -> f64 {
        match (found, &self.field) {
            (Some(row), Some(field)) if field.is_valid(row) => field.value(row),
            (Some(_), None) => 1.0,
            _ => default,
        }
    }
}

impl Finder {
    fn read(place: &Place<'_>, on: Option<&Place<'_>>, site: &Site<'_, '_>, table: usize) -> Option<Self> {
        let pairs = match on {
            Some(on) => keys(on, site, table)?,
            None => Vec::new(),
        };
        if site.rows_most_of(table) > INDEX_ROWS_MAX {
            return match on {
                Some(on) if !pairs.is_empty() => site.among(on, table, &pairs).map(Self::Among),
                _ => place.problem(
                    "every row of the effect table would be looked at",
                    format!("`on`, or at most {INDEX_ROWS_MAX} rows"),
                ),
            };
        }
        let columns: Option<Vec<(usize, Type)>> =
            pairs.iter().map(|(_, their)| Some((*their, site.type_of(table, *their)?))).collect();
        let sources = pairs.iter().map(|(own, _)| Source::Own(*own)).collect();
        Some(Self::Index(Index { sources, columns: columns?, rows: Default::default() }))
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

/// Our columns and theirs that must be equal.
fn keys(on: &Place<'_>, site: &Site<'_, '_>, table: usize) -> Option<Vec<(usize, usize)>> {
    let mut pairs = Vec::new();
    for (local, theirs) in on.entries()? {
        let their_column = site.column_named(&theirs, table, theirs.text()?);
        if site.is_fanout() && !site.has_column(local) {
            theirs.warn(format!("the parent has no column `{local}`; the effect is matched without it"));
            continue;
        }
        let own = site.own(&theirs, local);
        pairs.push((own?, their_column?));
    }
    Some(pairs)
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
