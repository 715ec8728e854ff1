//! `outliers`: a share of values far too high or too low, by a draw of its own role. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::arithmetic::widened;
use super::change::each;
use super::{Built, Info, Modifier};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::generators::Param;
use crate::generators::distribution::{self, Distribution};
use crate::math;
use crate::random::key::Key;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "outliers",
    about: "makes a share of values too high (×(1+m)) or too low (÷(1+m)), with a drawn magnitude m",
    params: &[
        Param { name: "rate", takes: "share from 0 to 1", default: "", about: "how many values" },
        Param { name: "mode", takes: "spike or drop", default: "spike", about: "too high or too low" },
        Param {
            name: "magnitude_dist",
            takes: "a distribution",
            default: "lognormal 0, 0.5, clamped to [0.1, 10]",
            about: "the magnitude m",
        },
    ],
    bare: Some("rate"),
    example: "{type: float, constant: 10, modifiers: [{outliers: {rate: 0.5, mode: spike}}]}",
    build,
};

#[derive(Debug)]
struct Outliers {
    key: Key,
    rate: f64,
    mode: Mode,
    magnitude: Option<Distribution>,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Spike,
    Drop,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let fields = place.fields()?;
    let rate = fields.need("rate").and_then(|place| place.share());
    let mode = fields.get("mode").map_or(Some(0), |place| place.one_of("mode", &["spike", "drop"]));
    let magnitude = fields.get("magnitude_dist").map(|place| distribution::read(&place, &site.undeclared()));
    for name in ["burst", "allow_exceed"] {
        fields.refuse(name, "outliers are drawn one by one");
    }
    fields.finish();
    if kind.is_temporal() {
        place.warn("outliers cannot scale a datetime column; it is left as it is");
        return Some(None);
    }
    if !kind.is_number() {
        return place.problem(format!("`outliers` cannot change values of type {kind}"), "a numeric column");
    }
    let magnitude = match magnitude {
        Some(magnitude) => Some(magnitude?),
        None => None,
    };
    let mode = if mode? == 0 { Mode::Spike } else { Mode::Drop };
    Some(Some(Box::new(Outliers { key: site.modifier_key("outliers"), rate: rate?, mode, magnitude })))
}

impl Outliers {
    fn magnitude(&self, unit: f64) -> f64 {
        match &self.magnitude {
            Some(distribution) => distribution.at(unit).max(0.0),
            None => math::exp(0.5 * math::normal_quantile(unit)).clamp(0.1, 10.0),
        }
    }
}

impl Modifier for Outliers {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let chosen = draw.units(self.key, 0);
        let magnitudes = draw.key(self.key, 1);
        each(&values, |at, value| {
            if chosen[at] >= self.rate {
                return value;
            }
            let factor = 1.0 + self.magnitude(magnitudes.unit(draw.frame.rows.at(at)));
            match self.mode {
                Mode::Spike => value * factor,
                Mode::Drop => value / factor,
            }
        })
    }
}
