//! JSON: one array of objects, an object per line.
//!
//! Every object has every column; a null, and a float that is not finite, is `null`. Decimals are numbers with all
//! digits of their scale; instants are `"2024-01-02T03:04:05.000006Z"`, always with six digits; dates
//! `"2024-01-02"`. Text is UTF-8; only quotes, backslashes and control characters are escaped.

use std::path::Path;

use arrow::datatypes::{Schema, SchemaRef};
use arrow::json::ReaderBuilder;

use super::conform::{READ_ROWS, conform, plain_schema, project};
use super::text::{Dialect, Frame, Span, TextWriter, open_text};
use super::{Batches, Compression, Format, FormatError, Output, TableWriter, WriteOptions};

/// A JSON array.
pub(super) struct Json;

impl Format for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn extension(&self) -> &'static str {
        "json"
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
        Ok(Box::new(TextWriter::new(JsonDialect::Array, &schema, options.compression, out)?))
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

/// Streams objects back, whether they stand in lines or in an array.
///
/// # Errors
/// As `Format::open`.
pub(super) fn open_json(path: &Path, columns: Option<&[String]>, schema: &SchemaRef) -> Result<Batches, FormatError> {
    let wanted = project(schema, columns)?;
    let reader = ReaderBuilder::new(plain_schema(&wanted))
        .with_batch_size(READ_ROWS)
        .with_flatten(true)
        .build(open_text(path)?)?;
    Ok(Box::new(reader.map(move |batch| conform(&batch?, &wanted))))
}

/// How JSON prints a cell, and what stands around objects.
#[derive(Clone, Copy)]
pub(super) enum JsonDialect {
    Lines,
    Array,
}

/// Whether `byte` cannot stand in a JSON string as it is.
fn needs_escape(byte: u8) -> bool {
    // One expression without shortcuts, so that a scan over a whole column is vectorised.
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn append_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            let hex = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

impl Dialect for JsonDialect {
    fn format(&self) -> &'static str {
        match self {
            Self::Lines => "jsonl",
            Self::Array => "json",
        }
    }

    fn null(&self) -> &[u8] {
        b"null"
    }

    fn time_quote(&self) -> &'static [u8] {
        b"\""
    }

    fn needs_care(&self, texts: &[u8]) -> bool {
        texts.iter().fold(false, |found, &byte| found | needs_escape(byte))
    }

    fn append_text(&self, text: &[u8], out: &mut Vec<u8>) {
        out.push(b'"');
        let mut rest = text;
        while let Some(at) = rest.iter().position(|&byte| needs_escape(byte)) {
            out.extend_from_slice(&rest[..at]);
            append_escape(rest[at], out);
            rest = &rest[at + 1..];
        }
        out.extend_from_slice(rest);
        out.push(b'"');
    }

    #[inline]
    fn append_clean_text(&self, text: Span<'_>, out: &mut Vec<u8>) {
        out.push(b'"');
        text.append(out);
        out.push(b'"');
    }

    #[inline]
    fn append_float(&self, value: f64, out: &mut Vec<u8>) {
        if value.is_finite() {
            out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        } else {
            out.extend_from_slice(self.null());
        }
    }

    fn append_json(&self, json: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(json);
    }

    fn frame(&self, schema: &Schema) -> Frame {
        let lead = |(at, field): (usize, &arrow::datatypes::FieldRef)| {
            let mut lead = vec![if at == 0 { b'{' } else { b',' }];
            self.append_text(field.name().as_bytes(), &mut lead);
            lead.push(b':');
            lead
        };
        let leads = schema.fields().iter().enumerate().map(lead).collect();
        match self {
            Self::Lines => Frame { opening: Vec::new(), leads, row_end: b"}\n", between: b"", closing: b"" },
            Self::Array => Frame { opening: b"[".to_vec(), leads, row_end: b"}", between: b",\n", closing: b"]\n" },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_reads_back_through_another_parser(text: String) {
            let mut out = Vec::new();
            JsonDialect::Lines.append_text(text.as_bytes(), &mut out);
            prop_assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text.clone());
            if !JsonDialect::Lines.needs_care(text.as_bytes()) {
                prop_assert_eq!(out, format!("\"{text}\"").into_bytes());
            }
        }

        #[test]
        fn any_float_is_json_and_reads_back_the_same(bits: u64) {
            let value = f64::from_bits(bits);
            let mut out = Vec::new();
            JsonDialect::Lines.append_float(value, &mut out);
            if value.is_finite() {
                prop_assert!(serde_json::from_slice::<f64>(&out).is_ok());
                prop_assert_eq!(std::str::from_utf8(&out).unwrap().parse::<f64>().unwrap().to_bits(), bits);
            } else {
                prop_assert_eq!(out, b"null");
            }
        }
    }

    #[test]
    fn control_characters_are_escaped_as_shortly_as_json_allows() {
        let mut out = Vec::new();
        JsonDialect::Lines.append_text(b"\"\\\n\r\t\x08\x0C\x00\x1F\x7F/", &mut out);
        assert_eq!(out, b"\"\\\"\\\\\\n\\r\\t\\b\\f\\u0000\\u001f\x7F/\"");
    }
}
