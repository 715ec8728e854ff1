//! `sequence`: numbers that count the rows of the whole table, never of a shard. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::{Generator, Info, Nature, Param};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::measure::ints;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "sequence",
    about: "numbers that count the rows of the table",
    params: &[
        Param { name: "start", takes: "int", default: "1", about: "the number of the first row" },
        Param { name: "step", takes: "int, not 0", default: "1", about: "the distance from row to row" },
    ],
    bare: Some("start"),
    example: "{type: int, sequence: {start: 1000, step: 10}}",
    build,
};

#[derive(Debug)]
struct Sequence {
    start: i64,
    step: i64,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let start = fields.get("start").map_or(Some(1), |place| place.int());
    let step = match fields.get("step") {
        Some(place) => match place.int() {
            Some(0) => place.problem("a step of 0 would repeat one number", "any other whole number"),
            step => step,
        },
        None => Some(1),
    };
    fields.finish();
    let (start, step) = (start?, step?);
    let last = i128::from(start) + i128::from(step) * i128::from(site.rows_most().saturating_sub(1));
    if i64::try_from(last).is_err() {
        return place.problem(format!("the last row would have number {last}"), "a number of 64 bits");
    }
    Some(Box::new(Sequence { start, step }))
}

impl Generator for Sequence {
    fn kind(&self) -> Type {
        Type::Int
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        Ok(ints(draw.frame.rows.map(|row| self.start.wrapping_add(self.step.wrapping_mul(row as i64)))))
    }

    fn nature(&self) -> Nature {
        Nature::Sequence { start: self.start, step: self.step }
    }

    fn is_unique(&self) -> bool {
        true
    }
}
