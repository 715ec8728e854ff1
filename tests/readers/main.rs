//! Readers that people use read every file we write: pyarrow, DuckDB, pandas and polars compare names, types and values
//! of every format and compression with what was written.
//!
//! Needs a Python with `requirements.txt` installed, named by `SHARDMILL_TEST_PYTHON`; without it the test says that it
//! was skipped.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Value, json};
use shardmill_worker::formats::{Compression, FORMATS, WriteOptions};

/// Texts with everything that CSV or JSON must escape.
const TEXTS: [Option<&str>; 7] = [
    Some("plain"),
    None,
    Some(""),
    Some("comma, \"quote\" and \\ backslash"),
    Some("two\nlines and a tab\t"),
    Some("Zoë 東京 🦀"),
    Some(" spaces "),
];

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("flag", DataType::Boolean, true),
        Field::new("ratio", DataType::Float64, true),
        Field::new("odd, \"name\"", DataType::Utf8, true),
        Field::new("kind", kind, true),
        Field::new("at", time, true),
        Field::new("day", DataType::Date32, true),
        Field::new("price", DataType::Decimal128(12, 2), true),
        Field::new("rate", DataType::Decimal128(5, 4), true),
        Field::new("huge", DataType::Decimal128(38, 10), true),
    ]))
}

fn batch(rows: i64) -> RecordBatch {
    let numbers = || 0..rows;
    let some = |at: i64, every: i64| at % every != every - 1;
    let kind: DictionaryArray<Int32Type> =
        numbers().map(|at| [Some("new"), Some("it's, \"old\""), None][at as usize % 3]).collect();
    let price = Decimal128Array::from_iter(numbers().map(|at| some(at, 6).then_some(i128::from(at * at * 37 - 500))));
    let rate = Decimal128Array::from_iter(numbers().map(|at| some(at, 5).then_some(i128::from(at % 9000 - 70))));
    let huge = numbers().map(|at| some(at, 9).then_some(10_i128.pow(27) * i128::from(at % 9) - i128::from(at)));
    let at = numbers().map(|at| some(at, 4).then_some(1_700_000_000_000_000 + at * 999_999_937 - 1));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(numbers().map(|at| at * 3 - 1))),
        Arc::new(BooleanArray::from_iter(numbers().map(|at| some(at, 3).then_some(at % 2 == 0)))),
        Arc::new(Float64Array::from_iter(numbers().map(|at| some(at, 7).then_some(at as f64 * 0.1 - 1e-9)))),
        Arc::new(StringArray::from_iter(numbers().map(|at| TEXTS[at as usize % TEXTS.len()]))),
        Arc::new(kind),
        Arc::new(TimestampMicrosecondArray::from_iter(at).with_timezone("UTC")),
        Arc::new(Date32Array::from_iter(numbers().map(|at| some(at, 8).then_some(at as i32 * 11 - 40)))),
        Arc::new(price.with_precision_and_scale(12, 2).unwrap()),
        Arc::new(rate.with_precision_and_scale(5, 4).unwrap()),
        Arc::new(Decimal128Array::from_iter(huge).with_precision_and_scale(38, 10).unwrap()),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// The name by which `check.py` knows a type.
fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Int64 => "int".to_owned(),
        DataType::Boolean => "bool".to_owned(),
        DataType::Float64 => "float".to_owned(),
        DataType::Timestamp(_, _) => "time".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        _ => "text".to_owned(),
    }
}

/// A column as text made by Arrow, not by our writers, which are on trial here.
fn expected_values(array: &ArrayRef) -> Vec<Value> {
    let instants;
    let array = match array.data_type() {
        DataType::Timestamp(_, _) => {
            instants = arrow::compute::cast(array, &DataType::Timestamp(TimeUnit::Microsecond, None)).unwrap();
            &instants
        }
        _ => array,
    };
    let options = FormatOptions::default().with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.6f"));
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).unwrap();
    let value = |at: usize| match array.logical_nulls().is_some_and(|nulls| nulls.is_null(at)) {
        true => Value::Null,
        false => Value::String(formatter.value(at).to_string()),
    };
    (0..array.len()).map(value).collect()
}

fn write_table(folder: &Path, name: &str, rows: i64) -> Vec<Value> {
    let batch = batch(rows);
    let schema = schema();
    let columns = schema.fields().iter().zip(batch.columns()).map(|(field, array)| {
        json!({"name": field.name(), "type": type_name(field.data_type()), "values": expected_values(array)})
    });
    let expected = json!({ "columns": columns.collect::<Vec<_>>() });
    fs::write(folder.join(format!("{name}.expected")), expected.to_string()).unwrap();
    let compressions = [Compression::None, Compression::Snappy, Compression::Lz4, Compression::Zstd(1)];
    let mut files = Vec::new();
    for format in FORMATS {
        for compression in compressions.into_iter().filter(|compression| format.accepts(*compression)) {
            let file = format!("{name}-{compression}.{}", format.extension_with(compression));
            // Small row groups, so that one file has several.
            let options = WriteOptions { row_group_bytes: 64 << 10, ..WriteOptions::new(compression) };
            let out = Box::new(File::create(folder.join(&file)).unwrap());
            let mut writer = format.writer(Arc::clone(&schema), &options, out).unwrap();
            writer.write(&batch).unwrap();
            assert_eq!(writer.finish().unwrap(), rows as u64);
            files.push(json!({"file": file, "table": name, "format": format.name()}));
        }
    }
    files
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the test command names the Python it has prepared")]
fn readers_read_every_format() {
    let Ok(python) = std::env::var("SHARDMILL_TEST_PYTHON") else {
        // Straight to the stream: what the print macros write is hidden when a test passes.
        let how = "set SHARDMILL_TEST_PYTHON to a Python that has tests/readers/requirements.txt";
        writeln!(io::stderr(), "SKIPPED readers_read_every_format: {how}").unwrap();
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let tables = [("empty", 0), ("small", 30), ("large", 20_000)];
    let files: Vec<Value> = tables.iter().flat_map(|(name, rows)| write_table(folder.path(), name, *rows)).collect();
    fs::write(folder.path().join("files.json"), Value::from(files).to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("readers/check.py");
    let output = Command::new(python).arg(script).arg(folder.path()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    writeln!(io::stderr(), "{}", text(&output.stdout)).unwrap();
}
