//! Ways from a row to a row of another table: recomputed, never looked up in stored data. Pure.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;
use std::sync::OnceLock;

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::datatypes::Int64Type;
use arrow::row::{OwnedRow, RowConverter, SortField};

use crate::error::{EngineError, Result};
use crate::fanout::Children;
use crate::frame::{Frame, Linked, Source};
use crate::random::key::{Key, below};
use crate::random::permutation::Permutation;
use crate::random::rank::{Rank, Skew};
use crate::rows::Rows;
use crate::value::Type;

mod among;

pub use among::{Among, Piece};

/// A way from each row of one table to at most one row of another.
#[derive(Debug)]
pub struct Link {
    /// The other table, by position.
    pub target: usize,
    /// How the row is found.
    pub way: Way,
}

/// How a link finds its row.
#[derive(Debug)]
pub enum Way {
    /// The row that has this one as a child.
    Parent,
    /// One link after another: the first of this table, the second of the table it leads to.
    Through(usize, usize),
    /// A row drawn at random.
    Pick(Box<Pick>),
    /// A row of the same table drawn among the earlier ones.
    Earlier {
        /// The role's key.
        key: Key,
        /// What row 0 is related to.
        first: First,
    },
    /// The row at which the target's sequence has the value of a column of this row.
    Sequence {
        /// The column of this row.
        source: Source,
        /// The sequence's first value.
        start: i64,
        /// The sequence's step.
        step: i64,
    },
    /// The first child, in the target table, of the row that another link leads to.
    FirstChild(usize),
    /// The lowest row of a small table whose columns equal those of this row.
    Index(Box<Index>),
    /// The lowest row, among the few that a key leads to, whose columns equal those of this row.
    Among(Box<Among>),
}

/// What the first row of a self-reference points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Nothing: the top of a hierarchy.
    Nothing,
    /// Itself.
    Itself,
}

/// A random choice of a row.
#[derive(Debug)]
pub struct Pick {
    /// The role's key.
    pub key: Key,
    /// How much some rows are preferred.
    pub skew: Skew,
    /// Scatters the ranks over the rows, alike for everyone who chooses from the table; `None` keeps the rows' own order.
    pub scatter: Option<Key>,
    /// Made when the number of rows is known.
    pub rank: OnceLock<(Rank, Option<Permutation>)>,
}

/// A join by value with a table that is small enough to be indexed.
#[derive(Debug)]
pub struct Index {
    /// Columns of this row.
    pub sources: Vec<Source>,
    /// The columns of the target that must be equal, by position, and the type both are compared in.
    pub columns: Vec<(usize, Type)>,
    /// The rows of each combination, in ascending order; made by whoever asks first.
    pub rows: OnceLock<HashMap<OwnedRow, Vec<u32>>>,
}

/// The largest table that is indexed for a join.
pub const INDEX_ROWS_MAX: u64 = 1 << 20;

impl Link {
    /// The rows that this link leads to from the rows of `frame`.
    pub fn resolve<'t>(&self, frame: &Frame<'t>) -> Result<Linked<'t>> {
        match &self.way {
            Way::Parent => self.parent(frame),
            Way::Through(first, second) => {
                let first = frame.linked(*first)?;
                let second = first.frame.linked(*second)?;
                let take = second.after(first.take.as_ref())?;
                Ok(Linked { frame: Rc::clone(&second.frame), take })
            }
            Way::Pick(pick) => self.pick(pick, frame),
            Way::Earlier { key, first } => {
                let rows = frame.rows.map(|row| match (row, first) {
                    (0, First::Nothing) => None,
                    (0, First::Itself) => Some(0),
                    _ => Some(key.below(row, row)),
                });
                Ok(self.some(frame, &rows))
            }
            Way::Sequence { source, start, step } => self.sequence(frame, *source, *start, *step),
            Way::FirstChild(link) => self.first_child(frame, *link),
            Way::Index(index) => {
                let rows = index.matches(self.target, frame)?;
                let first: Vec<Option<u64>> = rows.iter().map(|rows| rows.first().map(|row| u64::from(*row))).collect();
                Ok(self.some(frame, &first))
            }
            Way::Among(among) => Ok(self.some(frame, &among.first(self.target, frame)?)),
        }
    }

    fn parent<'t>(&self, frame: &Frame<'t>) -> Result<Linked<'t>> {
        let children = Children { tables: frame.tables, table: frame.table, scratch: &frame.scratch };
        let parents = match &frame.rows {
            Rows::Range(rows) => children.parents_of(rows.clone())?,
            other => other.map(|row| children.parent_of(row)).into_iter().collect::<Result<_>>()?,
        };
        let ordered = matches!(frame.rows, Rows::Range(_));
        Ok(if ordered { self.repeated(frame, &parents) } else { self.all(frame, parents) })
    }

    /// Rows in ascending order with repeats: each is evaluated once.
    fn repeated<'t>(&self, frame: &Frame<'t>, rows: &[u64]) -> Linked<'t> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return self.all(frame, Vec::new()) };
        let spread = last - first + 1;
        if frame.tables.whole_rows(self.target).is_some() {
            return self.all(frame, rows.to_vec());
        }
        if spread <= 2 * rows.len() as u64 {
            let take = rows.iter().map(|row| (row - first) as u32).collect();
            let rows = Rows::Range(*first..last + 1);
            return Linked {
                frame: Rc::new(Frame::new(frame.tables, self.target, rows, &frame.scratch)),
                take: Some(take),
            };
        }
        let mut unique = rows.to_vec();
        unique.dedup();
        let mut at = 0u32;
        let take = rows
            .iter()
            .map(|row| {
                if unique[at as usize] != *row {
                    at += 1;
                }
                at
            })
            .collect();
        Linked {
            frame: Rc::new(Frame::new(frame.tables, self.target, Rows::Picked(unique), &frame.scratch)),
            take: Some(take),
        }
    }

    /// One row for each.
    fn all<'t>(&self, frame: &Frame<'t>, rows: Vec<u64>) -> Linked<'t> {
        match frame.tables.whole_rows(self.target) {
            Some(count) => Linked {
                frame: Rc::new(Frame::new(frame.tables, self.target, Rows::Whole(count), &frame.scratch)),
                take: Some(rows.iter().map(|row| *row as u32).collect()),
            },
            None => Linked {
                frame: Rc::new(Frame::new(frame.tables, self.target, Rows::Picked(rows), &frame.scratch)),
                take: None,
            },
        }
    }

    /// At most one row for each.
    fn some<'t>(&self, frame: &Frame<'t>, rows: &[Option<u64>]) -> Linked<'t> {
        if let Some(count) = frame.tables.whole_rows(self.target) {
            let take = rows.iter().map(|row| row.map(|row| row as u32)).collect();
            let rows = Rows::Whole(count);
            return Linked {
                frame: Rc::new(Frame::new(frame.tables, self.target, rows, &frame.scratch)),
                take: Some(take),
            };
        }
        let found: Vec<u64> = rows.iter().filter_map(|row| *row).collect();
        let mut at = 0u32;
        let take: UInt32Array = rows
            .iter()
            .map(|row| {
                row.map(|_| {
                    at += 1;
                    at - 1
                })
            })
            .collect();
        let take = (take.null_count() > 0).then_some(take);
        Linked { frame: Rc::new(Frame::new(frame.tables, self.target, Rows::Picked(found), &frame.scratch)), take }
    }

    fn pick<'t>(&self, pick: &Pick, frame: &Frame<'t>) -> Result<Linked<'t>> {
        let count = frame.tables.rows(self.target)?;
        let nothing = || EngineError::Column {
            table: frame.described().name.clone(),
            column: String::new(),
            message: format!("table `{}` has no rows to choose from", frame.tables.table(self.target).name),
        };
        if count == 0 {
            return Err(nothing());
        }
        if matches!(pick.skew, Skew::Uniform) {
            return Ok(self.all(frame, frame.rows.map(|row| below(pick.key.draw(row), count))));
        }
        let (rank, scatter) = pick.rank.get_or_init(|| {
            let rank = Rank::new(pick.skew, count).expect("the skew was checked when the spec was compiled");
            (rank, pick.scatter.map(|key| Permutation::new(key, count)))
        });
        Ok(self.all(
            frame,
            frame.rows.map(|row| {
                let rank = rank.pick(pick.key.draw(row));
                scatter.as_ref().map_or(rank, |scatter| scatter.apply(rank))
            }),
        ))
    }

    fn sequence<'t>(&self, frame: &Frame<'t>, source: Source, start: i64, step: i64) -> Result<Linked<'t>> {
        let count = i128::from(frame.tables.rows(self.target)?);
        let values = arrow::compute::cast(&frame.read_plain(source)?, &Type::Int.arrow())?;
        let rows: Vec<Option<u64>> = values
            .as_primitive::<Int64Type>()
            .iter()
            .map(|value| {
                let distance = i128::from(value?) - i128::from(start);
                let (row, rest) = (distance / i128::from(step), distance % i128::from(step));
                (rest == 0 && (0..count).contains(&row)).then_some(row as u64)
            })
            .collect();
        Ok(self.some(frame, &rows))
    }

    fn first_child<'t>(&self, frame: &Frame<'t>, link: usize) -> Result<Linked<'t>> {
        let above = frame.linked(link)?;
        let children = Children { tables: frame.tables, table: self.target, scratch: &frame.scratch };
        let first = |position: usize| -> Result<Option<u64>> {
            let span: Range<u64> = children.of(above.frame.rows.at(position))?;
            Ok((!span.is_empty()).then_some(span.start))
        };
        let rows: Vec<Option<u64>> = match &above.take {
            None => (0..above.frame.len()).map(first).collect::<Result<_>>()?,
            Some(take) => take.iter().map(|at| at.map_or(Ok(None), |at| first(at as usize))).collect::<Result<_>>()?,
        };
        Ok(self.some(frame, &rows))
    }
}

impl Index {
    /// The rows of `target` that each row of `frame` matches.
    pub fn matches<'i>(&'i self, target: usize, frame: &Frame<'_>) -> Result<Vec<&'i [u32]>> {
        let fields: Vec<SortField> = self.columns.iter().map(|(_, kind)| SortField::new(kind.arrow())).collect();
        let converter = RowConverter::new(fields)?;
        let index = match self.rows.get() {
            Some(index) => index,
            None => {
                let made = self.build(&converter, target, frame)?;
                self.rows.get_or_init(|| made)
            }
        };
        let arrays = self
            .sources
            .iter()
            .zip(&self.columns)
            .map(|(source, (_, kind))| Ok(arrow::compute::cast(&frame.read_plain(*source)?, &kind.arrow())?))
            .collect::<Result<Vec<_>>>()?;
        let nulls: Vec<bool> = (0..frame.len()).map(|at| arrays.iter().any(|array| array.is_null(at))).collect();
        let rows = converter.convert_columns(&arrays)?;
        Ok(rows
            .iter()
            .zip(nulls)
            .map(|(row, null)| if null { None } else { index.get(&row.owned()) })
            .map(|found| found.map_or(&[][..], Vec::as_slice))
            .collect())
    }

    fn build(&self, converter: &RowConverter, target: usize, frame: &Frame<'_>) -> Result<HashMap<OwnedRow, Vec<u32>>> {
        let count = frame.tables.rows(target)?;
        let whole = frame.tables.frame(target, 0..count, &Rc::clone(&frame.scratch));
        let arrays = self
            .columns
            .iter()
            .map(|(column, kind)| Ok(arrow::compute::cast(&whole.read_plain(Source::Own(*column))?, &kind.arrow())?))
            .collect::<Result<Vec<_>>>()?;
        let mut index: HashMap<OwnedRow, Vec<u32>> = HashMap::new();
        for (at, row) in converter.convert_columns(&arrays)?.iter().enumerate() {
            index.entry(row.owned()).or_default().push(at as u32);
        }
        Ok(index)
    }
}
