//! Tables: rows of the engine into one file per shard, and the counting stages before them.

use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use shardmill_engine::{EngineError, Scratch, Tables};
use shardmill_shared::job::{Account, Key, ShardId, Work};

use super::{Assignment, Execute, ExecuteError, Executed, ShardSink};
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
        counts(&self.tables, work)?;
        let scratch = Rc::new(Scratch::default());
        let mut out = Some(sink.file()?);
        let mut writer: Option<(SchemaRef, Box<dyn TableWriter>)> = None;
        let (mut row, end) = (work.shard.rows.start, work.shard.rows.end);
        let mut size = BATCH_ROWS_FIRST;
        loop {
            let rows = row..(row + size).min(end);
            let batch = self.tables.batch(table, rows.clone(), &scratch).map_err(refused)?;
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
        Ok(Executed { account: Account::written(end - work.shard.rows.start), counted: None })
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
    /// The unit of a counting shard is a block of parents. A stage of one unit counts all blocks: its parents were
    /// not counted when it was planned, so it could not be split.
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        let table = find(&self.tables, work)?;
        counts(&self.tables, work)?;
        let units = work.shard.rows.clone();
        let account = Account::written(units.end - units.start);
        if !self.tables.is_counted(table) {
            let counted = Some(self.tables.rows(table).map_err(refused)?);
            return Ok(Executed { account, counted });
        }
        let blocks = match work.stage.rows.exact() {
            Some(1) => 0..self.tables.count_blocks(table).map_err(refused)?,
            _ => units,
        };
        let mut out = sink.file()?;
        let mut total = 0u64;
        for block in blocks {
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

fn find(tables: &Tables, work: &Assignment) -> Result<usize, ExecuteError> {
    let (Work::Table { table, .. } | Work::Count { table }) = &work.stage.work else {
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
        let blocks = tables.count_blocks(table).map_err(refused)? as usize;
        let mut counted = Vec::with_capacity(blocks);
        let mut index = 0;
        while counted.len() < blocks {
            let bytes = work.read(&Key::Counts(ShardId { stage: stage.clone(), index }))?;
            counted.extend(bytes.chunks_exact(8).map(|chunk| u64::from_le_bytes(chunk.try_into().expect("8 bytes"))));
            index += 1;
        }
        tables.set_counts(table, counted);
    }
    Ok(())
}

fn refused(error: EngineError) -> ExecuteError {
    ExecuteError::Refused(error.to_string())
}

fn unwritable(error: FormatError) -> ExecuteError {
    match error {
        FormatError::Io(error) => ExecuteError::Write(error),
        other => ExecuteError::Refused(other.to_string()),
    }
}
