//! Reads our CSV back, keeping nulls and quoted texts apart, which general readers do not.

use std::io::BufRead;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringBuilder};
use arrow::datatypes::{DataType, Schema, SchemaRef};

use crate::formats::conform::{READ_ROWS, column_to, places};
use crate::formats::{CsvOptions, FormatError};

/// Bytes of one record above which the file is taken for broken: an unclosed quote would otherwise swallow it whole.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// Streams the batches of one file.
pub(super) struct CsvReader {
    input: Box<dyn BufRead + Send>,
    options: CsvOptions,
    /// The columns to return, and where each stands in a record.
    wanted: SchemaRef,
    places: Vec<usize>,
    /// Fields per record.
    width: usize,
    record: Record,
    rows: u64,
    ended: bool,
}

/// One record, taken apart.
#[derive(Default)]
struct Record {
    line: Vec<u8>,
    text: Vec<u8>,
    /// End of each field in `text`, and whether it was quoted.
    fields: Vec<(usize, bool)>,
}

impl CsvReader {
    /// # Errors
    /// A header that lacks a column, or a file that cannot be read.
    pub(super) fn new(
        input: Box<dyn BufRead + Send>,
        schema: &Schema,
        wanted: SchemaRef,
        options: &CsvOptions,
    ) -> Result<Self, FormatError> {
        let mut reader = Self {
            input,
            options: options.clone(),
            places: Vec::new(),
            width: schema.fields().len(),
            wanted,
            record: Record::default(),
            rows: 0,
            ended: false,
        };
        let wanted = Arc::clone(&reader.wanted);
        reader.places = if options.header { reader.read_header(&wanted)? } else { places(schema, &wanted)? };
        Ok(reader)
    }

    fn read_header(&mut self, wanted: &Schema) -> Result<Vec<usize>, FormatError> {
        if !self.read_record()? {
            return Err(self.malformed("the header is missing"));
        }
        self.width = self.record.fields.len();
        let names: Vec<&[u8]> = (0..self.width).map(|at| self.record.field(at).0).collect();
        let place = |name: &str| names.iter().position(|found| *found == name.as_bytes());
        let missing = |name: &str| FormatError::MissingColumn { column: name.to_owned() };
        wanted.fields().iter().map(|field| place(field.name()).ok_or_else(|| missing(field.name()))).collect()
    }

    /// Reads and splits the next record; `false` at the end of the file.
    fn read_record(&mut self) -> Result<bool, FormatError> {
        let line = &mut self.record.line;
        line.clear();
        loop {
            let before = line.len();
            if self.input.read_until(b'\n', line)? == 0 {
                return if before == 0 { Ok(false) } else { Err(self.malformed("a quoted field is not closed")) };
            }
            // A line feed ends the record only outside quotes, that is, after an even number of them.
            let quotes = line.iter().filter(|&&byte| byte == self.options.quote).count();
            if quotes % 2 == 0 {
                break;
            }
            if line.len() > RECORD_BYTES_MAX {
                return Err(self.malformed("a quoted field is not closed"));
            }
        }
        let ending = if line.ends_with(b"\r\n") { 2 } else { usize::from(line.ends_with(b"\n")) };
        line.truncate(line.len() - ending);
        match self.record.split(&self.options) {
            Ok(()) => Ok(true),
            Err(reason) => Err(self.malformed(reason)),
        }
    }

    fn malformed(&self, reason: impl Into<String>) -> FormatError {
        FormatError::Malformed { row: self.rows, reason: reason.into() }
    }

    /// The next rows as text, or `None` at the end of the file.
    fn read_texts(&mut self) -> Result<Option<(Vec<ArrayRef>, usize)>, FormatError> {
        let mut columns: Vec<StringBuilder> = self.places.iter().map(|_| StringBuilder::new()).collect();
        let mut rows = 0;
        while rows < READ_ROWS && self.read_record()? {
            if self.record.fields.len() != self.width {
                let found = self.record.fields.len();
                return Err(self.malformed(format!("{found} fields instead of {}", self.width)));
            }
            for ((column, field), &place) in columns.iter_mut().zip(self.wanted.fields()).zip(&self.places) {
                let (text, quoted) = self.record.field(place);
                let alone = self.width == 1 && self.options.null.is_empty() && field.is_nullable();
                if (alone && text.is_empty()) || (!quoted && text == self.options.null.as_bytes()) {
                    column.append_null();
                    continue;
                }
                let text = std::str::from_utf8(text).map_err(|_| {
                    let reason = format!("column {} is not UTF-8", field.name());
                    FormatError::Malformed { row: self.rows, reason }
                })?;
                column.append_value(text);
            }
            rows += 1;
            self.rows += 1;
        }
        let arrays = columns.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef).collect();
        Ok((rows > 0).then_some((arrays, rows)))
    }

    fn read_batch(&mut self) -> Result<Option<RecordBatch>, FormatError> {
        let Some((texts, rows)) = self.read_texts()? else { return Ok(None) };
        let typed = texts.iter().zip(self.wanted.fields()).map(|(texts, field)| match field.data_type() {
            DataType::Utf8 => Ok(Arc::clone(texts)),
            _ => column_to(texts, field),
        });
        let columns = typed.collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(Some(RecordBatch::try_new_with_options(Arc::clone(&self.wanted), columns, &options)?))
    }
}

impl Iterator for CsvReader {
    type Item = Result<RecordBatch, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read_batch().transpose();
        self.ended = !matches!(next, Some(Ok(_)));
        next
    }
}

impl Record {
    /// The text of field `at`, and whether it was quoted.
    fn field(&self, at: usize) -> (&[u8], bool) {
        let start = if at == 0 { 0 } else { self.fields[at - 1].0 };
        let (end, quoted) = self.fields[at];
        (&self.text[start..end], quoted)
    }

    /// Takes `line` apart into `text` and `fields`.
    ///
    /// # Errors
    /// Something other than a delimiter after a closing quote.
    fn split(&mut self, options: &CsvOptions) -> Result<(), &'static str> {
        let Self { line, text, fields } = self;
        text.clear();
        fields.clear();
        let mut rest = &line[..];
        loop {
            let quoted = rest.first() == Some(&options.quote);
            if quoted {
                rest = unquote(&rest[1..], options.quote, text);
            }
            let end = rest.iter().position(|&byte| byte == options.delimiter);
            let bare = &rest[..end.unwrap_or(rest.len())];
            if quoted && !bare.is_empty() {
                return Err("text follows a closing quote");
            }
            text.extend_from_slice(bare);
            fields.push((text.len(), quoted));
            match end {
                Some(at) => rest = &rest[at + 1..],
                None => return Ok(()),
            }
        }
    }
}

/// Appends the text up to the closing quote of `rest` to `text`; returns what follows the quote.
fn unquote<'a>(mut rest: &'a [u8], quote: u8, text: &mut Vec<u8>) -> &'a [u8] {
    while let Some(at) = rest.iter().position(|&byte| byte == quote) {
        text.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        if rest.first() != Some(&quote) {
            return rest;
        }
        text.push(quote);
        rest = &rest[1..];
    }
    text.extend_from_slice(rest);
    &[]
}
