//! Which rows of a table are evaluated: a range, picked ones, or all of a small table. Pure.

use std::ops::Range;

use crate::random::key::Key;

/// A set of row indexes in evaluation order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Consecutive rows.
    Range(Range<u64>),
    /// Rows in any order, with repeats.
    Picked(Vec<u64>),
    /// All rows of a table that is small enough to be made once and shared.
    Whole(u64),
}

impl Rows {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Range(range) => (range.end - range.start) as usize,
            Self::Picked(rows) => rows.len(),
            Self::Whole(rows) => *rows as usize,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at a position.
    pub fn at(&self, position: usize) -> u64 {
        match self {
            Self::Range(range) => range.start + position as u64,
            Self::Picked(rows) => rows[position],
            Self::Whole(_) => position as u64,
        }
    }

    /// `f` of every row, in order. The loop is made for each shape, so that ranges vectorise.
    #[inline]
    pub fn map<T>(&self, mut f: impl FnMut(u64) -> T) -> Vec<T> {
        match self {
            Self::Range(range) => range.clone().map(&mut f).collect(),
            Self::Picked(rows) => rows.iter().map(|row| f(*row)).collect(),
            Self::Whole(rows) => (0..*rows).map(&mut f).collect(),
        }
    }

    /// The rows at some positions.
    pub fn pick(&self, positions: &[usize]) -> Self {
        Self::Picked(positions.iter().map(|at| self.at(*at)).collect())
    }

    /// 64 uniform bits for every row.
    pub fn bits(&self, key: Key) -> Vec<u64> {
        self.map(|row| key.draw(row))
    }

    /// A uniform number in (0, 1) for every row.
    pub fn units(&self, key: Key) -> Vec<f64> {
        self.map(|row| key.unit(row))
    }
}
