//! Tables: rows of the engine into one file per shard, and the counting stages before them.

use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use shardmill_engine::counts::{Counts, Pages};
use shardmill_engine::{EngineError, Scratch, Tables};
use shardmill_shared::job::{Account, Key, PlanError, ShardId, StageId, Work};
use tokio::runtime::Handle;

use super::{Assignment, Execute, ExecuteError, Executed, ShardSink};
use crate::JobContext;
use crate::formats::{Format, FormatError, TableWriter, WriteOptions};
use crate::limits::{BATCH_BYTES, BATCH_ROWS_FIRST, BATCH_ROWS_MAX};

/// Writes shards of tables.
pub struct WriteTable {
    /// The compiled spec.
    pub tables: Arc<Tables>,
    /// The format of the files.
    pub format: &'static dyn Format,
    /// How the format writes them.
    pub options: WriteOptions,
}

/// Counts the rows of tables whose number of children depends on their parents.
pub struct CountTable {
    /// The compiled spec.
    pub tables: Arc<Tables>,
}

impl Execute for WriteTable {
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        let table = find(&self.tables, work)?;
        let scratch = Rc::new(Scratch::default());
        let mut make = |rows| self.tables.batch(table, rows, &scratch).map_err(refused);
        let written = self.write(work, sink, &mut make)?;
        Ok(Executed { account: Account::written(written), counted: None })
    }
}

/// Makes the batch of some rows, or of those of them that are kept.
type Make<'a> = dyn FnMut(Range<u64>) -> Result<RecordBatch, ExecuteError> + 'a;

impl WriteTable {
    /// Writes the rows of a shard, batch by batch; how many.
    pub(super) fn write(
        &self,
        work: &Assignment,
        sink: &mut dyn ShardSink,
        make: &mut Make<'_>,
    ) -> Result<u64, ExecuteError> {
        counts(&self.tables, work)?;
        let mut written = 0;
        let mut out = Some(sink.file()?);
        let mut writer: Option<(SchemaRef, Box<dyn TableWriter>)> = None;
        let (mut row, end) = (work.shard.rows.start, work.shard.rows.end);
        let mut size = BATCH_ROWS_FIRST;
        loop {
            let rows = row..(row + size).min(end);
            let batch = make(rows.clone())?;
            written += batch.num_rows() as u64;
            if let Some(out) = out.take() {
                let schema = batch.schema();
                writer =
                    Some((Arc::clone(&schema), self.format.writer(schema, &self.options, out).map_err(unwritable)?));
            }
            let (schema, writer) = writer.as_mut().expect("the first batch has made it");
            writer.write(&alike(batch, schema, &mut size)?).map_err(unwritable)?;
            sink.made(rows.end - rows.start)?;
            row = rows.end;
            if row >= end {
                break;
            }
        }
        let (_, writer) = writer.expect("at least one batch was written");
        writer.finish().map_err(unwritable)?;
        Ok(written)
    }
}

/// The batch with the types of the first one, and the number of rows for the next: as many as fill a batch, by the
/// size of this one. It depends on the rows only, so every attempt cuts its batches alike.
fn alike(batch: RecordBatch, schema: &SchemaRef, size: &mut u64) -> Result<RecordBatch, ExecuteError> {
    let bytes: u64 = batch.columns().iter().map(|column| bytes_of(column.as_ref())).sum();
    let rows = (batch.num_rows() as u64).max(1);
    *size = (BATCH_BYTES * rows / bytes.max(1)).clamp(1, BATCH_ROWS_MAX).next_power_of_two().min(BATCH_ROWS_MAX);
    if batch.schema() == *schema {
        return Ok(batch);
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns: Result<Vec<_>, _> = columns.map(|(column, field)| cast(column, field.data_type())).collect();
    let columns = columns.map_err(|error| ExecuteError::Refused(error.to_string()))?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|error| ExecuteError::Refused(error.to_string()))
}

/// Bytes of a column's own rows. A dictionary's values are shared by all batches, so only its keys count.
fn bytes_of(column: &dyn Array) -> u64 {
    match column.data_type() {
        DataType::Dictionary(..) => column.len() as u64 * DICTIONARY_ROW_BYTES,
        _ => column.to_data().get_slice_memory_size().unwrap_or(0) as u64,
    }
}

/// A key and the text that it stands for, about.
const DICTIONARY_ROW_BYTES: u64 = 16;

impl Execute for CountTable {
    /// The unit of a counting shard is a block of parents, and what it leaves is a page of the counts.
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        let table = find(&self.tables, work)?;
        counts(&self.tables, work)?;
        let units = work.shard.rows.clone();
        let account = Account::written(units.end - units.start);
        if !self.tables.is_counted(table) {
            let counted = Some(self.tables.rows(table).map_err(refused)?);
            return Ok(Executed { account, counted });
        }
        let mut out = sink.file()?;
        let mut total = 0u64;
        for block in units {
            let count = self.tables.count(table, block..block + 1).map_err(refused)?[0];
            out.write_all(&count.to_le_bytes())?;
            total += count;
            if block.is_multiple_of(BLOCKS_BETWEEN_SIGNS) {
                sink.made(0)?;
            }
        }
        sink.made(account.made)?;
        Ok(Executed { account, counted: Some(total) })
    }
}

/// Blocks between two looks at whether to stop.
const BLOCKS_BETWEEN_SIGNS: u64 = 64;

pub(super) fn find(tables: &Tables, work: &Assignment) -> Result<usize, ExecuteError> {
    let (Work::Table { table, .. } | Work::Count { table, .. }) = &work.stage.work else {
        return Err(ExecuteError::Refused(format!("{:?} is no work on tables", work.stage.work)));
    };
    let missing = || ExecuteError::Refused(format!("the spec has no table `{table}`"));
    tables.find(table.as_str()).ok_or_else(missing)
}

/// Gives the engine what the counting stages that this one needs have left in the store.
fn counts(tables: &Tables, work: &Assignment) -> Result<(), ExecuteError> {
    for table in tables.counted_in_order() {
        let name = &tables.table(table).name;
        let stage = work.stage.needs.iter().find(|id| id.to_string() == format!("count-{name}"));
        let Some(stage) = stage else { continue };
        if tables.rows(table).is_ok() {
            continue;
        }
        let sums = work.read(&Key::Sums(stage.clone()))?;
        let sums: Vec<u64> = serde_json::from_slice(&sums).map_err(|error| ExecuteError::Counts(error.to_string()))?;
        let stored = StoredPages { job: Arc::clone(&work.job), stage: stage.clone(), runtime: work.runtime.clone() };
        let counts = Counts::paged(sums, Box::new(stored));
        tables.set_counts(table, counts.ok_or_else(|| ExecuteError::Refused(PlanError::TooManyRows.to_string()))?);
    }
    Ok(())
}

/// What the shards of a counting stage left in the store: a page each.
#[derive(Debug)]
struct StoredPages {
    job: Arc<JobContext>,
    stage: StageId,
    runtime: Handle,
}

impl Pages for StoredPages {
    fn page(&self, page: u64) -> Result<Vec<u64>, String> {
        let place = &self.job.place;
        let path = place.path(&Key::Counts(ShardId { stage: self.stage.clone(), index: page }));
        let bytes = self.runtime.block_on(place.store.read(&path)).map_err(|error| error.to_string())?;
        let (numbers, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(format!("`{path}` is cut off"));
        }
        Ok(numbers.iter().map(|number| u64::from_le_bytes(*number)).collect())
    }
}

pub(super) fn refused(error: EngineError) -> ExecuteError {
    match error {
        EngineError::Counts { .. } => ExecuteError::Counts(error.to_string()),
        EngineError::Column { table, column, message } => {
            ExecuteError::Column { column: format!("{table}.{column}"), message }
        }
        other => ExecuteError::Refused(other.to_string()),
    }
}

fn unwritable(error: FormatError) -> ExecuteError {
    match error {
        FormatError::Io(error) => ExecuteError::Write(error),
        other => ExecuteError::Refused(other.to_string()),
    }
}
