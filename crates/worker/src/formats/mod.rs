//! File formats: one file per format behind one trait. A writer turns batches into the bytes of one data file; a reader
//! streams such a file back. Equal batches give equal bytes: no clock, host or attempt reaches a file.

mod options;
mod error;
mod parquet;
mod csv;
mod jsonl;
mod json;
mod arrow;
mod text;
mod conform;

use std::io::Write;
use std::path::Path;

use ::arrow::array::RecordBatch;
use ::arrow::datatypes::SchemaRef;

pub use error::FormatError;
pub use options::{Compression, CsvOptions, WriteOptions};

/// Every format, in the order in which they are listed to users.
pub const FORMATS: &[&dyn Format] = &[&parquet::Parquet, &csv::Csv, &jsonl::JsonLines, &json::Json, &arrow::ArrowFile];

/// The format that a spec calls `name`.
pub fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}

/// The batches of one file, in order.
pub type Batches = Box<dyn Iterator<Item = Result<RecordBatch, FormatError>> + Send>;

/// Where a file's bytes go. Whoever opened it also closes, syncs and renames it.
pub type Output<'a> = Box<dyn Write + Send + 'a>;

/// One file format.
pub trait Format: Send + Sync {
    /// The name in specs: `parquet`, `csv`, `jsonl`, `json` or `arrow`.
    fn name(&self) -> &'static str;

    /// The extension of an uncompressed file, without the dot.
    fn extension(&self) -> &'static str;

    /// The extension of a file written with `compression`. Text is compressed as a whole, so it gains `.zst`.
    fn extension_with(&self, compression: Compression) -> String {
        let _ = compression;
        self.extension().to_owned()
    }

    /// What a spec without `compression` gets.
    fn default_compression(&self) -> Compression {
        Compression::None
    }

    /// Whether files can be compressed this way.
    fn accepts(&self, compression: Compression) -> bool;

    /// Starts one file.
    ///
    /// # Errors
    /// A compression or a column type that the format does not have, an option that makes no sense, or a failed write.
    fn writer<'a>(
        &self,
        schema: SchemaRef,
        options: &WriteOptions,
        out: Output<'a>,
    ) -> Result<Box<dyn TableWriter + 'a>, FormatError>;

    /// Streams a file that was written with `options` and `schema` back in batches of bounded rows: the named `columns`
    /// in that order (all of them for `None`), in the types of `schema`.
    ///
    /// # Errors
    /// A file that cannot be read or is not of this format, or a column that `schema` or the file does not have.
    /// Values that do not have their column's type are reported by the iterator.
    fn open(
        &self,
        path: &Path,
        columns: Option<&[String]>,
        schema: SchemaRef,
        options: &WriteOptions,
    ) -> Result<Batches, FormatError>;
}

/// One file being written.
pub trait TableWriter: Send {
    /// Appends the rows of `batch`, which has the schema the writer was made with.
    ///
    /// # Errors
    /// Failed writes; the file is then torn and must be dropped.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), FormatError>;

    /// Ends and flushes the file; returns its number of rows.
    ///
    /// # Errors
    /// Failed writes, as for `write`.
    fn finish(self: Box<Self>) -> Result<u64, FormatError>;

    /// Bytes held in memory for rows that have not reached the output yet.
    fn buffered_bytes(&self) -> usize;
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
