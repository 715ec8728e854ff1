//! The columns of one batch, made ready to be printed row by row. Pure.
//!
//! What can be decided once per batch is decided here: types, whether a text column needs escaping at all, and the
//! finished text of every dictionary value. A cell is then one match and one append.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};

use super::Dialect;
use super::blocks::Span;
use super::nested::Nested;
use super::numbers::{Scale, append_date, append_decimal, append_integer, append_timestamp};
use crate::formats::FormatError;

/// Texts that follow each other in one buffer.
#[derive(Clone, Copy)]
struct Texts<'a> {
    ends: &'a [i32],
    bytes: &'a [u8],
}

impl<'a> Texts<'a> {
    fn of(array: &'a StringArray) -> Self {
        Self { ends: array.value_offsets(), bytes: array.value_data() }
    }

    #[inline]
    fn span(self, at: usize) -> Span<'a> {
        Span { bytes: self.bytes, start: self.ends[at] as usize, end: self.ends[at + 1] as usize }
    }

    /// The bytes of all texts; a sliced array uses only a part of its buffer.
    fn all(self) -> &'a [u8] {
        let [first, .., last] = self.ends else { return &[] };
        &self.bytes[*first as usize..*last as usize]
    }
}

/// The values of a column.
enum Values<'a> {
    Bool(&'a BooleanArray),
    Int(&'a [i64]),
    Float(&'a [f64]),
    /// Text in which nothing needs escaping.
    CleanText(Texts<'a>),
    Text(Texts<'a>),
    /// Finished texts, and where each one starts; the last entry is the end.
    Dictionary {
        keys: &'a [i32],
        printed: Vec<u8>,
        starts: Vec<usize>,
    },
    /// Instants, and what follows each: `Z` where the column has a zone.
    Time(&'a [i64], &'static [u8]),
    Date(&'a [i32]),
    Decimal(&'a [i128], Scale),
    /// Structs and lists.
    Nested(Nested<'a>),
}

/// One column of a batch.
pub(super) struct Cells<'a> {
    values: Values<'a>,
    nulls: Option<&'a NullBuffer>,
}

/// Whether text can hold `field`.
///
/// # Errors
/// A type that is not one of the engine's.
pub(super) fn check_type(format: &'static str, field: &Field) -> Result<(), FormatError> {
    let (column, found) = (field.name().clone(), field.data_type().to_string());
    if fits(field.data_type()) { Ok(()) } else { Err(FormatError::UnsupportedType { format, column, found }) }
}

fn fits(kind: &DataType) -> bool {
    match kind {
        DataType::Boolean | DataType::Int64 | DataType::Float64 | DataType::Utf8 | DataType::Date32 => true,
        DataType::Timestamp(TimeUnit::Microsecond, _) => true,
        DataType::Decimal128(_, scale) => Scale::new(*scale).is_some(),
        DataType::Dictionary(keys, values) => **keys == DataType::Int32 && **values == DataType::Utf8,
        DataType::Struct(fields) => fields.iter().all(|field| fits(field.data_type())),
        DataType::List(item) => fits(item.data_type()),
        _ => false,
    }
}

/// The columns of `batch`, whose types `check_type` has accepted.
pub(super) fn prepare<'a, D: Dialect>(batch: &'a RecordBatch, dialect: &D) -> Vec<Cells<'a>> {
    batch.columns().iter().map(|array| cells_of(array.as_ref(), dialect)).collect()
}

/// The cells of one array.
pub(super) fn cells_of<'a, D: Dialect>(array: &'a dyn Array, dialect: &D) -> Cells<'a> {
    let nulls = array.nulls().filter(|nulls| nulls.null_count() > 0);
    Cells { values: values_of(array, dialect), nulls }
}

fn values_of<'a, D: Dialect>(array: &'a dyn Array, dialect: &D) -> Values<'a> {
    match array.data_type() {
        DataType::Boolean => Values::Bool(array.as_boolean()),
        DataType::Int64 => Values::Int(array.as_primitive::<Int64Type>().values()),
        DataType::Float64 => Values::Float(array.as_primitive::<Float64Type>().values()),
        DataType::Date32 => Values::Date(array.as_primitive::<Date32Type>().values()),
        DataType::Timestamp(_, zone) => {
            let suffix: &[u8] = if zone.is_some() { b"Z" } else { b"" };
            Values::Time(array.as_primitive::<TimestampMicrosecondType>().values(), suffix)
        }
        DataType::Decimal128(_, scale) => {
            let scale = Scale::new(*scale).expect("check_type refuses negative scales");
            Values::Decimal(array.as_primitive::<Decimal128Type>().values(), scale)
        }
        DataType::Dictionary(_, _) => dictionary_of(array, dialect),
        DataType::Struct(_) | DataType::List(_) => Values::Nested(Nested::of(array)),
        _ => {
            let texts = Texts::of(array.as_string());
            if dialect.needs_care(texts.all()) { Values::Text(texts) } else { Values::CleanText(texts) }
        }
    }
}

fn dictionary_of<'a, D: Dialect>(array: &'a dyn Array, dialect: &D) -> Values<'a> {
    let array = array.as_dictionary::<Int32Type>();
    let texts = Texts::of(array.values().as_string());
    let mut printed = Vec::with_capacity(texts.bytes.len() + 2 * array.values().len());
    let mut starts = Vec::with_capacity(array.values().len() + 1);
    for at in 0..array.values().len() {
        starts.push(printed.len());
        // A null may stand in the dictionary as well as in the keys.
        if array.values().is_null(at) {
            printed.extend_from_slice(dialect.null());
        } else {
            dialect.append_text(texts.span(at).text(), &mut printed);
        }
    }
    starts.push(printed.len());
    Values::Dictionary { keys: array.keys().values(), printed, starts }
}

impl Cells<'_> {
    /// Appends the cell of `row`.
    #[inline]
    pub(super) fn append<D: Dialect>(&self, row: usize, dialect: &D, out: &mut Vec<u8>) {
        if let Some(nulls) = self.nulls
            && nulls.is_null(row)
        {
            out.extend_from_slice(dialect.null());
            return;
        }
        match &self.values {
            Values::Bool(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Values::Int(values) => append_integer(values[row], out),
            Values::Float(values) => dialect.append_float(values[row], out),
            Values::CleanText(texts) => dialect.append_clean_text(texts.span(row), out),
            Values::Text(texts) => dialect.append_text(texts.span(row).text(), out),
            Values::Dictionary { keys, printed, starts } => {
                let key = keys[row] as usize;
                Span { bytes: printed, start: starts[key], end: starts[key + 1] }.append(out);
            }
            Values::Time(values, suffix) => {
                out.extend_from_slice(dialect.time_quote());
                append_timestamp(values[row], out);
                out.extend_from_slice(suffix);
                out.extend_from_slice(dialect.time_quote());
            }
            Values::Date(values) => {
                out.extend_from_slice(dialect.time_quote());
                append_date(values[row], out);
                out.extend_from_slice(dialect.time_quote());
            }
            Values::Decimal(values, scale) => append_decimal(values[row], *scale, out),
            Values::Nested(nested) => nested.append(row, dialect, out),
        }
    }
}
