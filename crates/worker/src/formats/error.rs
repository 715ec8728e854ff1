//! Why a file could not be written or read.

use std::io;

use arrow::error::ArrowError;
use parquet::errors::ParquetError;

use super::Compression;

/// A failure of a writer or a reader. `Io` may pass (disk full, store away); everything else comes back if repeated.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The spec asks for something the format does not have.
    #[error("{format} files cannot hold column {column} of type {found}")]
    UnsupportedType {
        /// Name of the format.
        format: &'static str,
        /// Name of the column.
        column: String,
        /// The Arrow type of the column.
        found: String,
    },
    /// The spec asks for a compression the format does not have.
    #[error("{format} files cannot be compressed with {compression}")]
    UnsupportedCompression {
        /// Name of the format.
        format: &'static str,
        /// What was asked for.
        compression: Compression,
    },
    /// An option that would give a file nobody can read back.
    #[error("{option} cannot be {value:?}: {reason}")]
    BadOption {
        /// The option's name in the spec.
        option: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A column was asked for that the schema or the file does not have.
    #[error("there is no column {column}")]
    MissingColumn {
        /// Name of the column.
        column: String,
    },
    /// The file's content is not what its format or schema says.
    #[error("row {row}: {reason}")]
    Malformed {
        /// Number of the row, from 0, at or after which the content is wrong.
        row: u64,
        /// What is wrong.
        reason: String,
    },
    /// The output or the file failed.
    #[error(transparent)]
    Io(io::Error),
    /// The Arrow library refused the data.
    #[error(transparent)]
    Arrow(ArrowError),
    /// The Parquet library refused the data.
    #[error(transparent)]
    Parquet(ParquetError),
}

impl From<io::Error> for FormatError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ArrowError> for FormatError {
    /// A full disk stays recognisable as an `Io` error through the library's own error.
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Io(error),
            ArrowError::ParquetError(message) => Self::Parquet(ParquetError::General(message)),
            other => Self::Arrow(other),
        }
    }
}

impl From<ParquetError> for FormatError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(error) => Self::Io(*error),
                Err(inner) => Self::Parquet(ParquetError::External(inner)),
            },
            other => Self::Parquet(other),
        }
    }
}
