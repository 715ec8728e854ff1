//! JSON Lines: one object per line, in the dialect of `json`.

use std::path::Path;

use arrow::datatypes::SchemaRef;

use super::json::{JsonDialect, open_json};
use super::text::TextWriter;
use super::{Batches, Compression, Format, FormatError, Output, TableWriter, WriteOptions};

/// JSON Lines.
pub(super) struct JsonLines;

impl Format for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn extension(&self) -> &'static str {
        "jsonl"
    }

    fn extension_with(&self, compression: Compression) -> String {
        super::text::extension(self.extension(), compression)
    }

    fn accepts(&self, compression: Compression) -> bool {
        super::text::accepts(compression)
    }

    fn writer<'a>(
        &self,
        schema: SchemaRef,
        options: &WriteOptions,
        out: Output<'a>,
    ) -> Result<Box<dyn TableWriter + 'a>, FormatError> {
        Ok(Box::new(TextWriter::new(JsonDialect::Lines, &schema, options.compression, out)?))
    }

    fn open(
        &self,
        path: &Path,
        columns: Option<&[String]>,
        schema: SchemaRef,
        _options: &WriteOptions,
    ) -> Result<Batches, FormatError> {
        open_json(path, columns, &schema)
    }
}
