//! What a finished dataset must satisfy: the constraints and targets of a spec, and what follows from its structure. Pure.

use regex::Regex;

use crate::generators::calendar::Pattern;

/// A column of a table, both by position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Field {
    /// The table.
    pub table: usize,
    /// The column.
    pub column: usize,
}

/// All rules of a spec.
#[derive(Debug, Default)]
pub struct Rules {
    /// No two rows have the same value.
    pub unique: Vec<Field>,
    /// Every value of the first stands in the second.
    pub foreign_keys: Vec<(Field, Field)>,
    /// Values lie between a least and a greatest, in the measure of the column's type.
    pub ranges: Vec<RangeRule>,
    /// One column of a row compared with another of the same row.
    pub inequalities: Vec<Inequality>,
    /// Values match a pattern.
    pub patterns: Vec<(Field, Regex)>,
    /// Values are among some texts.
    pub enums: Vec<(Field, EnumValues)>,
    /// Figures over the whole dataset.
    pub targets: Vec<Target>,
}

/// A least and a greatest value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RangeRule {
    /// The column.
    pub field: Field,
    /// The least value, in the measure.
    pub min: Option<f64>,
    /// The greatest value, in the measure.
    pub max: Option<f64>,
}

/// One column of a row compared with another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inequality {
    /// The column on the left.
    pub left: Field,
    /// The comparison.
    pub op: Comparison,
    /// The column on the right, in the same table.
    pub right: Field,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}

impl Comparison {
    /// The signs in specs.
    pub const SIGNS: [&'static str; 5] = ["<", "<=", ">", ">=", "=="];
    /// In the order of [`Self::SIGNS`].
    pub const ALL: [Self; 5] = [Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual, Self::Equal];

    /// Whether `left` and `right` stand in this relation.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
            Self::Equal => left == right,
        }
    }

    /// The sign.
    pub fn sign(self) -> &'static str {
        Self::SIGNS[Self::ALL.iter().position(|op| *op == self).unwrap_or_default()]
    }
}

/// The texts that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnumValues {
    /// Those listed.
    Listed(Vec<String>),
    /// The values of another column.
    Of(Field),
}

/// A figure over the whole dataset.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The share of Saturdays and Sundays among the times of a column.
    WeekendShare {
        /// The column of times.
        field: Field,
        /// The least share.
        min: f64,
        /// The greatest share.
        max: f64,
    },
    /// The mean of a column.
    MeanInRange {
        /// The column.
        field: Field,
        /// The least mean.
        min: f64,
        /// The greatest mean.
        max: f64,
    },
    /// The histogram of a column of times over weekdays, hours and months follows the product of some patterns.
    CompositeEffect {
        /// The column of times: the table's first.
        field: Field,
        /// The patterns.
        patterns: Vec<Pattern>,
        /// The greatest mean absolute error of the shares.
        mae: f64,
        /// The greatest mean absolute percentage error of the shares, in percent.
        mape: f64,
    },
}
