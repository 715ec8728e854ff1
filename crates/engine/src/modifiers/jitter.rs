//! `jitter` and `time_jitter`: normal noise. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::{Fields, Place};

use super::arithmetic::{kind_of, widened};
use super::change::each;
use super::{Built, Info, Modifier, need_ordered};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::generators::Param;
use crate::math;
use crate::random::key::Key;
use crate::value::Type;

/// How specs name `jitter`.
pub const JITTER: Info = Info {
    name: "jitter",
    about: "adds normal noise, or multiplies by 1 plus normal noise",
    params: &[
        Param { name: "std", takes: "number, not negative", default: "", about: "standard deviation of the noise" },
        Param { name: "mode", takes: "add or mul", default: "add", about: "how the noise is applied" },
    ],
    bare: Some("std"),
    example: "{type: float, constant: 100, modifiers: [{jitter: {std: 0.05, mode: mul}}]}",
    build: jitter,
};

/// How specs name `time_jitter`.
pub const TIME_JITTER: Info = Info {
    name: "time_jitter",
    about: "moves a time by normal noise",
    params: &[Param { name: "std_minutes", takes: "minutes, not negative", default: "", about: "standard deviation" }],
    bare: Some("std_minutes"),
    example: "{type: datetime, datetime_series: {within: {start: 2024-01-01, end: 2024-01-31}, freq: H}, modifiers: [{time_jitter: 10}]}",
    build: time_jitter,
};

#[derive(Debug)]
struct Jitter {
    key: Key,
    std: f64,
    mode: Mode,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Add,
    Mul,
}

fn jitter(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let fields = place.fields()?;
    let std = spread(&fields, "std");
    let mode = fields.get("mode").map_or(Some(0), |place| place.one_of("mode", &["add", "mul"]));
    fields.finish();
    if !kind.is_number() {
        return place.problem(
            format!("`jitter` cannot change values of type {kind}"),
            "a numeric column; times have `time_jitter`",
        );
    }
    let mode = if mode? == 0 { Mode::Add } else { Mode::Mul };
    Some(Some(Box::new(Jitter { key: site.modifier_key("jitter"), std: std?, mode })))
}

fn time_jitter(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let fields = place.fields()?;
    let std = spread(&fields, "std_minutes");
    fields.finish();
    if !kind.is_temporal() {
        return need_ordered(place, "time_jitter", kind);
    }
    let std = std? * 60e6;
    Some(Some(Box::new(Jitter { key: site.modifier_key("time_jitter"), std, mode: Mode::Add })))
}

fn spread(fields: &Fields<'_>, name: &'static str) -> Option<f64> {
    fields.need(name)?.float_where("a spread that is not negative", |x| x >= 0.0)
}

impl Modifier for Jitter {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let is_time = kind_of(&values).is_temporal();
        let units = draw.units(self.key, 0);
        each(&values, |at, value| {
            let noise = self.std * math::normal_quantile(units[at]);
            match self.mode {
                // Times stay whole seconds where they were.
                Mode::Add if is_time => value + (noise / 1e6).round() * 1e6,
                Mode::Add => value + noise,
                Mode::Mul => value * (1.0 + noise),
            }
        })
    }
}
