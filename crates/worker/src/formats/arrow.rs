//! Arrow IPC files. Dictionaries become plain text, so that every reader sees simple columns.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::FileReader;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};

use super::conform::{conform, places, project};
use super::{Batches, Compression, Format, FormatError, Output, TableWriter, WriteOptions};

/// Arrow IPC files, also known as Feather version 2.
pub(super) struct ArrowFile;

impl Format for ArrowFile {
    fn name(&self) -> &'static str {
        "arrow"
    }

    fn extension(&self) -> &'static str {
        "arrow"
    }

    fn accepts(&self, compression: Compression) -> bool {
        !matches!(compression, Compression::Snappy)
    }

    fn writer<'a>(
        &self,
        schema: SchemaRef,
        options: &WriteOptions,
        out: Output<'a>,
    ) -> Result<Box<dyn TableWriter + 'a>, FormatError> {
        let plain = without_dictionaries(&schema);
        let mut writer = FileWriter::try_new_with_options(out, &plain, ipc_options(options.compression)?)?;
        for (key, value) in &options.metadata {
            writer.write_metadata(key, value);
        }
        Ok(Box::new(ArrowWriter { writer, plain, rows: 0 }))
    }

    fn open(
        &self,
        path: &Path,
        columns: Option<&[String]>,
        schema: SchemaRef,
        _options: &WriteOptions,
    ) -> Result<Batches, FormatError> {
        let wanted = project(&schema, columns)?;
        let file = || File::open(path).map(BufReader::new);
        let found = FileReader::try_new(file()?, None)?.schema();
        let reader = FileReader::try_new(file()?, Some(places(&found, &wanted)?))?;
        Ok(Box::new(reader.map(move |batch| conform(&batch?, &wanted))))
    }
}

fn ipc_options(compression: Compression) -> Result<IpcWriteOptions, FormatError> {
    let options = IpcWriteOptions::default();
    Ok(match compression {
        Compression::None => options,
        Compression::Lz4 => options.try_with_compression(Some(CompressionType::LZ4_FRAME))?,
        Compression::Zstd(level) => {
            options.try_with_compression(Some(CompressionType::ZSTD))?.try_with_compression_level(Some(level))?
        }
        Compression::Snappy => return Err(FormatError::UnsupportedCompression { format: "arrow", compression }),
    })
}

fn without_dictionaries(schema: &Schema) -> SchemaRef {
    let plain = |field: &Arc<Field>| match field.data_type() {
        DataType::Dictionary(_, values) => Arc::new(field.as_ref().clone().with_data_type(values.as_ref().clone())),
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

struct ArrowWriter<'a> {
    writer: FileWriter<Output<'a>>,
    plain: SchemaRef,
    rows: u64,
}

impl TableWriter for ArrowWriter<'_> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), FormatError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.writer.write(&conform(batch, &self.plain)?)?;
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<u64, FormatError> {
        self.writer.finish()?;
        Ok(self.rows)
    }

    fn buffered_bytes(&self) -> usize {
        0
    }
}
