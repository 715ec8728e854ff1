//! Parquet, tuned: encodings are chosen per column from the first rows, row groups close by encoded bytes, and types
//! are the plain logical ones (a dictionary array is a string column, an instant is `timestamp(us, UTC)`, a decimal
//! of up to 18 digits is an integer).

mod encodings;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use super::conform::{READ_ROWS, conform, places, project};
use super::{Batches, Compression, Format, FormatError, Output, TableWriter, WriteOptions};
use encodings::{ColumnEncoding, choose};

/// Parquet.
pub(super) struct Parquet;

/// Written into every file. It names the layout of our files, not the build, so that equal rows stay equal bytes; it
/// changes when encodings do. The shape `NAME version X.Y.Z` is the one that readers parse.
const CREATED_BY: &str = "shardmill version 1.0.0";

impl Format for Parquet {
    fn name(&self) -> &'static str {
        "parquet"
    }

    fn extension(&self) -> &'static str {
        "parquet"
    }

    fn default_compression(&self) -> Compression {
        Compression::Zstd(1)
    }

    fn accepts(&self, _compression: Compression) -> bool {
        true
    }

    fn writer<'a>(
        &self,
        schema: SchemaRef,
        options: &WriteOptions,
        out: Output<'a>,
    ) -> Result<Box<dyn TableWriter + 'a>, FormatError> {
        let properties = properties(options)?;
        Ok(Box::new(ParquetWriter { schema, state: State::Waiting { properties, out }, rows: 0 }))
    }

    fn open(
        &self,
        path: &Path,
        columns: Option<&[String]>,
        schema: SchemaRef,
        _options: &WriteOptions,
    ) -> Result<Batches, FormatError> {
        let wanted = project(&schema, columns)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(File::open(path)?)?;
        let places = places(builder.schema(), &wanted)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), places);
        let reader = builder.with_projection(mask).with_batch_size(READ_ROWS).build()?;
        Ok(Box::new(reader.map(move |batch| conform(&batch?, &wanted))))
    }
}

/// What is the same for all columns.
fn properties(options: &WriteOptions) -> Result<WriterPropertiesBuilder, FormatError> {
    let pair = |(key, value): &(String, String)| KeyValue::new(key.clone(), value.clone());
    let metadata: Vec<_> = options.metadata.iter().map(pair).collect();
    Ok(WriterProperties::builder()
        .set_created_by(CREATED_BY.to_owned())
        .set_key_value_metadata((!metadata.is_empty()).then_some(metadata))
        .set_compression(codec(options.compression)?)
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(Some(options.row_group_bytes.max(1)))
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_dictionary_enabled(false))
}

fn codec(compression: Compression) -> Result<Codec, FormatError> {
    Ok(match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
    })
}

/// The columns that an array is stored as, each under its path: a struct is stored field by field, a list by its items.
fn leaves_of(array: &ArrayRef, path: Vec<String>, leaves: &mut Vec<(Vec<String>, ArrayRef)>) {
    let within = |names: &[&str]| path.iter().cloned().chain(names.iter().map(|name| (*name).to_owned())).collect();
    match array.data_type() {
        DataType::Struct(fields) => {
            for (field, part) in fields.iter().zip(array.as_struct().columns()) {
                leaves_of(part, within(&[field.name()]), leaves);
            }
        }
        DataType::List(item) => leaves_of(array.as_list::<i32>().values(), within(&["list", item.name()]), leaves),
        _ => leaves.push((path, Arc::clone(array))),
    }
}

/// The writer begins with the first rows, because they decide the encodings.
enum State<'a> {
    Waiting {
        properties: WriterPropertiesBuilder,
        out: Output<'a>,
    },
    Writing(ArrowWriter<Output<'a>>),
    /// A failed start; the file is lost.
    Broken,
}

struct ParquetWriter<'a> {
    schema: SchemaRef,
    state: State<'a>,
    rows: u64,
}

impl<'a> ParquetWriter<'a> {
    /// The library's writer, begun with the encodings that fit `first`.
    fn writer(&mut self, first: &RecordBatch) -> Result<&mut ArrowWriter<Output<'a>>, FormatError> {
        if let State::Waiting { .. } = self.state
            && let State::Waiting { mut properties, out } = std::mem::replace(&mut self.state, State::Broken)
        {
            for (field, array) in first.schema().fields().iter().zip(first.columns()) {
                let mut leaves = Vec::new();
                leaves_of(array, vec![field.name().clone()], &mut leaves);
                for (path, array) in leaves {
                    let path = ColumnPath::new(path);
                    properties = match choose(array.as_ref()) {
                        ColumnEncoding::Plain => properties.set_column_encoding(path, Encoding::PLAIN),
                        ColumnEncoding::Delta => properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED),
                        ColumnEncoding::Dictionary => properties.set_column_dictionary_enabled(path, true),
                    };
                }
            }
            let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
            let writer = ArrowWriter::try_new_with_options(out, Arc::clone(&self.schema), options)?;
            self.state = State::Writing(writer);
        }
        match &mut self.state {
            State::Writing(writer) => Ok(writer),
            _ => Err(FormatError::Malformed { row: 0, reason: "the file could not be begun".to_owned() }),
        }
    }
}

impl TableWriter for ParquetWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), FormatError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.writer(batch)?.write(batch)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, FormatError> {
        let empty = RecordBatch::new_empty(Arc::clone(&self.schema));
        let writer = self.writer(&empty)?;
        writer.finish()?;
        writer.sync()?;
        Ok(self.rows)
    }

    fn buffered_bytes(&self) -> usize {
        match &self.state {
            State::Writing(writer) => writer.memory_size(),
            _ => 0,
        }
    }
}
