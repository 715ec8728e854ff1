//! `trend`: growth over the years since the start of the timeframe. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::arithmetic::widened;
use super::change::by_time;
use super::{Built, Info, Modifier};
use crate::civil::YEAR_US;
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::generators::{Param, Read};
use crate::math;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "trend",
    about: "multiplies by growth since the start of the timeframe, in years of 365.25 days",
    params: &[
        Param {
            name: "type",
            takes: "exponential, linear or logarithmic",
            default: "exponential",
            about: "(1+g)^years, 1+g·years, or 1+a·ln(1+b·years)",
        },
        Param {
            name: "curve_type",
            takes: "exponential, linear or logarithmic",
            default: "none",
            about: "the same as `type`",
        },
        Param {
            name: "growth_rate",
            takes: "share a year, above -1",
            default: "0",
            about: "g; exponential and linear",
        },
        Param { name: "params", takes: "{a, b}", default: "a 0.1, b 1", about: "logarithmic" },
        Param {
            name: "time_reference",
            takes: "datetime column",
            default: "the table's first datetime column",
            about: "the time of a row",
        },
    ],
    bare: Some("growth_rate"),
    example: "{type: float, constant: 100, modifiers: [{trend: {growth_rate: 0.1, time_reference: at}}]}",
    build,
};

#[derive(Debug)]
struct Trend {
    time: Source,
    start_us: f64,
    curve: Curve,
}

#[derive(Debug)]
enum Curve {
    Exponential(f64),
    Linear(f64),
    Logarithmic { a: f64, b: f64 },
}

fn build(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let fields = place.fields()?;
    let curve = fields
        .get_any(&["type", "curve_type"])
        .map_or(Some(0), |place| place.one_of("trend", &["exponential", "linear", "logarithmic"]));
    let rate = fields.get("growth_rate").map_or(Some(0.0), |place| place.float_where("a rate above -1", |x| x > -1.0));
    let params = fields.get("params").map(|params| {
        let fields = params.fields()?;
        let (a, b) = (fields.float_or(&["a"], 0.1), fields.get("b").map_or(Some(1.0), |place| place.positive()));
        fields.finish();
        Some((a?, b?))
    });
    let reference = fields.get("time_reference");
    fields.finish();
    if !kind.is_number() {
        return place.problem(format!("`trend` cannot change values of type {kind}"), "a numeric column");
    }
    let (a, b) = params.unwrap_or(Some((0.1, 1.0)))?;
    let time = match reference {
        Some(reference) => site.own_time(&reference)?,
        None => match site.first_time() {
            Some(time) => time,
            None => {
                return place.problem("the table has no datetime column", "a datetime or date column in this table");
            }
        },
    };
    let curve = match curve? {
        0 => Curve::Exponential(rate?),
        1 => Curve::Linear(rate?),
        _ => Curve::Logarithmic { a, b },
    };
    let start_us = site.timeframe(place)?.start as f64;
    Some(Some(Box::new(Trend { time: Source::Own(time), start_us, curve })))
}

impl Curve {
    fn factor(&self, years: f64) -> f64 {
        match self {
            Self::Exponential(rate) => math::pow(1.0 + rate, years),
            Self::Linear(rate) => (1.0 + rate * years).max(0.0),
            Self::Logarithmic { a, b } => 1.0 + a * math::ln_1p(b * years.max(0.0)),
        }
    }
}

impl Modifier for Trend {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        by_time(&values, draw, self.time, |time| self.curve.factor((time - self.start_us) / YEAR_US))
    }

    fn reads(&self) -> Vec<Read> {
        vec![Read::Column(self.time)]
    }
}
