//! A compiled spec: tables of columns that can be evaluated for any rows. Pure.

use std::ops::Range;
use std::rc::Rc;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::check::rules::Rules;
use crate::column::Column;
use crate::counts::{Counts, PAGE_BLOCKS, blocks_of};
use crate::duplicates::Duplicates;
use crate::error::{EngineError, Result};
use crate::fanout::{BLOCK, Children, Fanout, Scratch};
use crate::filling::Filling;
use crate::frame::{Frame, Source};
use crate::generators::Read;
use crate::link::Link;
use crate::rows::Rows;

/// The largest table whose columns are made once and shared by all batches.
pub const WHOLE_ROWS_MAX: u64 = 1 << 16;

/// A compiled spec. Shared by all threads; nothing in it changes but what is computed once.
#[derive(Debug)]
pub struct Tables {
    /// In the order of the spec.
    pub list: Vec<Table>,
    /// What the finished dataset must satisfy.
    pub rules: Rules,
    pub(crate) whole: Vec<Vec<OnceLock<ArrayRef>>>,
}

/// One table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The rows of a table without a parent; ignored when there is one.
    pub own_rows: u64,
    /// Where the rows of a child table come from.
    pub parent: Option<Parent>,
    /// The columns that are written, in the order of the spec.
    pub columns: Vec<Column>,
    /// Ways to rows of other tables.
    pub links: Vec<Link>,
    /// The primary key, by position.
    pub key: Option<usize>,
    /// Which rows repeat earlier ones.
    pub duplicates: Option<Duplicates>,
}

/// The table whose rows have this table's rows as children.
#[derive(Debug)]
pub struct Parent {
    /// The parent table, by position.
    pub table: usize,
    /// How many children each parent has.
    pub fanout: Fanout,
}

impl Table {
    /// Whether models fill some of its columns: then it loses the rows that they refuse.
    pub fn is_filled(&self) -> bool {
        self.columns.iter().any(|column| column.filling().is_some())
    }
}

/// How many rows a table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Known from the spec.
    Exact(u64),
    /// Known when its counting stage is done.
    Between {
        /// The fewest.
        least: u64,
        /// The most.
        most: u64,
    },
}

/// Counts one page: the children in each of its blocks.
pub type CountPage<'a> = dyn Fn(u64) -> Result<Vec<u64>> + Sync + 'a;

/// Rows of a table, and what models answered for them.
#[derive(Clone, Debug)]
pub struct Asked<'g> {
    /// The table, by position.
    pub table: usize,
    /// The rows; none that a model refused, for what follows from its answers could not be made.
    pub rows: Rows,
    /// Filled columns, by position, each with an answer for every row.
    pub given: &'g [(usize, ArrayRef)],
}

impl Tables {
    /// A table by position.
    pub fn table(&self, table: usize) -> &Table {
        &self.list[table]
    }

    /// The position of a table.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.list.iter().position(|table| table.name == name)
    }

    /// The exact number of rows of a table.
    ///
    /// # Errors
    /// [`EngineError::NotCounted`] when its counting stage, or that of a table above it, has not been given.
    pub fn rows(&self, table: usize) -> Result<u64> {
        let described = self.table(table);
        let Some(parent) = &described.parent else { return Ok(described.own_rows) };
        let parents = self.rows(parent.table)?;
        parent.fanout.total(parents).ok_or_else(|| EngineError::NotCounted { table: described.name.clone() })
    }

    /// The number of rows as far as it is known.
    pub fn size(&self, table: usize) -> Size {
        match self.rows(table) {
            Ok(rows) => Size::Exact(rows),
            Err(_) => {
                let parent = self.table(table).parent.as_ref().expect("a table without a parent is always exact");
                let above = match self.size(parent.table) {
                    Size::Exact(rows) => (rows, rows),
                    Size::Between { least, most } => (least, most),
                };
                let (least, most) = parent.fanout.bounds(above);
                Size::Between { least, most }
            }
        }
    }

    /// Whether the rows of a table are known only after a counting stage of its own.
    pub fn is_counted(&self, table: usize) -> bool {
        matches!(self.table(table).parent, Some(Parent { fanout: Fanout::Counted(_), .. }))
    }

    /// How many blocks the counting stage of `table` has to count.
    ///
    /// # Errors
    /// [`EngineError::NotCounted`] when a table above it is not counted yet.
    pub fn count_blocks(&self, table: usize) -> Result<u64> {
        let parent = self.table(table).parent.as_ref().expect("only child tables are counted");
        Ok(self.rows(parent.table)?.div_ceil(BLOCK))
    }

    /// The number of children in each of some blocks of parents: the work of a counting stage.
    ///
    /// # Errors
    /// When a column of the parent cannot be evaluated.
    pub fn count(&self, table: usize, blocks: Range<u64>) -> Result<Vec<u64>> {
        let scratch = Rc::new(Scratch::default());
        Children { tables: self, table, scratch: &scratch }.count(blocks)
    }

    /// Gives the engine what a counting stage found. Only the first call counts.
    pub fn set_counts(&self, table: usize, counts: Counts) {
        if let Some(Parent { fanout: Fanout::Counted(counted), .. }) = &self.table(table).parent {
            counted.counts.get_or_init(|| counts);
        }
    }

    /// Does every counting stage here and now, and keeps what they find in memory: for previews and tests.
    ///
    /// # Errors
    /// When a column of a parent cannot be evaluated.
    pub fn count_all(&self) -> Result<()> {
        self.count_by(|pages, count| (0..pages).map(count).collect())
    }

    /// Does every counting stage here and now: `run` is given a number of pages and how one is counted, which it may do
    /// on several threads, and gives back all pages in order.
    ///
    /// # Errors
    /// When a column of a parent cannot be evaluated.
    pub fn count_by(&self, run: impl Fn(u64, &CountPage<'_>) -> Result<Vec<Vec<u64>>>) -> Result<()> {
        for table in self.counted_in_order() {
            let blocks = self.count_blocks(table)?;
            let pages = run(blocks.div_ceil(PAGE_BLOCKS), &|page| self.count(table, blocks_of(page, blocks)))?;
            self.set_counts(table, Counts::held(pages).ok_or_else(|| self.too_many(table))?);
        }
        Ok(())
    }

    fn too_many(&self, table: usize) -> EngineError {
        let reason = format!("table `{}` has more than {} rows", self.table(table).name, u64::MAX);
        EngineError::Counts { page: 0, reason }
    }

    /// Counted tables, parents before children.
    pub fn counted_in_order(&self) -> Vec<usize> {
        let mut counted: Vec<usize> = (0..self.list.len()).filter(|table| self.is_counted(*table)).collect();
        counted.sort_by_key(|table| self.depth(*table));
        counted
    }

    /// Tables that a row of this one may read: its parent, what its links lead to, and children it rolls up.
    pub fn neighbours(&self, table: usize) -> Vec<usize> {
        let described = self.table(table);
        let mut neighbours: Vec<usize> = described.links.iter().map(|link| link.target).collect();
        neighbours.extend(described.parent.as_ref().map(|parent| parent.table));
        let columns = described.columns.iter();
        let mut reads: Vec<Read> = columns
            .flat_map(|column| column.modifiers.iter().flat_map(|m| m.reads()).chain(column.generator.reads()))
            .collect();
        if let Some(Parent { fanout: Fanout::Counted(counted), .. }) = &described.parent {
            reads.extend(counted.effects.iter().flat_map(|effect| effect.reads()));
        }
        neighbours.extend(reads.iter().filter_map(|read| match read {
            Read::Children { table, .. } | Read::Whole { table, .. } => Some(*table),
            Read::Column(_) => None,
        }));
        neighbours
    }

    fn depth(&self, table: usize) -> usize {
        self.table(table).parent.as_ref().map_or(0, |parent| 1 + self.depth(parent.table))
    }

    /// A frame over consecutive rows.
    pub(crate) fn frame<'t>(&'t self, table: usize, rows: Range<u64>, scratch: &Rc<Scratch>) -> Frame<'t> {
        Frame::new(self, table, Rows::Range(rows), scratch)
    }

    /// All rows of a table that is small enough to be shared, else `None`.
    pub(crate) fn whole_rows(&self, table: usize) -> Option<u64> {
        self.rows(table).ok().filter(|rows| (1..=WHOLE_ROWS_MAX).contains(rows))
    }

    /// A column of all rows of a small table, made by whoever asks first.
    pub(crate) fn whole(&self, table: usize, column: usize, rows: u64, scratch: &Rc<Scratch>) -> Result<ArrayRef> {
        let cell = &self.whole[table][column];
        if let Some(known) = cell.get() {
            return Ok(ArrayRef::clone(known));
        }
        // Two threads may do this at once; they find the same values.
        let made = self.frame(table, 0..rows, scratch).column(column)?;
        Ok(ArrayRef::clone(cell.get_or_init(|| made)))
    }

    /// The columns of a table as Arrow describes them. Text may be written from dictionaries; the schema says plain text.
    pub fn schema(&self, table: usize) -> SchemaRef {
        let fields: Vec<Field> = self.list[table]
            .columns
            .iter()
            .map(|column| Field::new(&column.name, column.arrow(), column.nullable))
            .collect();
        Arc::new(Schema::new(fields))
    }

    /// The columns of a table whose values are answers of models, in groups: the prompts of a group read pure columns and
    /// answers to earlier groups only.
    pub fn fillings(&self, table: usize) -> Vec<Vec<(usize, &Filling)>> {
        let mut groups: Vec<Vec<(usize, &Filling)>> = Vec::new();
        for (at, column) in self.table(table).columns.iter().enumerate() {
            let Some(filling) = column.filling() else { continue };
            let level = self.level(table, at);
            groups.resize_with(groups.len().max(level + 1), Vec::new);
            groups[level].push((at, filling));
        }
        groups
    }

    /// How many filled columns stand one after another before this one.
    fn level(&self, table: usize, column: usize) -> usize {
        let described = &self.table(table).columns[column];
        let reads = described.modifiers.iter().flat_map(|modifier| modifier.reads()).chain(described.generator.reads());
        let above = reads.filter_map(|read| match read {
            Read::Column(Source::Own(other)) => {
                let is_filled = self.table(table).columns[other].filling().is_some();
                Some(self.level(table, other) + usize::from(is_filled))
            }
            _ => None,
        });
        above.max().unwrap_or(0)
    }

    /// The prompts of a filled column for rows whose earlier groups are answered; none for rows that are skipped.
    ///
    /// # Errors
    /// When a value cannot be made, or an answer is missing.
    pub fn prompts(&self, asked: &Asked<'_>, column: usize, scratch: &Rc<Scratch>) -> Result<Vec<Option<String>>> {
        let described = self.table(asked.table);
        let Some(filling) = described.columns[column].filling() else { return Ok(Vec::new()) };
        let name = &described.columns[column].name;
        filling.prompts(&self.asked(asked, scratch), name).map_err(|error| error.of_column(&described.name, name))
    }

    fn asked<'t>(&'t self, asked: &Asked<'_>, scratch: &Rc<Scratch>) -> Frame<'t> {
        Frame::new(self, asked.table, asked.rows.clone(), scratch).giving(asked.given.to_vec())
    }

    /// Makes consecutive rows of a table without filled columns. The batch's schema may hold dictionaries where
    /// [`Self::schema`] says text.
    ///
    /// # Errors
    /// When a value cannot be made, or a counting stage is missing.
    pub fn batch(&self, table: usize, rows: Range<u64>, scratch: &Rc<Scratch>) -> Result<RecordBatch> {
        self.filled_batch(&Asked { table, rows: Rows::Range(rows), given: &[] }, scratch)
    }

    /// Makes rows of a table from what models answered for them.
    ///
    /// # Errors
    /// When a value cannot be made, or an answer is missing.
    pub fn filled_batch(&self, asked: &Asked<'_>, scratch: &Rc<Scratch>) -> Result<RecordBatch> {
        let frame = self.asked(asked, scratch);
        let described = self.table(asked.table);
        let mut fields = Vec::with_capacity(described.columns.len());
        let mut arrays = Vec::with_capacity(described.columns.len());
        for (at, column) in described.columns.iter().enumerate() {
            let array = frame.column(at)?;
            let kind: DataType = array.data_type().clone();
            fields.push(Field::new(&column.name, kind, column.nullable));
            arrays.push(array);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(frame.len()));
        Ok(RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?)
    }
}
