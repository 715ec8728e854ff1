//! The types a column can have, and the Arrow arrays that hold them. Pure.

use std::fmt;

use arrow::datatypes::{DataType, Fields, TimeUnit};

/// The time zone of every time inside the engine.
pub const UTC: &str = "UTC";

/// A column's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// 64-bit whole numbers.
    Int,
    /// Binary 64-bit numbers.
    Float,
    /// Text; low-cardinality text may be dictionary arrays.
    Text,
    /// Microseconds since 1970 in UTC.
    Time,
    /// Days since 1970.
    Date,
    /// Exact decimal numbers.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point.
        scale: i8,
    },
    /// Several named values, each of a type of its own: [`crate::column::Column::arrow`] says which. Only models fill such
    /// columns, and specs cannot name the type.
    Struct,
}

impl Type {
    /// The Arrow type, dictionaries aside; of a struct without its fields, which a type does not know.
    pub fn arrow(self) -> DataType {
        match self {
            Self::Bool => DataType::Boolean,
            Self::Int => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::Utf8,
            Self::Time => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Date => DataType::Date32,
            Self::Decimal { precision, scale } => DataType::Decimal128(precision, scale),
            Self::Struct => DataType::Struct(Fields::empty()),
        }
    }

    /// The type of a name as specs write it: `int`, `float`, `string`, `bool`, `datetime`, `date`, `decimal(p,s)`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim() {
            "bool" | "boolean" => Self::Bool,
            "int" | "integer" => Self::Int,
            "float" | "double" => Self::Float,
            "string" | "text" => Self::Text,
            "datetime" | "timestamp" => Self::Time,
            "date" => Self::Date,
            "decimal" => Self::Decimal { precision: 18, scale: 2 },
            other => return decimal(other),
        })
    }

    /// Whether values are numbers.
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Decimal { .. })
    }

    /// Whether values are points in time.
    pub const fn is_temporal(self) -> bool {
        matches!(self, Self::Time | Self::Date)
    }
}

/// The names of [`Type::from_name`], for error messages.
pub const TYPE_NAMES: [&str; 7] = ["int", "float", "string", "bool", "datetime", "date", "decimal(p,s)"];

fn decimal(name: &str) -> Option<Type> {
    let inner = name.strip_prefix("decimal")?.trim().strip_prefix('(')?.strip_suffix(')')?;
    let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
    let (precision, scale) = (precision.trim().parse::<u8>().ok()?, scale.trim().parse::<i8>().ok()?);
    let valid = (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale);
    valid.then_some(Type::Decimal { precision, scale })
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Text => f.write_str("string"),
            Self::Time => f.write_str("datetime"),
            Self::Date => f.write_str("date"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Struct => f.write_str("struct"),
        }
    }
}
