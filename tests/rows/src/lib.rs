//! The engine for tests: a spec's text in, rows out.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::ops::Range;
use std::rc::Rc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use shardmill_engine::{ENGINES, Scratch, Tables, compile};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec, document};

/// What the tests' envelope knows.
pub const KNOWN: Known<'static> = Known {
    kinds: &["tables"],
    formats: &["parquet", "csv", "jsonl", "json", "arrow"],
    compressions: &["zstd", "snappy", "lz4", "none"],
    engines: ENGINES,
};

/// Compiles a spec; the problems as `line: text` when there are any.
pub fn try_tables(text: &str) -> Result<Tables, Vec<String>> {
    let report = Report::strict();
    let tables = document::parse(text, &report)
        .and_then(|document| Spec::read(&document, &KNOWN, &report))
        .and_then(|spec| compile(&spec, &report));
    let has_errors = report.has_errors();
    let problems = report.into_problems().iter().map(|p| format!("{}: {p}", p.line)).collect();
    match tables {
        Some(tables) if !has_errors => Ok(tables),
        _ => Err(problems),
    }
}

/// Compiles a spec that is right, with its counting stages done.
pub fn tables(text: &str) -> Tables {
    let tables = try_tables(text).unwrap_or_else(|problems| panic!("{}", problems.join("\n")));
    tables.count_all().unwrap();
    tables
}

/// A spec of tables written in the short form, with an envelope around it.
pub fn spec(body: &str) -> String {
    format!("shardmill: 1\nname: test\ntimeframe: {{start: 2024-01-01, end: 2024-12-31, freq: H}}\ntables:\n{body}")
}

/// Some rows of a table.
pub fn batch(tables: &Tables, table: &str, rows: Range<u64>) -> RecordBatch {
    let at = tables.find(table).unwrap_or_else(|| panic!("no table {table}"));
    tables.batch(at, rows, &Rc::new(Scratch::default())).unwrap()
}

/// All rows of a table.
pub fn all(tables: &Tables, table: &str) -> RecordBatch {
    let rows = tables.rows(tables.find(table).unwrap()).unwrap();
    batch(tables, table, 0..rows)
}

/// A column as text, nulls as `∅`.
pub fn column(batch: &RecordBatch, name: &str) -> Vec<String> {
    let array = batch.column_by_name(name).unwrap_or_else(|| panic!("no column {name}"));
    texts(array.as_ref())
}

/// An array as text, nulls as `∅`.
pub fn texts(array: &dyn Array) -> Vec<String> {
    let options = FormatOptions::new().with_null("∅");
    let formatter = ArrayFormatter::try_new(array, &options).unwrap();
    (0..array.len()).map(|row| formatter.value(row).to_string()).collect()
}

/// Every row as text.
pub fn rows(batch: &RecordBatch) -> Vec<String> {
    let columns: Vec<Vec<String>> = batch.columns().iter().map(|array| texts(array.as_ref())).collect();
    (0..batch.num_rows()).map(|row| columns.iter().map(|c| c[row].as_str()).collect::<Vec<_>>().join("|")).collect()
}

/// A column as numbers; nulls are left out.
pub fn numbers(batch: &RecordBatch, name: &str) -> Vec<f64> {
    column(batch, name).iter().filter_map(|text| text.parse().ok()).collect()
}
