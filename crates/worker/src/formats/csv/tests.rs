//! Quoting, nulls, dialects, and files that are broken.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field};

use super::*;

fn options(csv: CsvOptions) -> WriteOptions {
    WriteOptions { csv, ..WriteOptions::new(Compression::None) }
}

fn print(batch: &RecordBatch, options: &WriteOptions) -> String {
    let mut out = Vec::new();
    let mut writer = Csv.writer(batch.schema(), options, Box::new(&mut out)).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

fn parse(text: &str, schema: &SchemaRef, options: &WriteOptions) -> Result<Vec<RecordBatch>, FormatError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    Csv.open(file.path(), None, Arc::clone(schema), options)?.collect()
}

fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn words() -> RecordBatch {
    let words = StringArray::from(vec![Some("a;b"), None, Some(""), Some("say \"hi\""), Some("NULL"), Some("x\ny")]);
    table(vec![("n", Arc::new(Int64Array::from_iter(0..6)) as ArrayRef), ("w", Arc::new(words) as ArrayRef)])
}

#[test]
fn quotes_stand_only_where_they_must() {
    let text = print(&words(), &options(CsvOptions::default()));
    assert_eq!(text, "n,w\n0,a;b\n1,\n2,\"\"\n3,\"say \"\"hi\"\"\"\n4,NULL\n5,\"x\ny\"\n");
}

#[test]
fn every_dialect_reads_back() {
    let dialects = [
        CsvOptions { delimiter: b';', null: "NULL".to_owned(), ..CsvOptions::default() },
        CsvOptions { delimiter: b'\t', quote: b'\'', header: false, ..CsvOptions::default() },
        CsvOptions { delimiter: b'|', null: "\\N".to_owned(), ..CsvOptions::default() },
    ];
    let texts = [
        "n;w\n0;\"a;b\"\n1;NULL\n2;\"\"\n3;\"say \"\"hi\"\"\"\n4;\"NULL\"\n5;\"x\ny\"\n",
        "0\ta;b\n1\t\n2\t''\n3\tsay \"hi\"\n4\tNULL\n5\t'x\ny'\n",
        "n|w\n0|a;b\n1|\\N\n2|\"\"\n3|\"say \"\"hi\"\"\"\n4|NULL\n5|\"x\ny\"\n",
    ];
    for (dialect, expected) in dialects.into_iter().zip(texts) {
        let options = options(dialect);
        assert_eq!(print(&words(), &options), expected);
        assert_eq!(parse(expected, &words().schema(), &options).unwrap(), [words()]);
    }
}

#[test]
fn a_null_alone_in_its_row_is_not_an_empty_line() {
    let batch = table(vec![("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(2)])) as ArrayRef)]);
    let options = options(CsvOptions::default());
    let text = print(&batch, &options);
    assert_eq!(text, "n\n1\n\"\"\n2\n");
    assert_eq!(parse(&text, &batch.schema(), &options).unwrap(), [batch]);
}

#[test]
fn floats_that_are_not_finite_read_back() {
    let floats = Float64Array::from(vec![f64::INFINITY, f64::NEG_INFINITY, 1.0, 1e300, -0.0]);
    let batch = table(vec![("x", Arc::new(floats) as ArrayRef)]);
    let options = options(CsvOptions::default());
    let text = print(&batch, &options);
    assert_eq!(text, "x\ninf\n-inf\n1.0\n1e+300\n-0.0\n");
    assert_eq!(parse(&text, &batch.schema(), &options).unwrap(), [batch]);
}

#[test]
fn options_that_could_be_taken_for_values_are_refused() {
    let schema = words().schema();
    let default = CsvOptions::default;
    let bad = [
        CsvOptions { delimiter: b'\n', ..default() },
        CsvOptions { delimiter: b'1', ..default() },
        CsvOptions { delimiter: 0xE9, ..default() },
        CsvOptions { quote: b',', ..default() },
        CsvOptions { null: "a,b".to_owned(), ..default() },
        CsvOptions { null: "-1".to_owned(), ..default() },
    ];
    for csv in bad {
        let refused = Csv.writer(Arc::clone(&schema), &options(csv.clone()), Box::new(std::io::sink())).err();
        assert!(matches!(refused, Some(FormatError::BadOption { .. })), "{csv:?}: {refused:?}");
    }
}

#[test]
fn broken_files_are_told_with_their_row() {
    let schema = words().schema();
    let options = options(CsvOptions::default());
    let cases = [
        ("", "row 0: the header is missing"),
        ("n,w\n1,a\n2\n", "row 1: 1 fields instead of 2"),
        ("n,w\n1,a,b\n", "row 0: 3 fields instead of 2"),
        ("n,w\n1,\"a\n2,b\n", "row 0: a quoted field is not closed"),
        ("n,w\n1,\"a\"b\"\"\n", "row 0: text follows a closing quote"),
        ("n,v\n1,a\n", "there is no column w"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text, &schema, &options).unwrap_err().to_string(), expected, "{text:?}");
    }
    let error = parse("n,w\nx,a\n", &schema, &options).unwrap_err().to_string();
    assert!(error.contains("column n") && error.contains("'x'"), "{error}");
}

#[test]
fn a_null_where_none_may_be_is_an_error() {
    let schema: SchemaRef =
        Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false), Field::new("w", DataType::Utf8, true)]));
    assert!(parse("n,w\n,a\n", &schema, &options(CsvOptions::default())).is_err());
}
