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

    fn fill_cells<'a>(&'a self, cells: impl Iterator<Item = Cell<'a>>) -> ArrayRef {
        match self.method().output() {
            Output::Text => Arc::new(self.texts(cells)),
            Output::Words => {
                let keys: Int32Array =
                    cells.map(|cell| self.vocabulary.key(vocabulary::index(&cell))).collect::<Vec<_>>().into();
                let array = DictionaryArray::try_new(keys, self.vocabulary.texts());
                Arc::new(array.expect("every key has a text"))
            }
            Output::Int => Arc::new(cells.map(|c| Some(numbers::number(&c).units)).collect::<Int64Array>()),
            Output::Float => Arc::new(Float64Array::from_iter_values(cells.map(|c| numbers::number(&c).float()))),
            Output::Bool => Arc::new(cells.map(|c| Some(numbers::flag(&c))).collect::<BooleanArray>()),
        }
    }

    fn texts<'a>(&self, cells: impl Iterator<Item = Cell<'a>>) -> StringArray {
        let expected = cells.size_hint().0;
        let mut offsets = Vec::with_capacity(expected + 1);
        let mut out = String::with_capacity(expected * TEXT_BYTES);
        offsets.push(0);
        for cell in cells {
            self.write_text(&cell, &mut out);
            offsets.push(i32::try_from(out.len()).expect("a batch has less than 2 GiB of text"));
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        StringArray::new(offsets, Buffer::from_vec(out.into_bytes()), None)
    }
}

/// A common length of a text, to begin with a buffer that rarely grows.
const TEXT_BYTES: usize = 24;
