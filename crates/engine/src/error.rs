//! What can go wrong while rows are made. A spec that compiled fails only where a value itself is impossible.

use arrow::error::ArrowError;
use thiserror::Error;

use crate::expression::ExpressionError;

/// A failure while rows are made.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A column could not be evaluated.
    #[error("column `{table}.{column}`: {message}")]
    Column {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What happened, with the value.
        message: String,
    },
    /// A table's counting stage has not been given to the engine.
    #[error("the rows of table `{table}` are not counted yet")]
    NotCounted {
        /// The table.
        table: String,
    },
    /// An expression could not be evaluated.
    #[error("expression: {0}")]
    Expression(#[from] ExpressionError),
    /// An Arrow kernel refused its input.
    #[error("arrow: {0}")]
    Arrow(#[from] ArrowError),
}

/// The engine's result.
pub type Result<T> = std::result::Result<T, EngineError>;
