//! Where values come from: one file per generator, one line here. Pure.

use std::fmt::Debug;

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use crate::compile::site::Site;
use crate::draw::{Draw, Inversion};
use crate::error::Result;
use crate::filling::{Filling, Shape};
use crate::frame::Source;
use crate::value::Type;

pub mod sequence;
pub mod choice;
pub mod distribution;
pub mod datetime_series;
pub mod diffusion_curve;
pub mod faker;
pub mod lookup;
pub mod expression;
pub mod enum_list;
pub mod constant;
pub mod uuid;
pub mod id_format;
pub mod series;
pub mod rollup;
pub(crate) mod filled;
pub mod llm_text;
pub mod llm_choice;
pub mod llm_json;
pub mod llm_judge;
pub(crate) mod shape;
pub mod window;
pub mod calendar;

/// A source of values: a pure function of key and row.
pub trait Generator: Debug + Send + Sync {
    /// The type of the values, before the column's own type is applied.
    fn kind(&self) -> Type;

    /// The values for the rows of a draw.
    ///
    /// # Errors
    /// When a value cannot be made, or a column it reads fails.
    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef>;

    /// What it reads, for the order of evaluation.
    fn reads(&self) -> Vec<Read> {
        Vec::new()
    }

    /// What a model is asked for its values, when they are answers.
    fn filling(&self) -> Option<&Filling> {
        None
    }

    /// What its values consist of, when they are structs.
    fn shape(&self) -> Option<&Shape> {
        None
    }

    /// Its inverse distribution, when it draws one uniform number per value.
    fn inversion(&self) -> Option<&dyn Inversion> {
        None
    }

    /// What other columns can conclude from it.
    fn nature(&self) -> Nature {
        Nature::Drawn
    }

    /// Whether different rows have different values, by construction.
    fn is_unique(&self) -> bool {
        false
    }

    /// Whether some values may be null.
    fn may_be_null(&self) -> bool {
        false
    }

    /// The least and greatest value in the measure, where known.
    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }
}

/// What other columns can conclude from a generator.
#[derive(Clone, Debug, PartialEq)]
pub enum Nature {
    /// Values are drawn and may be drawn again.
    Drawn,
    /// Values follow from other columns and cannot be drawn again.
    Derived,
    /// Values repeat a column of the row that a link leads to.
    Copied {
        /// The link, by position.
        link: usize,
        /// The column of the target, by position.
        column: usize,
    },
    /// The row with value `start + step · row`.
    Sequence {
        /// The first value.
        start: i64,
        /// The step.
        step: i64,
    },
}

/// What a generator or modifier reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    /// A column of its own row or of a related one.
    Column(Source),
    /// A column of the row's children.
    Children {
        /// The child table, by position.
        table: usize,
        /// The column, by position; `None` when only their number matters.
        column: Option<usize>,
    },
    /// A column of all rows of a table.
    Whole {
        /// The table, by position.
        table: usize,
        /// The column, by position.
        column: usize,
    },
}

/// What a parameter is, for errors, editors and the documentation.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its key.
    pub name: &'static str,
    /// What it takes: a type, with its unit.
    pub takes: &'static str,
    /// Its default, as written; empty when it must be given.
    pub default: &'static str,
    /// What it does.
    pub about: &'static str,
}

/// One generator: how specs name it and how it is made.
pub struct Info {
    /// Its key.
    pub name: &'static str,
    /// What it makes.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// The parameter that a bare value stands for: `faker: email` is `faker: {method: email}`.
    pub bare: Option<&'static str>,
    /// A column that uses it, as YAML, complete but for its name.
    pub example: &'static str,
    /// Makes it from what is written; problems are reported at the place.
    pub build: fn(&Place<'_>, &Site<'_, '_>) -> Option<Box<dyn Generator>>,
}

/// All generators.
pub const GENERATORS: &[Info] = &[
    sequence::INFO,
    choice::INFO,
    distribution::INFO,
    datetime_series::INFO,
    diffusion_curve::INFO,
    faker::INFO,
    lookup::INFO,
    expression::INFO,
    enum_list::INFO,
    constant::INFO,
    uuid::INFO,
    id_format::INFO,
    series::INFO,
    rollup::INFO,
    llm_text::INFO,
    llm_choice::INFO,
    llm_json::INFO,
    llm_judge::INFO,
];

/// Generators whose values models answer: the engine alone makes none.
pub const ANSWERED: &[&str] = &["llm_text", "llm_choice", "llm_json", "llm_judge"];

/// The generator of a name.
pub fn find(name: &str) -> Option<&'static Info> {
    GENERATORS.iter().find(|info| info.name == name)
}
