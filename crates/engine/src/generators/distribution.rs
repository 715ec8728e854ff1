//! `distribution`: numbers from a named distribution, one uniform per value by inversion. Pure.

use arrow::array::{ArrayRef, Float64Array};
use shardmill_shared::spec::{Fields, Place};

use super::shape::Shape;
use super::{Generator, Info, Param};
use crate::compile::site::Site;
use crate::draw::{Draw, Inversion};
use crate::error::Result;
use crate::math;
use crate::measure::{from_measure, power_of_ten, step};
use crate::random::key::Key;
use crate::random::permutation::Permutation;
use crate::random::weighted::Counts;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "distribution",
    about: "numbers from a distribution; parameters stand under `params` or beside `type`",
    params: &[
        Param {
            name: "type",
            takes: "normal, lognormal, uniform, poisson, exponential, gamma, beta, truncated_normal, bernoulli or constant",
            default: "",
            about: "which distribution",
        },
        Param {
            name: "params",
            takes: "map",
            default: "those of the distribution",
            about: "its parameters, as listed below",
        },
        Param {
            name: "clamp",
            takes: "[min, max]",
            default: "none",
            about: "values outside are set to the nearest end",
        },
    ],
    bare: Some("type"),
    example: "{type: 'decimal(10,2)', distribution: {type: lognormal, params: {mean: 3.2, sigma: 0.6}, clamp: [1, 2000]}}",
    build,
};

const TYPES: [&str; 10] = [
    "normal",
    "lognormal",
    "uniform",
    "poisson",
    "exponential",
    "gamma",
    "beta",
    "truncated_normal",
    "bernoulli",
    "constant",
];

/// A distribution and the draws it is fed with.
#[derive(Debug)]
pub(crate) struct Distribution {
    key: Key,
    shape: Shape,
    clamp: Option<(f64, f64)>,
    kind: Type,
    unique: bool,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    Some(Box::new(read(place, site)?))
}

/// Reads a distribution; also used for magnitudes.
pub(crate) fn read(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Distribution> {
    let fields = place.fields()?;
    let kind_of = fields.need("type")?.one_of("distribution", &TYPES);
    let clamp = match fields.get("clamp") {
        Some(place) => Some(clamp(&place)?),
        None => None,
    };
    let shape = match fields.get("params") {
        Some(params) => {
            let params = params.fields()?;
            let shape = kind_of.and_then(|at| shape(TYPES[at], &params, site));
            if kind_of.is_some() {
                params.finish();
            }
            shape
        }
        None => kind_of.and_then(|at| shape(TYPES[at], &fields, site)),
    };
    if kind_of.is_some() {
        fields.finish();
    }
    let shape = shape?;
    let kind = match shape {
        Shape::Poisson(_) => Type::Int,
        Shape::Bernoulli { .. } => Type::Bool,
        _ => site.declared.filter(|kind| kind.is_number()).unwrap_or(Type::Float),
    };
    let unique = site.unique;
    if unique {
        let Shape::Steps { count, .. } = shape else {
            return place.problem(
                "values of this distribution repeat",
                "`type: uniform` of whole numbers, or `sequence`, where values are unique",
            );
        };
        if clamp.is_some() {
            return place.problem("a clamp can make two values equal", "no clamp where values are unique");
        }
        site.enough(place, count as u64)?;
    }
    Some(Distribution { key: site.key(), shape, clamp, kind, unique })
}

fn clamp(place: &Place<'_>) -> Option<(f64, f64)> {
    let ends: Option<Vec<f64>> = place.list()?.iter().map(Place::float).collect();
    match ends?.as_slice() {
        [min, max] if min <= max => Some((*min, *max)),
        [min, max] => place.problem(format!("min {min} is above max {max}"), "[min, max]"),
        other => place.problem(format!("{} numbers are given", other.len()), "[min, max]"),
    }
}

fn shape(name: &str, params: &Fields<'_>, site: &Site<'_, '_>) -> Option<Shape> {
    let positive = |names: &[&'static str], default: f64| match params.get_any(names) {
        Some(place) => place.positive(),
        None => Some(default),
    };
    let spread = |names: &[&'static str]| match params.get_any(names) {
        Some(place) => place.float_where("a spread that is not negative", |x| x >= 0.0),
        None => Some(1.0),
    };
    let ends = |default: (f64, f64)| {
        let low = params.float_or(&["low", "min"], default.0);
        let high = params.float_or(&["high", "max"], default.1);
        let (low, high) = (low?, high?);
        if low > high {
            return params.place.problem(format!("low {low} is above high {high}"), "low at most high");
        }
        Some((low, high))
    };
    Some(match name {
        "normal" => {
            let (mean, std) = (params.float_or(&["mean", "mu"], 0.0), spread(&["std", "sigma", "stddev"]));
            Shape::Normal { mean: mean?, std: std? }
        }
        "lognormal" => {
            let (mean, sigma) = (params.float_or(&["mean", "mu"], 0.0), spread(&["sigma", "std"]));
            Shape::Lognormal { mean: mean?, sigma: sigma? }
        }
        "uniform" => uniform(ends((0.0, 1.0))?, params, site)?,
        "poisson" => {
            let lambda = positive(&["lambda", "mean"], 1.0)?;
            match Counts::poisson(lambda) {
                Ok(counts) => Shape::Poisson(counts),
                Err(error) => return params.place.problem(error.to_string(), "a lambda of at most 1000000"),
            }
        }
        "exponential" => match params.get("rate") {
            Some(rate) => Shape::Exponential { mean: 1.0 / rate.positive()? },
            None => Shape::Exponential { mean: positive(&["mean", "scale"], 1.0)? },
        },
        "gamma" => {
            let (shape, scale) = (positive(&["shape", "k"], 1.0), positive(&["scale", "theta"], 1.0));
            Shape::Gamma { shape: shape?, scale: scale? }
        }
        "beta" => {
            let (alpha, beta, ends) = (positive(&["alpha", "a"], 1.0), positive(&["beta", "b"], 1.0), ends((0.0, 1.0)));
            let (low, high) = ends?;
            Shape::Beta { alpha: alpha?, beta: beta?, low, high }
        }
        "truncated_normal" => {
            let (mean, std) = (params.float_or(&["mean", "mu"], 0.0), positive(&["std", "sigma"], 1.0));
            let (low, high) = ends((f64::NEG_INFINITY, f64::INFINITY))?;
            let (mean, std) = (mean?, std?);
            let (from, to) = (math::normal_cdf((low - mean) / std), math::normal_cdf((high - mean) / std));
            if from >= to {
                return params
                    .place
                    .problem(format!("nothing lies between {low} and {high}"), "ends nearer to the mean");
            }
            Shape::TruncatedNormal { mean, std, from, to }
        }
        "bernoulli" => Shape::Bernoulli { p: params.get("p").map_or(Some(0.5), |place| place.share())? },
        _ => Shape::Constant(params.float_or(&["value"], 0.0)?),
    })
}

/// Whole numbers and decimals are drawn from their own steps, both ends included; binary numbers from the interval.
fn uniform((low, high): (f64, f64), params: &Fields<'_>, site: &Site<'_, '_>) -> Option<Shape> {
    let per_unit = match site.declared {
        Some(Type::Int) => 1.0,
        Some(Type::Decimal { scale, .. }) => power_of_ten(scale),
        _ => return Some(Shape::Uniform { low, high }),
    };
    let (first, last) = ((low * per_unit).ceil(), (high * per_unit).floor());
    if first > last {
        return params
            .place
            .problem(format!("no value of the column's type lies between {low} and {high}"), "a wider interval");
    }
    Some(Shape::Steps { low: first / per_unit, count: last - first + 1.0, per_unit })
}

impl Distribution {
    /// How far a value moves at most when it is rounded to the column's type.
    fn half_step(&self) -> f64 {
        0.5 * step(self.kind)
    }

    /// The value at a uniform number, clamped.
    pub(crate) fn at(&self, unit: f64) -> f64 {
        let value = self.shape.quantile(unit);
        self.clamp.map_or(value, |(min, max)| value.clamp(min, max))
    }
}

impl Generator for Distribution {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        if let (true, Shape::Steps { low, count, per_unit }) = (self.unique, &self.shape) {
            let permutation = Permutation::new(self.key, *count as u64);
            return self.array(draw.frame.rows.map(|row| low + permutation.apply(row) as f64 / per_unit));
        }
        let mut values = Inversion::units(self, draw)?;
        self.shape.quantiles(&mut values);
        if let Some((min, max)) = self.clamp {
            values.iter_mut().for_each(|value| *value = value.clamp(min, max));
        }
        self.array(values)
    }

    fn inversion(&self) -> Option<&dyn Inversion> {
        (self.shape.is_invertible() && !self.unique).then_some(self)
    }

    fn is_unique(&self) -> bool {
        self.unique
    }

    fn range(&self) -> (f64, f64) {
        let (low, high) = self.shape.range();
        self.clamp.map_or((low, high), |(min, max)| (low.clamp(min, max), high.clamp(min, max)))
    }
}

impl Inversion for Distribution {
    fn quantile(&self, unit: f64) -> f64 {
        self.at(unit)
    }

    fn below(&self, value: f64) -> f64 {
        match self.clamp {
            Some((min, _)) if value <= min => 0.0,
            Some((_, max)) if value > max => 1.0,
            _ => self.shape.below(value, self.half_step()),
        }
    }

    fn up_to(&self, value: f64) -> f64 {
        match self.clamp {
            Some((min, _)) if value < min => 0.0,
            Some((_, max)) if value >= max => 1.0,
            _ => self.shape.up_to(value, self.half_step()),
        }
    }

    fn units(&self, draw: &Draw<'_, '_>) -> Result<Vec<f64>> {
        Ok(draw.units(self.key, 0))
    }

    fn array(&self, values: Vec<f64>) -> Result<ArrayRef> {
        from_measure(&Float64Array::from(values), self.kind)
    }
}
