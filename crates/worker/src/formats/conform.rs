//! From what a file holds back to what its schema says. Pure.
//!
//! Files are plain (no dictionaries, no engine-only types), so a reader first reads plain types, then casts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, StringArray, new_empty_array};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::json::ReaderBuilder;

use super::FormatError;

/// The name under which structs in JSON are read one by one.
const VALUE: &str = "value";
/// Rows per batch that a reader returns.
pub(super) const READ_ROWS: usize = 8192;

/// The part of `schema` that `columns` names, in that order.
///
/// # Errors
/// A name that the schema does not have.
pub(super) fn project(schema: &SchemaRef, columns: Option<&[String]>) -> Result<SchemaRef, FormatError> {
    let Some(columns) = columns else { return Ok(Arc::clone(schema)) };
    let fields: Result<Vec<_>, _> = columns
        .iter()
        .map(|name| match schema.column_with_name(name) {
            Some((at, _)) => Ok(Arc::clone(&schema.fields()[at])),
            None => Err(FormatError::MissingColumn { column: name.clone() }),
        })
        .collect();
    Ok(Arc::new(Schema::new(fields?)))
}

/// The places of the columns of `wanted` in `file`.
///
/// # Errors
/// A column that the file does not have.
pub(super) fn places(file: &Schema, wanted: &Schema) -> Result<Vec<usize>, FormatError> {
    let place = |field: &Arc<Field>| match file.column_with_name(field.name()) {
        Some((at, _)) => Ok(at),
        None => Err(FormatError::MissingColumn { column: field.name().clone() }),
    };
    wanted.fields().iter().map(place).collect()
}

/// The type in which a file holds values of `data_type`: text for dictionaries, and a zone that Arrow reads without a
/// time-zone database for instants.
pub(super) fn plain_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()))
        }
        other => other.clone(),
    }
}

/// `schema` in plain types, everything nullable: what a text reader asks its parser for.
pub(super) fn plain_schema(schema: &Schema) -> SchemaRef {
    let plain = |field: &Arc<Field>| Field::new(field.name(), plain_type(field.data_type()), true);
    Arc::new(Schema::new(schema.fields().iter().map(plain).collect::<Vec<_>>()))
}

/// The columns of `batch`, by name, in the order and types of `schema`.
///
/// # Errors
/// A missing column, a value that does not fit its type, or a null where none may be.
pub(super) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, FormatError> {
    let column = |field: &Arc<Field>| match batch.column_by_name(field.name()) {
        Some(array) => column_to(array, field),
        None => Err(FormatError::MissingColumn { column: field.name().clone() }),
    };
    let columns = schema.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// Structs that a file holds as JSON, one text each.
fn from_json(texts: &StringArray, field: &Field) -> Result<ArrayRef, ArrowError> {
    let schema = Schema::new(vec![Field::new(VALUE, field.data_type().clone(), true)]);
    // A decoder that is full reads no line to its end.
    let mut decoder = ReaderBuilder::new(Arc::new(schema)).with_batch_size(texts.len() + 1).build_decoder()?;
    for text in texts {
        let line = format!("{{\"{VALUE}\":{}}}\n", text.unwrap_or("null"));
        if decoder.decode(line.as_bytes())? != line.len() {
            return Err(ArrowError::JsonError("more values than rows".to_owned()));
        }
    }
    let batch = decoder.flush()?;
    let found = batch.map_or_else(|| new_empty_array(field.data_type()), |batch| Arc::clone(batch.column(0)));
    if found.len() == texts.len() { Ok(found) } else { Err(ArrowError::JsonError("fewer values than rows".to_owned())) }
}

/// One array in its field's type. Values that cannot be converted are errors, never nulls.
pub(super) fn column_to(array: &ArrayRef, field: &Field) -> Result<ArrayRef, FormatError> {
    if array.data_type() == field.data_type() {
        return Ok(Arc::clone(array));
    }
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let named =
        |error: ArrowError| FormatError::Arrow(ArrowError::CastError(format!("column {}: {error}", field.name())));
    if array.data_type() == &DataType::Utf8 && field.data_type().is_nested() {
        return from_json(array.as_string(), field).map_err(named);
    }
    let plain = cast_with_options(array, &plain_type(field.data_type()), &strict).map_err(named)?;
    match field.data_type() {
        // The instant is the same in every zone; only its label changes, which needs no time-zone database.
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) => {
            let instants = plain.as_primitive::<TimestampMicrosecondType>().clone();
            Ok(Arc::new(instants.with_timezone(Arc::clone(zone))))
        }
        other => cast_with_options(&plain, other, &strict).map_err(named),
    }
}
