//! What changes values after they are made, in the order listed: one file per family, one line here. Pure.

use std::fmt::Debug;

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::generators::{Param, Read};
use crate::value::Type;

mod change;
pub mod arithmetic;
pub mod jitter;
pub mod map_values;
pub mod seasonality;
pub mod trend;
pub mod effect;
pub mod outliers;
pub mod anomaly;

/// A change of values: a pure function of key, row and value.
pub trait Modifier: Debug + Send + Sync {
    /// The type of the values after the change.
    fn kind(&self, before: Type) -> Type {
        before
    }

    /// The changed values.
    ///
    /// # Errors
    /// When a column it reads fails.
    fn apply(&self, values: ArrayRef, draw: &Draw<'_, '_>) -> Result<ArrayRef>;

    /// What it reads, for the order of evaluation.
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }
}

/// A modifier as built: `None` when it is refused, `Some(None)` when it has been honoured elsewhere.
pub type Built = Option<Option<Box<dyn Modifier>>>;

/// One modifier: how specs name it and how it is made.
pub struct Info {
    /// Its key.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its arguments.
    pub params: &'static [Param],
    /// The argument that a bare value stands for: `multiply: 1.2` is `multiply: {factor: 1.2}`.
    pub bare: Option<&'static str>,
    /// A column that uses it, as YAML, complete but for its name.
    pub example: &'static str,
    /// Makes it for a column whose values have the given type before it; `Some(None)` when it has been honoured elsewhere.
    pub build: fn(&Place<'_>, &Site<'_, '_>, Type) -> Built,
}

/// All modifiers.
pub const MODIFIERS: &[Info] = &[
    arithmetic::MULTIPLY,
    arithmetic::ADD,
    arithmetic::CLAMP,
    jitter::JITTER,
    jitter::TIME_JITTER,
    map_values::INFO,
    seasonality::INFO,
    trend::INFO,
    effect::INFO,
    outliers::INFO,
    anomaly::INFO,
];

/// The modifier of a name.
pub fn find(name: &str) -> Option<&'static Info> {
    MODIFIERS.iter().find(|info| info.name == name)
}

/// Refuses a modifier that needs an ordered type.
pub(crate) fn need_ordered<T>(place: &Place<'_>, name: &str, kind: Type) -> Option<T> {
    place.problem(format!("`{name}` cannot change values of type {kind}"), "a numeric or datetime column")
}
