//! What the text formats share: a writer that prints batches row by row into one buffer, given a dialect.

mod blocks;
mod cells;
mod nested;
mod numbers;
mod sink;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::{Compression, FormatError, Output, TableWriter};
use cells::{check_type, prepare};
use sink::Sink;

pub(super) use blocks::Span;
pub(super) use sink::open_text;

/// How one text format prints what differs between them. Numbers, dates and times look the same in all.
pub(super) trait Dialect: Send {
    /// The format's name, for errors.
    fn format(&self) -> &'static str;

    /// What stands for a null.
    fn null(&self) -> &[u8];

    /// What stands around dates and times.
    fn time_quote(&self) -> &'static [u8];

    /// Whether any byte of `texts` must be escaped or makes its text need quotes. Looked at for a whole column at once.
    fn needs_care(&self, texts: &[u8]) -> bool;

    /// Appends any text.
    fn append_text(&self, text: &[u8], out: &mut Vec<u8>);

    /// Appends a text of a column that needs no care.
    fn append_clean_text(&self, text: Span<'_>, out: &mut Vec<u8>);

    /// Appends a number.
    fn append_float(&self, value: f64, out: &mut Vec<u8>);

    /// Appends a struct or a list, which is JSON.
    fn append_json(&self, json: &[u8], out: &mut Vec<u8>);

    /// What stands around the file, the rows and the cells.
    fn frame(&self, schema: &Schema) -> Frame;
}

/// The fixed text around files, rows and cells.
pub(super) struct Frame {
    /// Begins the file.
    pub(super) opening: Vec<u8>,
    /// Before each column's cell: a delimiter or a name.
    pub(super) leads: Vec<Vec<u8>>,
    /// After the last cell of a row.
    pub(super) row_end: &'static [u8],
    /// Between two rows.
    pub(super) between: &'static [u8],
    /// Ends the file.
    pub(super) closing: &'static [u8],
}

/// Whether text can be compressed this way: as one Zstandard frame, or not.
pub(super) fn accepts(compression: Compression) -> bool {
    matches!(compression, Compression::None | Compression::Zstd(_))
}

/// The extension of a text file, which says how it is compressed.
pub(super) fn extension(plain: &str, compression: Compression) -> String {
    match compression {
        Compression::Zstd(_) => format!("{plain}.zst"),
        _ => plain.to_owned(),
    }
}

/// Prints batches in a dialect.
pub(super) struct TextWriter<'a, D> {
    dialect: D,
    frame: Frame,
    sink: Sink<'a>,
    buffer: Vec<u8>,
    rows: u64,
}

/// The buffer is handed on when it holds this much: large enough for one write call per thousand rows, small enough to
/// stay in the processor's cache.
const FLUSH_BYTES: usize = 128 << 10;

impl<'a, D: Dialect> TextWriter<'a, D> {
    /// # Errors
    /// A column type or compression that text does not have, or a failed write.
    pub(super) fn new(
        dialect: D,
        schema: &Schema,
        compression: Compression,
        out: Output<'a>,
    ) -> Result<Self, FormatError> {
        schema.fields().iter().try_for_each(|field| check_type(dialect.format(), field))?;
        let sink = Sink::new(dialect.format(), compression, out)?;
        let frame = dialect.frame(schema);
        let mut buffer = Vec::with_capacity(2 * FLUSH_BYTES);
        buffer.extend_from_slice(&frame.opening);
        Ok(Self { dialect, frame, sink, buffer, rows: 0 })
    }

    fn flush(&mut self) -> Result<(), FormatError> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<D: Dialect> TableWriter for TextWriter<'_, D> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), FormatError> {
        let columns = prepare(batch, &self.dialect);
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                self.buffer.extend_from_slice(self.frame.between);
            }
            for (cells, lead) in columns.iter().zip(&self.frame.leads) {
                self.buffer.extend_from_slice(lead);
                cells.append(row, &self.dialect, &mut self.buffer);
            }
            self.buffer.extend_from_slice(self.frame.row_end);
            self.rows += 1;
            if self.buffer.len() >= FLUSH_BYTES {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, FormatError> {
        self.buffer.extend_from_slice(self.frame.closing);
        self.flush()?;
        self.sink.finish()?;
        Ok(self.rows)
    }

    fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }
}
