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
    /// A column holds what a model answers, and it was not asked.
    #[error("the values of column `{table}.{column}` are answers of a model, which were not given")]
    Unanswered {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// What a counting stage found cannot be read.
    #[error("page {page} of a table's counts cannot be read: {reason}")]
    Counts {
        /// The page.
        page: u64,
        /// What happened.
        reason: String,
    },
    /// An expression could not be evaluated.
    #[error("expression: {0}")]
    Expression(#[from] ExpressionError),
    /// An Arrow kernel refused its input.
    #[error("arrow: {0}")]
    Arrow(#[from] ArrowError),
}

impl EngineError {
    /// The error as one of a column, unless it names its place already.
    pub(crate) fn of_column(self, table: &str, column: &str) -> Self {
        match self {
            Self::Expression(_) | Self::Arrow(_) => {
                let (table, column) = (table.to_owned(), column.to_owned());
                Self::Column { table, column, message: self.to_string() }
            }
            placed => placed,
        }
    }
}

/// The engine's result.
pub type Result<T> = std::result::Result<T, EngineError>;
