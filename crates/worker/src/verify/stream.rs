//! Streams the files of a table, once with all columns through all checks of rows, or one column for a pass over keys.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema, SchemaRef};
use shardmill_engine::check::report::{CheckResult, Detail, Group};
use shardmill_engine::check::table::TableChecks;

use super::dataset::{DataFile, Dataset};
use super::parallel::each;
use super::{VerifyError, VerifyOptions};
use crate::formats::{Batches, FormatError};

/// Files whose findings are held before they are merged, for each thread: it bounds the memory of tables with many.
const FILES_PER_THREAD: usize = 16;

/// What one look at all rows of a table found.
pub(super) struct Look<'d> {
    pub(super) checks: TableChecks<'d>,
    /// The files that could not be read to their end, and why.
    unreadable: Vec<String>,
}

/// Looks at all rows of a table.
///
/// # Errors
/// When the engine cannot make the rows to compare with.
pub(super) fn look<'d>(dataset: &'d Dataset, table: usize, options: &VerifyOptions) -> Result<Look<'d>, VerifyError> {
    let mut all = Look { checks: TableChecks::new(&dataset.tables, table), unreadable: Vec::new() };
    for wave in dataset.files[table].chunks(options.threads.get().saturating_mul(FILES_PER_THREAD)) {
        for look in each(options.threads, wave, |file| file_look(dataset, table, file)) {
            let look = look?;
            all.checks.merge(look.checks);
            all.unreadable.extend(look.unreadable);
        }
    }
    Ok(all)
}

impl Look<'_> {
    /// Whether all files could be read.
    pub(super) fn readable(&self, table: &str) -> CheckResult {
        CheckResult {
            name: format!("readable:{table}"),
            group: Group::Structural,
            table: table.to_owned(),
            passed: self.unreadable.is_empty(),
            message: match self.unreadable.first() {
                None => "all files can be read".to_owned(),
                Some(first) => format!("{} files cannot be read; the first is {first}", self.unreadable.len()),
            },
            details: vec![("unreadable", Detail::List(self.unreadable.iter().take(5).cloned().collect()))],
        }
    }
}

fn file_look<'d>(dataset: &'d Dataset, table: usize, file: &DataFile) -> Result<Look<'d>, VerifyError> {
    let mut look = Look { checks: TableChecks::new(&dataset.tables, table), unreadable: Vec::new() };
    let mut row = file.rows.start;
    let names = dataset.tables.table(table).columns.iter().map(|column| column.name.clone()).collect();
    for batch in Reading::of(dataset, table, file, names) {
        match batch {
            Ok(batch) => {
                look.checks.see(&batch, row, &file.rows)?;
                row += batch.num_rows() as u64;
            }
            Err(reason) => look.unreadable.push(format!("{}: {reason}", file.key)),
        }
    }
    Ok(look)
}

/// The batches of a file until its end or the first fault. Readers of binary formats panic on some damaged files; that
/// is a fault of the file like any other.
enum Reading {
    Open(Batches),
    Failed(String),
    Ended,
}

impl Reading {
    /// Of those of the named columns that the file has.
    fn of(dataset: &Dataset, table: usize, file: &DataFile, names: Vec<String>) -> Self {
        match catch_unwind(AssertUnwindSafe(|| open(dataset, table, file, names))) {
            Ok(Ok(batches)) => Self::Open(batches),
            Ok(Err(error)) => Self::Failed(error.to_string()),
            Err(_) => Self::Failed(PANICKED.to_owned()),
        }
    }
}

/// What is said of a file that made its reader panic.
const PANICKED: &str = "the reader cannot make sense of it";

impl Iterator for Reading {
    type Item = Result<RecordBatch, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = match self {
            Self::Open(batches) => match catch_unwind(AssertUnwindSafe(|| batches.next())) {
                Ok(batch) => batch?.map_err(|error| error.to_string()),
                Err(_) => Err(PANICKED.to_owned()),
            },
            Self::Failed(reason) => Err(std::mem::take(reason)),
            Self::Ended => return None,
        };
        if next.is_err() {
            *self = Self::Ended;
        }
        Some(next)
    }
}

/// Opens a file with those of the named columns that it has.
fn open(dataset: &Dataset, table: usize, file: &DataFile, mut names: Vec<String>) -> Result<Batches, FormatError> {
    let schema = nullable(&dataset.tables.schema(table));
    loop {
        let opened = dataset.format.open(&file.path, Some(&names), Arc::clone(&schema), &dataset.options);
        match opened {
            Err(FormatError::MissingColumn { column }) if names.contains(&column) => {
                names.retain(|name| *name != column);
            }
            opened => return opened,
        }
    }
}

/// Readers refuse a null where the schema allows none; here it is a finding.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| Field::clone(field).with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Gives every batch of one column of a file to `see`, with the number of its first row. Where the file cannot be read
/// it ends: the look at all rows has said so already.
pub(super) fn column(
    dataset: &Dataset,
    (table, column): (usize, usize),
    file: &DataFile,
    mut see: impl FnMut(&ArrayRef, u64),
) {
    let name = dataset.tables.table(table).columns[column].name.clone();
    let mut row = file.rows.start;
    for batch in Reading::of(dataset, table, file, vec![name]).map_while(Result::ok) {
        if let Some(array) = batch.columns().first() {
            see(array, row);
        }
        row += batch.num_rows() as u64;
    }
}
