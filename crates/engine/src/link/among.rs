//! A join by value among the few rows that one key leads to: for tables too large for an index. Pure.
//!
//! The key leads to one row, or to all children of one row. They are looked at in pieces of bounded size, however many
//! there are.

use std::collections::HashMap;
use std::ops::Range;

use arrow::array::{Array, ArrayRef};
use arrow::row::{RowConverter, Rows as Keys, SortField};

use super::{Linked, Way};
use crate::error::Result;
use crate::fanout::Children;
use crate::frame::{Frame, Source};
use crate::rows::Rows;
use crate::value::Type;

/// Rows of the other table in a piece, unless one of ours alone leads to more.
const PIECE_ROWS: u64 = 1 << 16;

/// The few rows of a table that a key leads to, and what must be equal there.
#[derive(Debug)]
pub struct Among {
    /// The link of the key, by position: to the row, or to the first of the children.
    pub link: usize,
    /// Columns of this row, those of the other table that must be equal to them, and the types both are compared in.
    pub equal: Vec<(Source, usize, Type)>,
}

/// Some of our rows and the rows of the other table that may match them.
pub struct Piece<'t> {
    /// The first of our rows, by position.
    pub first: usize,
    /// Rows of the other table.
    pub there: Frame<'t>,
    /// For each of our rows the positions in `there` of those that match, in ascending order.
    pub matches: Vec<Vec<u32>>,
}

impl Among {
    /// The matches of the rows of `frame` in `target`, piece by piece.
    ///
    /// # Errors
    /// When a column of either table fails, or `see` does.
    pub fn each_piece<'t>(
        &self,
        target: usize,
        frame: &Frame<'t>,
        mut see: impl FnMut(Piece<'t>) -> Result<()>,
    ) -> Result<()> {
        let spans = self.spans(target, frame)?;
        let ours = self.keys(frame.len(), |position| frame.read_plain(self.equal[position].0))?;
        let mut first = 0;
        while first < spans.len() {
            let (rows, candidates) = piece(&spans[first..]);
            let there = Frame::new(frame.tables, target, Rows::Picked(rows), &frame.scratch);
            let theirs = self.keys(there.len(), |position| there.read_plain(Source::Own(self.equal[position].1)))?;
            let is_match = |our: usize, their: u32| match (&ours, &theirs) {
                (Some(ours), Some(theirs)) => ours.equal(our, theirs, their as usize),
                _ => true,
            };
            let of = |(at, span): (usize, Range<u32>)| span.filter(|their| is_match(first + at, *their)).collect();
            let matches: Vec<Vec<u32>> = candidates.into_iter().enumerate().map(of).collect();
            let seen = matches.len();
            see(Piece { first, there, matches })?;
            first += seen;
        }
        Ok(())
    }

    /// The first match of each row of `frame`.
    ///
    /// # Errors
    /// When a column of either table fails.
    pub fn first(&self, target: usize, frame: &Frame<'_>) -> Result<Vec<Option<u64>>> {
        let mut rows = Vec::with_capacity(frame.len());
        self.each_piece(target, frame, |piece| {
            let row = |found: &Vec<u32>| found.first().map(|at| piece.there.rows.at(*at as usize));
            rows.extend(piece.matches.iter().map(row));
            Ok(())
        })?;
        Ok(rows)
    }

    /// The rows of the other table that each of ours leads to.
    fn spans(&self, target: usize, frame: &Frame<'_>) -> Result<Vec<Range<u64>>> {
        let children = Children { tables: frame.tables, table: target, scratch: &frame.scratch };
        let (linked, above) = match frame.described().links[self.link].way {
            Way::FirstChild(above) => (frame.linked(above)?, true),
            _ => (frame.linked(self.link)?, false),
        };
        let span = |at: usize| match linked.row(at) {
            None => Ok(0..0),
            Some(row) if above => children.of(row),
            Some(row) => Ok(row..row + 1),
        };
        (0..frame.len()).map(span).collect()
    }

    /// What is compared, in a form in which equal values are equal bytes; nothing where nothing is.
    fn keys(&self, len: usize, column: impl Fn(usize) -> Result<ArrayRef>) -> Result<Option<Comparable>> {
        if self.equal.is_empty() {
            return Ok(None);
        }
        let kinds = || self.equal.iter().map(|(_, _, kind)| kind.arrow());
        let arrays = kinds().enumerate().map(|(at, kind)| Ok(arrow::compute::cast(&column(at)?, &kind)?));
        let arrays: Vec<ArrayRef> = arrays.collect::<Result<_>>()?;
        let has_null = (0..len).map(|at| arrays.iter().any(|array| array.is_null(at))).collect();
        let keys = RowConverter::new(kinds().map(SortField::new).collect())?.convert_columns(&arrays)?;
        Ok(Some(Comparable { keys, has_null }))
    }
}

struct Comparable {
    keys: Keys,
    has_null: Vec<bool>,
}

impl Comparable {
    /// A null equals nothing, not even a null.
    fn equal(&self, at: usize, other: &Self, there: usize) -> bool {
        !self.has_null[at] && !other.has_null[there] && self.keys.row(at) == other.keys.row(there)
    }
}

impl Linked<'_> {
    /// The row that the origin at a position leads to.
    fn row(&self, at: usize) -> Option<u64> {
        match &self.take {
            None => Some(self.frame.rows.at(at)),
            Some(take) => take.is_valid(at).then(|| self.frame.rows.at(take.value(at) as usize)),
        }
    }
}

/// The rows of as many spans as make a piece, each span once, and where each of ours has its rows among them.
fn piece(spans: &[Range<u64>]) -> (Vec<u64>, Vec<Range<u32>>) {
    let (mut rows, mut candidates) = (Vec::new(), Vec::new());
    let mut known: HashMap<u64, u32> = HashMap::new();
    for span in spans {
        let len = span.end - span.start;
        let is_new = len > 0 && !known.contains_key(&span.start);
        if is_new && !rows.is_empty() && rows.len() as u64 + len > PIECE_ROWS {
            break;
        }
        if is_new {
            known.insert(span.start, rows.len() as u32);
            rows.extend(span.clone());
        }
        let start = if len == 0 { 0 } else { known[&span.start] };
        candidates.push(start..start + len as u32);
    }
    (rows, candidates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_bounded_and_miss_nothing() {
        let spans = [5..8, 0..0, 5..8, 0..PIECE_ROWS, 9..10];
        let (rows, candidates) = piece(&spans);
        assert_eq!((rows, candidates), (vec![5, 6, 7], vec![0..3, 0..0, 0..3]));
        let (rows, candidates) = piece(&spans[3..]);
        assert_eq!((rows.len() as u64, candidates.len()), (PIECE_ROWS, 1), "one of ours alone may lead to more");
        assert_eq!(piece(&spans[4..]).0, [9]);
    }

    #[test]
    fn an_empty_span_hides_no_span_that_starts_there() {
        assert_eq!(piece(&[4..4, 4..6]), (vec![4, 5], vec![0..0, 0..2]));
    }
}
