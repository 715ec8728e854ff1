//! `series`: smooth readings of a sensor: value noise, which can be made at any row alone. Pure.

use arrow::array::{Array, ArrayRef, Float64Array};
use shardmill_shared::spec::{Place, Value};

use super::window::Grid;
use super::{Generator, Info, Param, Read};
use crate::civil::DAY_US;
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::fanout::Children;
use crate::frame::Source;
use crate::math;
use crate::measure::{from_measure, measure};
use crate::random::key::Key;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "series",
    about: "smooth readings: neighbours in time are near each other; each parent has a curve of its own",
    params: &[
        Param { name: "mean", takes: "number", default: "0", about: "the level" },
        Param { name: "base", takes: "number", default: "none", about: "the same as `mean`" },
        Param { name: "amplitude", takes: "number", default: "1", about: "how far the curve swings from the level" },
        Param {
            name: "period",
            takes: "frequency (6H, 1D), or a number of rows",
            default: "1D",
            about: "the time in which the curve changes wholly",
        },
        Param {
            name: "over",
            takes: "datetime column",
            default: "the table's first datetime column",
            about: "the time of a row",
        },
        Param {
            name: "daily",
            takes: "number",
            default: "0",
            about: "the amplitude of a daily wave, highest at 15:00",
        },
        Param {
            name: "noise",
            takes: "number",
            default: "0",
            about: "standard deviation of the error of each reading",
        },
        Param {
            name: "octaves",
            takes: "1 to 8",
            default: "3",
            about: "how many finer curves are added, each half as high and twice as quick",
        },
    ],
    bare: Some("mean"),
    example: "{type: float, series: {mean: 21, amplitude: 3, period: 300, noise: 0.1}}",
    build,
};

#[derive(Debug)]
struct Series {
    key: Key,
    mean: f64,
    amplitude: f64,
    daily: f64,
    noise: f64,
    octaves: u64,
    clock: Clock,
    parent: Option<usize>,
    kind: Type,
}

/// What moves the curve on.
#[derive(Debug)]
enum Clock {
    Time { source: Source, period_us: f64 },
    Rows { period: f64 },
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let mean = fields.float_or(&["mean", "base"], 0.0);
    let amplitude = fields.float_or(&["amplitude"], 1.0);
    let daily = fields.float_or(&["daily"], 0.0);
    let noise =
        fields.get("noise").map_or(Some(0.0), |place| place.float_where("a number that is not negative", |x| x >= 0.0));
    let octaves =
        fields.get("octaves").map_or(Some(3.0), |place| place.float_where("1 to 8", |x| (1.0..=8.0).contains(&x)));
    let period = fields.get("period");
    let over = fields.get("over");
    fields.finish();
    let rows = match &period {
        Some(place) if matches!(place.node.value, Value::Int(_) | Value::Float(_)) => Some(place.positive()?),
        _ => None,
    };
    let clock = match (rows, over) {
        (Some(period), None) => Clock::Rows { period },
        (Some(_), Some(over)) => {
            return over.problem("a period in rows needs no time", "a period such as 6H, or no `over`");
        }
        (None, over) => {
            let period_us = match &period {
                Some(place) => match Grid::read(place)? {
                    Grid::Every(step) => step as f64,
                    _ => return place.problem("months and years differ in length", "a period in S, T, H, D or W"),
                },
                None => DAY_US as f64,
            };
            let column = match over {
                Some(over) => site.own_time(&over)?,
                None => match site.first_time() {
                    Some(column) => column,
                    None => return place.problem("the table has no datetime column", "`over`, or a `period` in rows"),
                },
            };
            Clock::Time { source: Source::Own(column), period_us }
        }
    };
    Some(Box::new(Series {
        key: site.key(),
        mean: mean?,
        amplitude: amplitude?,
        daily: daily?,
        noise: noise?,
        octaves: octaves? as u64,
        clock,
        parent: site.parent().map(|_| site.table),
        kind: site.declared.filter(|kind| kind.is_number()).unwrap_or(Type::Float),
    }))
}

impl Series {
    /// A smooth curve through one drawn number in -1 to 1 at each whole `x`, for one parent and octave.
    fn wave(&self, parent: u64, octave: u64, x: f64) -> f64 {
        let key = self.key.number(2 + octave);
        let cell = x.floor();
        let at = |cell: f64| {
            let row = Key::from_words(key.draw(parent), key.number(16).draw(parent));
            2.0 * row.unit(cell as i64 as u64) - 1.0
        };
        let part = x - cell;
        let smooth = part * part * part * (part * (part * 6.0 - 15.0) + 10.0);
        let (before, after) = (at(cell), at(cell + 1.0));
        before + (after - before) * smooth
    }

    fn value(&self, parent: u64, x: f64) -> f64 {
        let (mut sum, mut height, mut scale) = (0.0, 1.0, 1.0);
        for octave in 0..self.octaves {
            sum += height * self.wave(parent, octave, x * scale);
            height *= 0.5;
            scale *= 2.0;
        }
        self.mean + self.amplitude * sum
    }
}

impl Generator for Series {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let frame = draw.frame;
        let times = match &self.clock {
            Clock::Time { source, .. } => Some(measure(&frame.read_plain(*source)?)?),
            Clock::Rows { .. } => None,
        };
        let errors = if self.noise > 0.0 { draw.units(self.key, 0) } else { Vec::new() };
        let mut siblings = 0..0;
        let mut parent = 0;
        let mut values = Vec::with_capacity(frame.len());
        for at in 0..frame.len() {
            let row = frame.rows.at(at);
            if let Some(table) = self.parent
                && !siblings.contains(&row)
            {
                let children = Children { tables: frame.tables, table, scratch: &frame.scratch };
                parent = children.parent_of(row)?;
                siblings = children.of(parent)?;
            }
            let mut value = match (&self.clock, &times) {
                (Clock::Time { period_us, .. }, Some(times)) if times.is_valid(at) => {
                    let time = times.value(at);
                    let wave = if self.daily == 0.0 {
                        0.0
                    } else {
                        // Highest at 15:00, when the air is warmest.
                        let share = (time / DAY_US as f64 - 15.0 / 24.0).rem_euclid(1.0);
                        self.daily * math::cos(std::f64::consts::TAU * share)
                    };
                    self.value(parent, time / period_us) + wave
                }
                (Clock::Rows { period }, _) => self.value(parent, (row - siblings.start) as f64 / period),
                _ => self.mean,
            };
            if let Some(unit) = errors.get(at) {
                value += self.noise * math::normal_quantile(*unit);
            }
            values.push(value);
        }
        from_measure(&Float64Array::from(values), self.kind)
    }

    fn reads(&self) -> Vec<Read> {
        let mut reads = Vec::new();
        if let Clock::Time { source, .. } = self.clock {
            reads.push(Read::Column(source));
        }
        reads.extend(self.parent.map(|table| Read::Children { table, column: None }));
        reads
    }
}
