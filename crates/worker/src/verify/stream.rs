//! Streams the files of a table, once with all columns through all checks of rows, or one column for a pass over keys.

use std::sync::Arc;

use arrow::array::ArrayRef;
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
    match open(dataset, table, file, names) {
        Err(error) => look.unreadable.push(format!("{}: {error}", file.key)),
        Ok(batches) => {
            for batch in batches {
                match batch {
                    Ok(batch) => {
                        look.checks.see(&batch, row, &file.rows)?;
                        row += batch.num_rows() as u64;
                    }
                    Err(error) => {
                        look.unreadable.push(format!("{}: {error}", file.key));
                        break;
                    }
                }
            }
        }
    }
    Ok(look)
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
    let Ok(batches) = open(dataset, table, file, vec![name]) else { return };
    let mut row = file.rows.start;
    for batch in batches.map_while(Result::ok) {
        if let Some(array) = batch.columns().first() {
            see(array, row);
        }
        row += batch.num_rows() as u64;
    }
}
