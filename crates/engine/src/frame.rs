//! One batch under evaluation: some rows of one table, with every column and related row evaluated at most once. Pure.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, UInt32Array};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Int32Type};

use crate::error::{EngineError, Result};
use crate::fanout::{Children, Scratch};
use crate::rows::Rows;
use crate::tables::{Table, Tables};

/// A column as seen from a row: its own, or one of a related row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// A column of the same row, by position.
    Own(usize),
    /// A column of the row that a link leads to.
    Linked {
        /// The link, by position in the table of the row.
        link: usize,
        /// The column, by position in the target table.
        column: usize,
    },
}

/// Some rows of one table and what is known of them.
pub struct Frame<'t> {
    /// All tables.
    pub tables: &'t Tables,
    /// The table, by position.
    pub table: usize,
    /// The rows.
    pub rows: Rows,
    /// The thread's memory.
    pub scratch: Rc<Scratch>,
    /// What models answered: columns, by position.
    given: Vec<(usize, ArrayRef)>,
    columns: RefCell<Vec<Option<ArrayRef>>>,
    linked: RefCell<Vec<Option<Rc<Linked<'t>>>>>,
}

/// The rows that a link leads to.
pub struct Linked<'t> {
    /// Rows of the target table, each as often as needed.
    pub frame: Rc<Frame<'t>>,
    /// For each row of the origin its position in `frame`, null where there is none; `None` when they match one to one.
    pub take: Option<UInt32Array>,
}

impl<'t> Frame<'t> {
    /// A frame over some rows.
    pub fn new(tables: &'t Tables, table: usize, rows: Rows, scratch: &Rc<Scratch>) -> Self {
        let described = tables.table(table);
        Self {
            tables,
            table,
            rows,
            scratch: Rc::clone(scratch),
            given: Vec::new(),
            columns: RefCell::new(vec![None; described.columns.len()]),
            linked: RefCell::new(vec![None; described.links.len()]),
        }
    }

    /// The same rows with what models answered for them: columns, by position, with a value for each row.
    #[must_use]
    pub fn giving(self, given: Vec<(usize, ArrayRef)>) -> Self {
        Self { given, ..self }
    }

    /// What a model answered for these rows.
    ///
    /// # Errors
    /// When it was not given.
    pub(crate) fn given(&self, column: usize) -> Result<ArrayRef> {
        let given = self.given.iter().find(|(at, _)| *at == column);
        let unanswered = || EngineError::Unanswered {
            table: self.described().name.clone(),
            column: self.described().columns[column].name.clone(),
        };
        given.map(|(_, values)| ArrayRef::clone(values)).ok_or_else(unanswered)
    }

    /// The table.
    pub fn described(&self) -> &'t Table {
        self.tables.table(self.table)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A frame over the rows at some positions of this one.
    pub fn pick(&self, positions: &[usize]) -> Self {
        Self::new(self.tables, self.table, self.rows.pick(positions), &self.scratch)
    }

    /// A column of these rows.
    pub fn column(&self, column: usize) -> Result<ArrayRef> {
        if let Rows::Whole(rows) = self.rows {
            return self.tables.whole(self.table, column, rows, &self.scratch);
        }
        if let Some(known) = &self.columns.borrow()[column] {
            return Ok(ArrayRef::clone(known));
        }
        let described = self.described();
        let evaluated = described.columns[column].evaluate(self);
        let mut made = evaluated.map_err(|error| error.of_column(&described.name, &described.columns[column].name))?;
        if let Some(duplicates) = &described.duplicates {
            made = duplicates.redirect(self, column, made)?;
        }
        self.columns.borrow_mut()[column] = Some(ArrayRef::clone(&made));
        Ok(made)
    }

    /// The rows that a link leads to.
    pub fn linked(&self, link: usize) -> Result<Rc<Linked<'t>>> {
        if let Some(known) = &self.linked.borrow()[link] {
            return Ok(Rc::clone(known));
        }
        let made = Rc::new(self.described().links[link].resolve(self)?);
        self.linked.borrow_mut()[link] = Some(Rc::clone(&made));
        Ok(made)
    }

    /// A column of these rows or of related ones, with one value for each of these rows.
    pub fn read(&self, source: Source) -> Result<ArrayRef> {
        match source {
            Source::Own(column) => self.column(column),
            Source::Linked { link, column } => self.linked(link)?.column(column),
        }
    }

    /// Like [`Self::read`], with dictionaries spelled out.
    pub fn read_plain(&self, source: Source) -> Result<ArrayRef> {
        let array = self.read(source)?;
        match array.data_type() {
            DataType::Dictionary(_, values) => Ok(cast(&array, values)?),
            _ => Ok(array),
        }
    }

    /// The children of these rows in the table `child`: their rows, and where each parent's begin among them.
    pub fn children(&self, child: usize, positions: Range<usize>) -> Result<(Self, Vec<usize>)> {
        let children = Children { tables: self.tables, table: child, scratch: &self.scratch };
        let mut begins = Vec::with_capacity(positions.len() + 1);
        let mut spans: Vec<Range<u64>> = Vec::new();
        let mut count = 0usize;
        begins.push(0);
        for position in positions {
            let span = children.of(self.rows.at(position))?;
            count += (span.end - span.start) as usize;
            begins.push(count);
            match spans.last_mut() {
                Some(last) if last.end == span.start => last.end = span.end,
                _ => spans.push(span),
            }
        }
        spans.retain(|span| !span.is_empty());
        let rows = match spans.as_slice() {
            [] => Rows::Range(0..0),
            [one] => Rows::Range(one.clone()),
            many => Rows::Picked(many.iter().flat_map(Range::clone).collect()),
        };
        Ok((Self::new(self.tables, child, rows, &self.scratch), begins))
    }
}

impl Linked<'_> {
    /// A column of the target, with one value for each row of the origin.
    pub fn column(&self, column: usize) -> Result<ArrayRef> {
        let values = self.frame.column(column)?;
        let Some(positions) = &self.take else { return Ok(values) };
        if matches!(self.frame.rows, Rows::Whole(_)) && values.data_type() == &DataType::Utf8 {
            // Text of a small table becomes a dictionary: the values are shared, only positions are written.
            let keys: Int32Array = positions.unary(|at| at as i32);
            return Ok(std::sync::Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?));
        }
        Ok(take(&values, positions, None)?)
    }

    /// Positions in the target after following `first` and then this one.
    pub fn after(&self, first: Option<&UInt32Array>) -> Result<Option<UInt32Array>> {
        Ok(match (first, &self.take) {
            (None, second) => second.clone(),
            (Some(first), None) => Some(first.clone()),
            (Some(first), Some(second)) => Some(take(second, first, None)?.as_primitive().clone()),
        })
    }
}
