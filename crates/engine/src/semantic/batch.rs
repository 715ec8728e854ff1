//! Whole columns: values written straight into Arrow buffers. Pure.

use super::cell::Cell;
use super::{Output, Semantic, Slots, numbers, vocabulary};
use arrow::array::{ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use std::sync::Arc;

impl Semantic {
    /// The Arrow type of [`Semantic::fill`]: Utf8, Dictionary(Int32, Utf8), Int64, Float64 or Boolean.
    pub fn data_type(&self) -> DataType {
        match self.method().output() {
            Output::Text => DataType::Utf8,
            Output::Words => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Output::Int => DataType::Int64,
            Output::Float => DataType::Float64,
            Output::Bool => DataType::Boolean,
        }
    }

    /// The values of `rows`, without nulls.
    ///
    /// # Panics
    /// Where the texts of one batch exceed 2 GiB, which Arrow's 32-bit offsets cannot hold: batches end long before.
    pub fn fill(&self, slots: &Slots, rows: impl Iterator<Item = u64>) -> ArrayRef {
        self.fill_cells(rows.map(|row| Cell { semantic: self, slots, row, slot: None }))
    }

    /// The values of (row, slot) pairs: see [`Semantic::slots`]. Panics as [`Semantic::fill`] does.
    pub fn fill_at_slots(&self, slots: &Slots, rows: impl Iterator<Item = (u64, u64)>) -> ArrayRef {
        self.fill_cells(rows.map(|(row, slot)| Cell { semantic: self, slots, row, slot: Some(slot) }))
    }

    /// The values of rows that each have a locale of their own, without nulls: `rows` are (row, index into
    /// `columns`), and `columns` are one type in several locales. Words come as plain Utf8, since each locale has its
    /// own; else the type is that of [`Semantic::data_type`]. Panics as [`Semantic::fill`] does, or if an index is
    /// outside `columns`.
    pub fn fill_mixed(columns: &[Self], slots: &Slots, rows: impl Iterator<Item = (u64, usize)>) -> ArrayRef {
        let cells = rows.map(|(row, column)| Cell { semantic: &columns[column], slots, row, slot: None });
        match columns.first().map(|column| column.method().output()) {
            Some(Output::Int | Output::Float | Output::Bool) => columns[0].fill_cells(cells),
            _ => Arc::new(texts(cells)),
        }
    }

    fn fill_cells<'a>(&'a self, cells: impl Iterator<Item = Cell<'a>>) -> ArrayRef {
        match self.method().output() {
            Output::Text => Arc::new(texts(cells)),
            Output::Words => {
                let keys = cells.map(|cell| self.vocabulary.key(vocabulary::index(&cell))).collect::<Vec<_>>();
                let array = DictionaryArray::try_new(Int32Array::from(keys), self.vocabulary.texts());
                Arc::new(array.expect("every key has a text"))
            }
            Output::Int => Arc::new(Int64Array::from_iter_values(cells.map(|cell| numbers::number(&cell).units))),
            Output::Float => Arc::new(Float64Array::from_iter_values(cells.map(|cell| numbers::number(&cell).float()))),
            Output::Bool => Arc::new(cells.map(|cell| Some(numbers::flag(&cell))).collect::<BooleanArray>()),
        }
    }
}

/// The cells as text, written into one buffer.
fn texts<'a>(cells: impl Iterator<Item = Cell<'a>>) -> StringArray {
    let expected = cells.size_hint().0;
    let mut offsets = Vec::with_capacity(expected + 1);
    let mut out = String::with_capacity(expected * TEXT_BYTES);
    offsets.push(0);
    for cell in cells {
        cell.semantic.write_cell(&cell, &mut out);
        offsets.push(i32::try_from(out.len()).expect("a batch has less than 2 GiB of text"));
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    StringArray::new(offsets, Buffer::from_vec(out.into_bytes()), None)
}

/// A common length of a text, to begin with a buffer that rarely grows.
const TEXT_BYTES: usize = 24;
