//! `sequence`: numbers that count the rows of the whole table or of one parent, never of a shard. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::{Generator, Info, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::fanout::Children;
use crate::measure::ints;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "sequence",
    about: "numbers that count the rows of the table",
    params: &[
        Param { name: "start", takes: "int", default: "1", about: "the number of the first row" },
        Param { name: "step", takes: "int, not 0", default: "1", about: "the distance from row to row" },
        Param {
            name: "per",
            takes: "table or parent",
            default: "table",
            about: "parent: begins anew at every parent, as the lines of an order do",
        },
        Param {
            name: "cycle",
            takes: "int above 0",
            default: "none",
            about: "values stay below `start` + `cycle`: what lies beyond comes round to `start` again",
        },
    ],
    bare: Some("start"),
    example: "{type: int, sequence: {start: 1000, step: 10}}",
    build,
};

#[derive(Debug)]
struct Sequence {
    start: i64,
    step: i64,
    /// How many values there are before they come round.
    cycle: Option<u64>,
    /// The table whose rows are counted within their parent.
    siblings: Option<usize>,
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
    let cycle = match fields.get("cycle") {
        Some(place) => match place.count() {
            Some(0) => place.problem("a cycle of 0 holds no value", "at least 1"),
            cycle => cycle.map(Some),
        },
        None => Some(None),
    };
    let per =
        fields.get("per").map_or(Some(0), |place| match (place.one_of("span", &["table", "parent"]), site.parent()) {
            (Some(1), None) => place.problem("the table has no parent", "`per: table`"),
            (per, _) => per,
        });
    fields.finish();
    let (start, step, cycle) = (start?, step?, cycle?);
    let furthest = i128::from(step) * i128::from(site.rows_most().saturating_sub(1));
    let last = i128::from(start) + cycle.map_or(furthest, |cycle| i128::from(cycle) - 1);
    if i64::try_from(last).is_err() {
        return place.problem(format!("the last row would have number {last}"), "a number of 64 bits");
    }
    let siblings = (per? == 1).then_some(site.table);
    Some(Box::new(Sequence { start, step, cycle, siblings }))
}

impl Sequence {
    fn value(&self, count: u64) -> i64 {
        let Some(cycle) = self.cycle else {
            return self.start.wrapping_add(self.step.wrapping_mul(count as i64));
        };
        let distance = (i128::from(self.step) * i128::from(count)).rem_euclid(i128::from(cycle));
        self.start + distance as i64
    }
}

impl Generator for Sequence {
    fn kind(&self) -> Type {
        Type::Int
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let frame = draw.frame;
        let Some(table) = self.siblings else { return Ok(ints(frame.rows.map(|row| self.value(row)))) };
        let children = Children { tables: frame.tables, table, scratch: &frame.scratch };
        let mut siblings = 0..0;
        let mut values = Vec::with_capacity(frame.len());
        for at in 0..frame.len() {
            let row = frame.rows.at(at);
            if !siblings.contains(&row) {
                siblings = children.of(children.parent_of(row)?)?;
            }
            values.push(self.value(row - siblings.start));
        }
        Ok(ints(values))
    }

    fn reads(&self) -> Vec<Read> {
        self.siblings.map(|table| Read::Children { table, column: None }).into_iter().collect()
    }

    fn nature(&self) -> Nature {
        match (self.cycle, self.siblings) {
            (None, None) => Nature::Sequence { start: self.start, step: self.step },
            _ => Nature::Derived,
        }
    }

    fn is_unique(&self) -> bool {
        self.cycle.is_none() && self.siblings.is_none()
    }
}
