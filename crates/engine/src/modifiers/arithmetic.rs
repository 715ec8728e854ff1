//! `multiply`, `add`, `clamp`: the same change for every row. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::{Place, Value};

use super::{Built, Info, Modifier, need_ordered};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::generators::Param;
use crate::generators::choice::time;
use crate::measure::{from_measure, measure};
use crate::value::Type;

/// How specs name `multiply`.
pub const MULTIPLY: Info = Info {
    name: "multiply",
    about: "multiplies by a factor",
    params: &[Param { name: "factor", takes: "number", default: "", about: "the factor" }],
    bare: Some("factor"),
    example: "{type: float, distribution: {type: uniform, params: {low: 1, high: 2}}, modifiers: [{multiply: 1.2}]}",
    build: |place, _, kind| {
        let factor = single(place, "factor", |place| place.float())?;
        numeric(place, "multiply", kind)?;
        Some(Some(Box::new(Affine { factor, add: 0.0, kind: widened(kind) })))
    },
};

/// How specs name `add`.
pub const ADD: Info = Info {
    name: "add",
    about: "adds a number; to a datetime or date, so many seconds",
    params: &[Param { name: "value", takes: "number", default: "", about: "what is added" }],
    bare: Some("value"),
    example: "{type: int, sequence: {}, modifiers: [{add: 1000}]}",
    build: |place, _, kind| {
        let value = single(place, "value", |place| place.float())?;
        if !kind.is_number() && !kind.is_temporal() {
            return need_ordered(place, "add", kind);
        }
        let add = if kind.is_temporal() { value * 1e6 } else { value };
        Some(Some(Box::new(Affine { factor: 1.0, add, kind: widened(kind) })))
    },
};

/// How specs name `clamp`.
pub const CLAMP: Info = Info {
    name: "clamp",
    about: "sets values outside to the nearest end",
    params: &[
        Param { name: "min", takes: "number or time", default: "none", about: "the least value" },
        Param { name: "max", takes: "number or time", default: "none", about: "the greatest value" },
    ],
    bare: None,
    example: "{type: float, distribution: {type: normal}, modifiers: [{clamp: {min: -2, max: 2}}]}",
    build: clamp,
};

/// `x · factor + add`.
#[derive(Debug)]
struct Affine {
    factor: f64,
    add: f64,
    kind: Type,
}

#[derive(Debug)]
struct Clamp {
    min: f64,
    max: f64,
}

/// Whole numbers become binary numbers, so that several modifiers do not round in between.
pub(super) fn widened(kind: Type) -> Type {
    if kind == Type::Int { Type::Float } else { kind }
}

fn single<T>(place: &Place<'_>, name: &'static str, read: impl Fn(&Place<'_>) -> Option<T>) -> Option<T> {
    let fields = place.fields()?;
    let value = fields.need(name);
    fields.finish();
    read(&value?)
}

fn numeric(place: &Place<'_>, name: &str, kind: Type) -> Option<()> {
    if kind.is_number() {
        Some(())
    } else {
        place.problem(format!("`{name}` cannot change values of type {kind}"), "a numeric column")
    }
}

fn clamp(place: &Place<'_>, _: &Site<'_, '_>, kind: Type) -> Built {
    if !kind.is_number() && !kind.is_temporal() {
        return need_ordered(place, "clamp", kind);
    }
    let fields = place.fields()?;
    let end = |name: &'static str, default: f64| match fields.get(name) {
        None => Some(default),
        Some(place) if matches!(place.node.value, Value::Text(_)) && kind.is_temporal() => {
            time(&place).map(|t| t as f64)
        }
        Some(place) => place.float(),
    };
    let (min, max) = (end("min", f64::NEG_INFINITY), end("max", f64::INFINITY));
    fields.finish();
    let (min, max) = (min?, max?);
    if min > max {
        return place.problem(format!("min {min} is above max {max}"), "min at most max");
    }
    Some(Some(Box::new(Clamp { min, max })))
}

impl Modifier for Affine {
    fn kind(&self, _: Type) -> Type {
        self.kind
    }

    fn apply(&self, values: ArrayRef, _: &Draw<'_, '_>) -> Result<ArrayRef> {
        from_measure(&measure(&values)?.unary(|x| x * self.factor + self.add), self.kind)
    }
}

impl Modifier for Clamp {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, _: &Draw<'_, '_>) -> Result<ArrayRef> {
        let kind = widened(kind_of(&values));
        from_measure(&measure(&values)?.unary(|x| x.clamp(self.min, self.max)), kind)
    }
}

/// The type of an array of ordered values.
pub(super) fn kind_of(values: &ArrayRef) -> Type {
    use arrow::datatypes::DataType;
    match values.data_type() {
        DataType::Int64 => Type::Int,
        DataType::Timestamp(..) => Type::Time,
        DataType::Date32 => Type::Date,
        DataType::Decimal128(precision, scale) => Type::Decimal { precision: *precision, scale: *scale },
        DataType::Boolean => Type::Bool,
        DataType::Float64 => Type::Float,
        _ => Type::Text,
    }
}
