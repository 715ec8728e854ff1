//! `anomaly`: days on which a numeric column is multiplied. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::{Fields, Place};

use super::arithmetic::widened;
use super::change::by_time;
use super::{Built, Info, Modifier};
use crate::civil::DAY_US;
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::generators::choice::time;
use crate::generators::{Param, Read};
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "anomaly",
    about: "multiplies on some days, by the row's first datetime column",
    params: &[
        Param { name: "spike_dates", takes: "list of dates", default: "none", about: "days of unusually high values" },
        Param { name: "spike_multiplier", takes: "number, not negative", default: "3", about: "their factor" },
        Param { name: "drop_dates", takes: "list of dates", default: "none", about: "days of unusually low values" },
        Param { name: "drop_multiplier", takes: "number, not negative", default: "0.2", about: "their factor" },
    ],
    bare: None,
    example: "{type: float, constant: 10, modifiers: [{anomaly: {spike_dates: [2024-11-29], spike_multiplier: 4}}]}",
    build,
};

#[derive(Debug)]
struct Anomaly {
    time: Source,
    spikes: Vec<i64>,
    spike: f64,
    drops: Vec<i64>,
    drop: f64,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let fields = place.fields()?;
    let factor = |name: &'static str, default: f64| {
        fields.get(name).map_or(Some(default), |place| place.float_where("a factor that is not negative", |x| x >= 0.0))
    };
    let (spikes, spike) = (dates(&fields, "spike_dates"), factor("spike_multiplier", 3.0));
    let (drops, drop) = (dates(&fields, "drop_dates"), factor("drop_multiplier", 0.2));
    fields.finish();
    if !kind.is_number() {
        return place.problem(format!("`anomaly` cannot change values of type {kind}"), "a numeric column");
    }
    let Some(time) = site.first_time() else {
        return place.problem("the table has no datetime column", "a datetime or date column in this table");
    };
    let anomaly = Anomaly { time: Source::Own(time), spikes: spikes?, spike: spike?, drops: drops?, drop: drop? };
    Some(Some(Box::new(anomaly)))
}

fn dates(fields: &Fields<'_>, name: &'static str) -> Option<Vec<i64>> {
    let Some(place) = fields.get(name) else { return Some(Vec::new()) };
    let days: Option<Vec<i64>> = place.list()?.iter().map(|item| Some(time(item)?.div_euclid(DAY_US))).collect();
    let mut days = days?;
    days.sort_unstable();
    Some(days)
}

impl Modifier for Anomaly {
    fn kind(&self, before: Type) -> Type {
        widened(before)
    }

    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        by_time(&values, draw, self.time, |time| {
            let day = (time as i64).div_euclid(DAY_US);
            let factor = |days: &[i64], factor: f64| if days.binary_search(&day).is_ok() { factor } else { 1.0 };
            factor(&self.spikes, self.spike) * factor(&self.drops, self.drop)
        })
    }

    fn reads(&self) -> Vec<Read> {
        vec![Read::Column(self.time)]
    }
}
