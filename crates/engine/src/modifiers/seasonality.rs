//! `seasonality`: a numeric column multiplied by a weight of its row's time; on a `datetime_series`, one more pattern. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::arithmetic::widened;
use super::change::by_time;
use super::{Built, Info, Modifier};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::generators::calendar::Pattern;
use crate::generators::{Param, Read};
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "seasonality",
    about: "multiplies by the weight of the row's hour, weekday or month (its first datetime column); on a `datetime_series` it is one more pattern",
    params: &[
        Param { name: "dimension", takes: "hour, dow or month", default: "", about: "which part of the calendar" },
        Param { name: "weights", takes: "24, 7 or 12 numbers", default: "", about: "multipliers with a mean near 1" },
    ],
    bare: None,
    example: "{type: datetime, datetime_series: {within: {start: 2024-01-01, end: 2024-12-31}}, modifiers: [{seasonality: {dimension: dow, weights: [1, 1, 1, 1, 1.4, 0.5, 0.3]}}]}",
    build,
};

#[derive(Debug)]
struct Seasonality {
    time: Source,
    pattern: Pattern,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let pattern = Pattern::fields(&place.fields()?)?;
    if kind.is_temporal() {
        if site.generator_name() == Some("datetime_series") {
            return Some(None);
        }
        return place.problem(
            "this column's times are not drawn from a calendar",
            "`seasonality` on a `datetime_series` or a numeric column",
        );
    }
    if !kind.is_number() {
        return place
            .problem(format!("`seasonality` cannot change values of type {kind}"), "a numeric or datetime column");
    }
    match site.first_time() {
        Some(time) => Some(Some(Box::new(Seasonality { time: Source::Own(time), pattern }))),
        None if site.is_bare() => {
            place.warn("the table has no datetime column; the column is left as it is");
            Some(None)
        }
        None => place.problem("the table has no datetime column", "a datetime or date column in this table"),
    }
}

impl Modifier for Seasonality {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        by_time(&values, draw, self.time, |time| self.pattern.weights[self.pattern.dimension.of(time as i64)])
    }

    fn reads(&self) -> Vec<Read> {
        vec![Read::Column(self.time)]
    }
}
