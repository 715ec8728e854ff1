//! The table that the format tests write: every type, with what tends to break readers.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef, TimeUnit};

/// Texts with everything that CSV or JSON must escape.
pub(super) const TEXTS: [Option<&str>; 8] = [
    Some("plain"),
    None,
    Some(""),
    Some("comma, \"quote\" and \\ backslash"),
    Some("two\nlines\r\nand a tab\t"),
    Some("Zoë 東京 🦀 \u{1}"),
    Some(" spaces "),
    Some("NULL"),
];

pub(super) fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let kind = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("flag", DataType::Boolean, true),
        Field::new("ratio", DataType::Float64, true),
        Field::new("text, \"odd\"", DataType::Utf8, true),
        Field::new("kind", kind, true),
        Field::new("at", time, true),
        Field::new("day", DataType::Date32, true),
        Field::new("price", DataType::Decimal128(12, 2), true),
        Field::new("rate", DataType::Decimal128(5, 4), true),
        Field::new("huge", DataType::Decimal128(38, 0), true),
    ]))
}

/// `rows` rows from number `first` on; `first` and `rows` may be anything.
pub(super) fn batch(first: i64, rows: i64) -> RecordBatch {
    let numbers = || first..first + rows;
    let some = |at: i64, every: i64| at % every != every - 1;
    let kind: DictionaryArray<Int32Type> =
        numbers().map(|at| [Some("new"), Some("it's, \"old\""), None][at as usize % 3]).collect();
    let price = Decimal128Array::from_iter(numbers().map(|at| some(at, 6).then_some(i128::from(at * at * 37 - 500))));
    let rate = Decimal128Array::from_iter(numbers().map(|at| some(at, 5).then_some(i128::from(at % 9000 - 70))));
    let huge = numbers().map(|at| some(at, 9).then_some(10_i128.pow(37) * i128::from(at % 9) - i128::from(at)));
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
        Arc::new(Decimal128Array::from_iter(huge).with_precision_and_scale(38, 0).unwrap()),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}
