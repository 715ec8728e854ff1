//! Casts on request. Pure.

use super::FunctionInfo;
use crate::expression::cast::convert;

/// The group's functions.
pub(super) const FUNCTIONS: [FunctionInfo; 8] = [
    FunctionInfo::new(
        "int",
        "int(x: any) -> int",
        "A number cut off at the point, a truth value as 0 or 1, or a text read.",
        convert,
    )
    .example("int(-2.7)", "-2"),
    FunctionInfo::new("float", "float(x: any) -> float", "A number, truth value or text as a binary number.", convert)
        .example("float('2.5')", "2.5"),
    FunctionInfo::new("string", "string(x: any) -> string", "Any value as text; datetimes as in ISO 8601.", convert)
        .example("string(1.50)", "1.5"),
    FunctionInfo::new("to_string", "to_string(x: any) -> string", "The same as `string`.", convert)
        .example("to_string(true)", "true"),
    FunctionInfo::new(
        "bool",
        "bool(x: any) -> bool",
        "Whether a number is not 0, or a text `true`, `yes`, `t`, `1` or one of their opposites.",
        convert,
    )
    .example("bool('yes')", "true"),
    FunctionInfo::new(
        "decimal",
        "decimal(x: any, precision: int, scale: int) -> decimal(p,s)",
        "An exact decimal, rounded half to even.",
        convert,
    )
    .example("decimal('2.345', 9, 2)", "2.34"),
    FunctionInfo::new(
        "date",
        "date(x: any) -> date",
        "The day of a datetime, or of a text such as `2024-01-31`.",
        convert,
    )
    .example("date('2024-01-31')", "2024-01-31"),
    FunctionInfo::new(
        "datetime",
        "datetime(x: any) -> datetime",
        "The midnight of a date, or a text such as `2024-01-31T10:00:00Z`; UTC unless it says otherwise.",
        convert,
    )
    .example("datetime('2024-01-31T10:00:00+02:00')", "2024-01-31T08:00:00Z"),
];
