//! Duplicates by rate: a row that repeats an earlier one, but for its keys. Pure.
//!
//! The whole row is redirected to an earlier original, so that it agrees with itself. In a child table the original is
//! an earlier row of the same parent: foreign keys and rollups hold.

use arrow::array::ArrayRef;
use arrow::compute::interleave;

use crate::error::Result;
use crate::fanout::Children;
use crate::frame::Frame;
use crate::random::key::Key;
use crate::rows::Rows;

/// Which rows of a table repeat earlier ones.
#[derive(Clone, Debug)]
pub struct Duplicates {
    /// The role's key.
    pub key: Key,
    /// The share of rows that repeat another.
    pub rate: f64,
    /// Columns that keep their own values, by position: keys and unique columns.
    pub kept: Vec<usize>,
}

impl Duplicates {
    fn is_duplicate(&self, row: u64, first: u64) -> bool {
        row > first && self.key.unit(row) < self.rate
    }

    /// The original that `row` repeats, among the rows from `first` on; the row itself when it repeats none.
    fn original(&self, row: u64, first: u64) -> u64 {
        let mut at = row;
        // Each step goes down, and `first` is never a duplicate.
        while self.is_duplicate(at, first) {
            at = first + self.key.number(1).below(at, at - first);
        }
        at
    }

    /// The values of a column with those of duplicates replaced by their originals'.
    pub fn redirect(&self, frame: &Frame<'_>, column: usize, values: ArrayRef) -> Result<ArrayRef> {
        if self.kept.contains(&column) {
            return Ok(values);
        }
        let is_child = frame.described().parent.is_some();
        let children = Children { tables: frame.tables, table: frame.table, scratch: &frame.scratch };
        let mut places: Vec<(usize, usize)> = Vec::with_capacity(frame.len());
        let mut originals = Vec::new();
        for at in 0..frame.len() {
            let row = frame.rows.at(at);
            let is_candidate = self.is_duplicate(row, 0);
            let first = if is_child && is_candidate { children.of(children.parent_of(row)?)?.start } else { 0 };
            let original = self.original(row, first);
            if original == row {
                places.push((0, at));
            } else {
                places.push((1, originals.len()));
                originals.push(original);
            }
        }
        if originals.is_empty() {
            return Ok(values);
        }
        let others = Frame::new(frame.tables, frame.table, Rows::Picked(originals), &frame.scratch).column(column)?;
        Ok(interleave(&[&values, &others], &places)?)
    }
}
