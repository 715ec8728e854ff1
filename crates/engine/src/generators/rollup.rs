//! `rollup`: a sum, count, least, greatest or last value over a row's own children, recomputed from them. Pure.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type};
use shardmill_shared::spec::Place;

use super::{Generator, Info, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::fanout::Children;
use crate::frame::Source;
use crate::measure::measure;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "rollup",
    about: "a figure over the row's own children: parents and children always add up",
    params: &[
        Param { name: "from", takes: "child.column, or child for a count", default: "", about: "what is rolled up" },
        Param {
            name: "agg",
            takes: "sum, count, min, max or last",
            default: "sum (count for a table)",
            about: "how; without children a sum and a count are 0, the others null",
        },
        Param { name: "aggregate", takes: "sum, count, min, max or last", default: "none", about: "the same as `agg`" },
    ],
    bare: Some("from"),
    example: "{type: 'decimal(12,2)', rollup: {from: items.amount, agg: sum}}",
    build,
};

const AGGREGATES: [&str; 5] = ["sum", "count", "min", "max", "last"];
/// Children that are evaluated at once; keeps memory flat however many children a parent has.
const CHILDREN_AT_ONCE: u64 = 1 << 16;
/// Decimal sums get all the digits there are, so that they cannot overflow before the column's own type is applied.
const SUM_PRECISION: u8 = 38;

#[derive(Debug)]
struct Rollup {
    child: usize,
    column: Option<usize>,
    aggregate: Aggregate,
    kind: Type,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Count,
    Min,
    Max,
    Last,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let from = fields.need("from");
    let aggregate = fields.get_any(&["agg", "aggregate"]).map(|place| place.one_of("aggregate", &AGGREGATES));
    fields.finish();
    let from = from?;
    let text = from.text()?;
    let (table_name, column_name) = text.split_once('.').map_or((text, None), |(table, column)| (table, Some(column)));
    let child = site.table_named(&from, table_name)?;
    if site.parent_of(child) != Some(site.table) {
        return from.problem(
            format!("`{table_name}` is no child of this table, and a figure over other relations needs an aggregate stage, which is not supported yet"),
            "a table whose first parent is this one",
        );
    }
    let column = match column_name {
        Some(name) => Some(site.column_named(&from, child, name)?),
        None => None,
    };
    let default = if column.is_some() { Aggregate::Sum } else { Aggregate::Count };
    let aggregate = match aggregate {
        Some(at) => [Aggregate::Sum, Aggregate::Count, Aggregate::Min, Aggregate::Max, Aggregate::Last][at?],
        None => default,
    };
    let of = match column {
        Some(column) => site.type_of(child, column)?,
        None if aggregate == Aggregate::Count => Type::Int,
        None => return from.problem("a table alone can only be counted", "child.column"),
    };
    let kind = match (aggregate, of) {
        (Aggregate::Count, _) => Type::Int,
        (Aggregate::Sum, Type::Decimal { scale, .. }) => Type::Decimal { precision: SUM_PRECISION, scale },
        (Aggregate::Sum, kind) if !kind.is_number() => {
            return from.problem(format!("values of type {kind} have no sum"), "a numeric column");
        }
        (Aggregate::Min | Aggregate::Max, Type::Text) => {
            return from.problem("text has no order here", "`agg: last`, or a numeric or datetime column");
        }
        (_, kind) => kind,
    };
    Some(Box::new(Rollup { child, column, aggregate, kind }))
}

impl Rollup {
    /// The figures of the parents at some positions.
    fn part(&self, draw: &Draw<'_, '_>, positions: Range<usize>) -> Result<ArrayRef> {
        let (children, begins) = draw.frame.children(self.child, positions)?;
        let spans = begins.windows(2).map(|pair| pair[0]..pair[1]);
        let Some(column) = self.column.filter(|_| self.aggregate != Aggregate::Count) else {
            return Ok(Arc::new(Int64Array::from_iter_values(spans.map(|span| span.len() as i64))));
        };
        let values = children.read_plain(Source::Own(column))?;
        match self.aggregate {
            Aggregate::Sum => self.sums(&values, spans),
            Aggregate::Last => {
                let last = |span: Range<usize>| span.rev().find(|at| values.is_valid(*at));
                Ok(take(&values, &spans.map(|span| last(span).map(|at| at as u32)).collect::<UInt32Array>(), None)?)
            }
            _ => {
                let line = measure(&values)?;
                let extreme = spans.map(|span| self.extreme(&line, span).map(|at| at as u32));
                Ok(take(&values, &extreme.collect::<UInt32Array>(), None)?)
            }
        }
    }

    fn sums(&self, values: &ArrayRef, spans: impl Iterator<Item = Range<usize>>) -> Result<ArrayRef> {
        let valid = |at: &usize| values.is_valid(*at);
        Ok(match self.kind {
            Type::Decimal { precision, scale } => {
                let values = values.as_primitive::<Decimal128Type>();
                let sums = spans.map(|span| span.filter(valid).map(|at| values.value(at)).sum::<i128>());
                Arc::new(Decimal128Array::from_iter_values(sums).with_precision_and_scale(precision, scale)?)
            }
            Type::Int => {
                let values = values.as_primitive::<Int64Type>();
                let sum =
                    |span: Range<usize>| span.filter(valid).fold(0i64, |sum, at| sum.saturating_add(values.value(at)));
                Arc::new(Int64Array::from_iter_values(spans.map(sum)))
            }
            _ => {
                let values = values.as_primitive::<Float64Type>();
                let sums = spans.map(|span| span.filter(valid).map(|at| values.value(at)).sum::<f64>());
                Arc::new(Float64Array::from_iter_values(sums))
            }
        })
    }

    fn extreme(&self, line: &Float64Array, span: Range<usize>) -> Option<usize> {
        let valid = span.filter(|at| line.is_valid(*at));
        match self.aggregate {
            Aggregate::Min => valid.min_by(|a, b| line.value(*a).total_cmp(&line.value(*b))),
            _ => valid.max_by(|a, b| line.value(*a).total_cmp(&line.value(*b))),
        }
    }
}

impl Generator for Rollup {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let frame = draw.frame;
        let children = Children { tables: frame.tables, table: self.child, scratch: &frame.scratch };
        let mut parts = Vec::new();
        let mut from = 0;
        let mut count = 0;
        for position in 0..frame.len() {
            let span = children.of(frame.rows.at(position))?;
            count += span.end - span.start;
            if count >= CHILDREN_AT_ONCE {
                parts.push(self.part(draw, from..position + 1)?);
                (from, count) = (position + 1, 0);
            }
        }
        parts.push(self.part(draw, from..frame.len())?);
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        Ok(concat(&parts)?)
    }

    fn reads(&self) -> Vec<Read> {
        vec![Read::Children { table: self.child, column: self.column }]
    }

    fn may_be_null(&self) -> bool {
        !matches!(self.aggregate, Aggregate::Sum | Aggregate::Count)
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }
}
