//! CSV: RFC 4180 with line feeds.
//!
//! A field is quoted only when it must be. A null is the null text (empty by default) without quotes; an empty text and
//! a text that reads like a null are quoted, so that the two stay apart. In a table of one column a null is `""`,
//! because readers skip empty lines. Instants are `2024-01-02T03:04:05.000006Z`, always with six digits; dates
//! `2024-01-02`; decimals have all digits of their scale; booleans are `true` and `false`; floats are the shortest
//! text that reads back as the same float, or `NaN`, `inf`, `-inf`. A struct is one field: its JSON.

mod reader;

use std::path::Path;

use arrow::datatypes::{Schema, SchemaRef};

use super::conform::project;
use super::text::{Dialect, Frame, Span, TextWriter, open_text};
use super::{Batches, Compression, CsvOptions, Format, FormatError, Output, TableWriter, WriteOptions};

/// Comma-separated values.
pub(super) struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn extension(&self) -> &'static str {
        "csv"
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
        let dialect = CsvDialect::new(&options.csv, &schema)?;
        Ok(Box::new(TextWriter::new(dialect, &schema, options.compression, out)?))
    }

    fn open(
        &self,
        path: &Path,
        columns: Option<&[String]>,
        schema: SchemaRef,
        options: &WriteOptions,
    ) -> Result<Batches, FormatError> {
        let wanted = project(&schema, columns)?;
        Ok(Box::new(reader::CsvReader::new(open_text(path)?, &schema, wanted, &options.csv)?))
    }
}

/// How CSV prints a cell.
struct CsvDialect {
    options: CsvOptions,
    /// What a null is printed as.
    null: Vec<u8>,
}

impl CsvDialect {
    /// # Errors
    /// Characters that could not be told from values.
    fn new(options: &CsvOptions, schema: &Schema) -> Result<Self, FormatError> {
        check_character("csv.delimiter", options.delimiter)?;
        check_character("csv.quote", options.quote)?;
        let bad = |option, value: &str, reason| Err(FormatError::BadOption { option, value: value.to_owned(), reason });
        if options.quote == options.delimiter {
            return bad("csv.quote", &char::from(options.quote).to_string(), "it is the delimiter");
        }
        if options.null.bytes().any(|byte| breaks_field(byte, options)) {
            return bad("csv.null", &options.null, "it would need quotes, and quoted text is never null");
        }
        if options.null.bytes().next().is_some_and(|byte| byte.is_ascii_digit() || byte == b'-') {
            return bad("csv.null", &options.null, "it could be a number or a date");
        }
        let mut null = options.null.clone().into_bytes();
        if schema.fields().len() == 1 && null.is_empty() {
            null = vec![options.quote; 2];
        }
        Ok(Self { options: options.clone(), null })
    }
}

/// # Errors
/// A character that ends lines or stands in numbers, dates, names of values or beyond ASCII.
fn check_character(option: &'static str, byte: u8) -> Result<(), FormatError> {
    let allowed =
        byte == b'\t' || (byte.is_ascii_graphic() && !byte.is_ascii_alphanumeric() && !b"+-.:_".contains(&byte));
    if allowed {
        return Ok(());
    }
    let value = char::from(byte).to_string();
    Err(FormatError::BadOption { option, value, reason: "use a tab or ASCII punctuation other than + - . : _" })
}

fn breaks_field(byte: u8, options: &CsvOptions) -> bool {
    // One expression without shortcuts, so that a scan over a whole column is vectorised.
    (byte == options.delimiter) | (byte == options.quote) | (byte == b'\n') | (byte == b'\r')
}

impl Dialect for CsvDialect {
    fn format(&self) -> &'static str {
        "csv"
    }

    fn null(&self) -> &[u8] {
        &self.null
    }

    fn time_quote(&self) -> &'static [u8] {
        b""
    }

    fn needs_care(&self, texts: &[u8]) -> bool {
        texts.iter().fold(false, |found, &byte| found | breaks_field(byte, &self.options))
    }

    fn append_text(&self, text: &[u8], out: &mut Vec<u8>) {
        let plain = !text.is_empty()
            && text != self.options.null.as_bytes()
            && !text.iter().any(|&byte| breaks_field(byte, &self.options));
        if plain {
            out.extend_from_slice(text);
            return;
        }
        let quote = self.options.quote;
        out.push(quote);
        for &byte in text {
            out.push(byte);
            if byte == quote {
                out.push(quote);
            }
        }
        out.push(quote);
    }

    #[inline]
    fn append_clean_text(&self, text: Span<'_>, out: &mut Vec<u8>) {
        if text.text().is_empty() || text.text() == self.options.null.as_bytes() {
            self.append_text(text.text(), out);
        } else {
            text.append(out);
        }
    }

    #[inline]
    fn append_float(&self, value: f64, out: &mut Vec<u8>) {
        out.extend_from_slice(zmij::Buffer::new().format(value).as_bytes());
    }

    fn append_json(&self, json: &[u8], out: &mut Vec<u8>) {
        self.append_text(json, out);
    }

    fn frame(&self, schema: &Schema) -> Frame {
        let leads: Vec<Vec<u8>> = (0..schema.fields().len())
            .map(|at| if at == 0 { Vec::new() } else { vec![self.options.delimiter] })
            .collect();
        let mut opening = Vec::new();
        if self.options.header {
            for (field, lead) in schema.fields().iter().zip(&leads) {
                opening.extend_from_slice(lead);
                self.append_text(field.name().as_bytes(), &mut opening);
            }
            opening.push(b'\n');
        }
        Frame { opening, leads, row_end: b"\n", between: b"", closing: b"" }
    }
}

#[cfg(test)]
mod tests;
