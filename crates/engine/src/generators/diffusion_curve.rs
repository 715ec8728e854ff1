//! `diffusion_curve`: moments that follow an adoption curve over a window. Pure.

use arrow::array::{ArrayRef, Float64Array};
use shardmill_shared::spec::Place;

use super::window::{Window, within};
use super::{Generator, Info, Param};
use crate::compile::site::Site;
use crate::draw::{Draw, Inversion};
use crate::error::Result;
use crate::math;
use crate::measure::from_measure;
use crate::random::key::Key;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "diffusion_curve",
    about: "moments that follow an adoption curve",
    params: &[
        Param {
            name: "within",
            takes: "timeframe, or {start, end}",
            default: "timeframe",
            about: "the first and last moment",
        },
        Param {
            name: "curve_type",
            takes: "logistic, exponential or linear",
            default: "logistic",
            about: "the cumulative share over time",
        },
        Param {
            name: "type",
            takes: "logistic, exponential or linear",
            default: "none",
            about: "the same as `curve_type`",
        },
        Param {
            name: "inflection_point",
            takes: "share of the window",
            default: "0.5",
            about: "logistic: where adoption is fastest",
        },
        Param {
            name: "steepness",
            takes: "number above 0",
            default: "10",
            about: "logistic and exponential: how sharp the curve is",
        },
    ],
    bare: Some("curve_type"),
    example: "{type: datetime, diffusion_curve: {within: {start: 2024-01-01, end: 2024-12-31}, inflection_point: 0.4}}",
    build,
};

#[derive(Debug)]
struct Diffusion {
    key: Key,
    window: Window,
    curve: Curve,
}

/// A cumulative share over the window, both measured from 0 to 1.
#[derive(Debug)]
enum Curve {
    /// 1 / (1 + e^(-k (t - c))), scaled so that it runs from 0 to 1 within the window.
    Logistic {
        center: f64,
        steepness: f64,
        low: f64,
        high: f64,
    },
    /// (e^(k t) - 1) / (e^k - 1).
    Exponential {
        steepness: f64,
    },
    Linear,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let window = within(&fields, site);
    let curve = fields
        .get_any(&["curve_type", "type"])
        .map_or(Some(0), |place| place.one_of("curve", &["logistic", "exponential", "linear"]));
    let center = fields.get("inflection_point").map_or(Some(0.5), |place| place.share());
    let steepness = fields
        .get("steepness")
        .map_or(Some(10.0), |place| place.float_where("a number above 0 and at most 500", |x| x > 0.0 && x <= 500.0));
    fields.finish();
    let (window, center, steepness) = (window?, center?, steepness?);
    let curve = match curve? {
        0 => {
            let share = |t: f64| 1.0 / (1.0 + math::exp(-steepness * (t - center)));
            Curve::Logistic { center, steepness, low: share(0.0), high: share(1.0) }
        }
        1 => Curve::Exponential { steepness },
        _ => Curve::Linear,
    };
    Some(Box::new(Diffusion { key: site.key(), window, curve }))
}

impl Curve {
    /// When the share `unit` has adopted.
    fn quantile(&self, unit: f64) -> f64 {
        match self {
            Self::Logistic { center, steepness, low, high } => {
                let share = low + unit * (high - low);
                center + math::ln(share / (1.0 - share)) / steepness
            }
            Self::Exponential { steepness } => math::ln_1p(unit * math::exp_m1(*steepness)) / steepness,
            Self::Linear => unit,
        }
    }

    /// The share that has adopted by `t`.
    fn cdf(&self, t: f64) -> f64 {
        let t = t.clamp(0.0, 1.0);
        match self {
            Self::Logistic { center, steepness, low, high } => {
                (1.0 / (1.0 + math::exp(-steepness * (t - center))) - low) / (high - low)
            }
            Self::Exponential { steepness } => math::exp_m1(steepness * t) / math::exp_m1(*steepness),
            Self::Linear => t,
        }
    }
}

impl Generator for Diffusion {
    fn kind(&self) -> Type {
        Type::Time
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let values = draw.units(self.key, 0).into_iter().map(|unit| Inversion::quantile(self, unit)).collect();
        self.array(values)
    }

    fn inversion(&self) -> Option<&dyn Inversion> {
        Some(self)
    }

    fn range(&self) -> (f64, f64) {
        (self.window.start as f64, self.window.end as f64)
    }
}

impl Inversion for Diffusion {
    fn quantile(&self, unit: f64) -> f64 {
        let (start, end) = (self.window.start as f64, self.window.end as f64);
        let moment = start + self.curve.quantile(unit).clamp(0.0, 1.0) * (end - start);
        // Whole seconds, as people log them.
        ((moment / 1e6).floor() * 1e6).max(start)
    }

    fn below(&self, value: f64) -> f64 {
        let (start, end) = (self.window.start as f64, self.window.end as f64);
        if value <= start {
            return 0.0;
        }
        let first = (value / 1e6).ceil() * 1e6;
        self.curve.cdf((first - start) / (end - start).max(1.0))
    }

    fn up_to(&self, value: f64) -> f64 {
        self.below(value.floor() + 1.0)
    }

    fn units(&self, draw: &Draw<'_, '_>) -> Result<Vec<f64>> {
        Ok(draw.units(self.key, 0))
    }

    fn array(&self, values: Vec<f64>) -> Result<ArrayRef> {
        from_measure(&Float64Array::from(values), Type::Time)
    }
}
