//! Tables with columns that models fill: every row is asked for, what was answered is sealed, and the rows follow from the seal.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use shardmill_engine::{Asked, Rows, Scratch, Tables};
use shardmill_shared::job::{Account, Key};
use shardmill_shared::store::Put;

use seal::SealedColumn;

use super::tables::{WriteTable, find, refused};
use super::{Assignment, Execute, ExecuteError, Executed, ShardSink};

mod models;
mod pace;
mod purse;
mod journal;
mod pack;
mod words;
mod asking;
mod seal;

pub use models::Models;
pub use seal::{Reject, RejectClass, Seal};

/// Writes shards of tables some of whose columns models fill.
pub struct FillTable {
    /// How rows are written.
    pub table: WriteTable,
    /// Whom to ask; without it, sealed shards can be written, and no other.
    pub models: Option<Arc<Models>>,
}

impl Execute for FillTable {
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        let tables = &self.table.tables;
        let table = find(tables, work)?;
        let seal = match work.find::<Seal>(&Key::Seal(work.shard.id.clone()))? {
            Some(seal) => seal,
            None => sealed(work, self.asked(work, table, sink)?)?,
        };
        let rows = work.shard.rows.clone();
        seal.check(rows.end - rows.start).map_err(ExecuteError::Refused)?;
        let answers = Answers::of(tables, table, &seal)?;
        let scratch = Rc::new(Scratch::default());
        let written = self.table.write(work, sink, &mut |part| {
            let kept = answers.kept((part.start - rows.start) as usize, (part.end - part.start) as usize);
            if kept.is_empty() {
                return Ok(RecordBatch::new_empty(tables.schema(table)));
            }
            let given = answers.cells(&kept);
            let rows = Rows::Picked(kept.iter().map(|at| rows.start + *at as u64).collect());
            tables.filled_batch(&Asked { table, rows, given: &given }, &scratch).map_err(refused)
        })?;
        let made = rows.end - rows.start;
        let account = Account { made, written, rejected: made - written, ..Account::default() };
        Ok(Executed { account, counted: None })
    }
}

impl FillTable {
    /// What models answer for every row of a shard.
    fn asked(&self, work: &Assignment, table: usize, sink: &mut dyn ShardSink) -> Result<Seal, ExecuteError> {
        let Some(models) = &self.models else {
            let reason = "its answers are not there, and no model may be asked: configure [providers] (docs/models.md)";
            return Err(ExecuteError::Model(reason.to_owned()));
        };
        asking::ask_all(models, work, (&self.table.tables, table), sink)
    }
}

/// Seals what was obtained: the first seal of a shard holds, and a later one is dropped.
fn sealed(work: &Assignment, seal: Seal) -> Result<Seal, ExecuteError> {
    let (key, place) = (Key::Seal(work.shard.id.clone()), &work.job.place);
    let bytes = shardmill_shared::job::encode(&seal).into();
    let put = work.runtime.block_on(place.store.put_once(&place.path(&key), bytes))?;
    match put {
        Put::Created => Ok(seal),
        Put::AlreadyExists => work.find(&key)?.ok_or_else(|| ExecuteError::Interrupted("the seal vanished".to_owned())),
    }
}

/// The answers of a shard, and the columns that they are for.
struct Answers<'s> {
    columns: Vec<(usize, &'s SealedColumn)>,
    /// Which rows have all their cells.
    kept: Vec<bool>,
}

impl<'s> Answers<'s> {
    fn of(tables: &Tables, table: usize, seal: &'s Seal) -> Result<Self, ExecuteError> {
        let columns: BTreeMap<&str, usize> =
            tables.table(table).columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
        let mut sealed_columns = Vec::new();
        for sealed in &seal.columns {
            let unknown =
                || ExecuteError::Refused(format!("the seal has answers for `{}`, which is no column", sealed.column));
            let at = *columns.get(sealed.column.as_str()).ok_or_else(unknown)?;
            sealed_columns.push((at, sealed));
        }
        Ok(Self { columns: sealed_columns, kept: seal.kept() })
    }

    /// The positions of rows that are kept, of `length` rows from `start` on.
    fn kept(&self, start: usize, length: usize) -> Vec<usize> {
        (start..start + length).filter(|at| self.kept[*at]).collect()
    }

    fn cells(&self, positions: &[usize]) -> Vec<(usize, ArrayRef)> {
        self.columns.iter().map(|(at, sealed)| (*at, sealed.cells(positions))).collect()
    }
}
