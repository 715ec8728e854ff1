//! What runs a shard: the trait that every kind of work implements. Processor-bound and synchronous; it runs on a thread
//! that may block.

pub mod tables;
pub mod fill;

use std::io::{self, Write};
use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use shardmill_shared::job::{Account, Key, Pool, Shard, Stage, Work};
use shardmill_shared::ledger::Lease;
use shardmill_shared::store::{PlaceError, StoreError};

use crate::JobContext;

/// One shard to run.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Its job.
    pub job: Arc<JobContext>,
    /// Its stage, with the exact number of rows.
    pub stage: Stage,
    /// The shard.
    pub shard: Shard,
    /// Under which it runs: what is bought for it is held by it. None where nothing may be bought.
    pub lease: Option<Lease>,
    pub(crate) runtime: tokio::runtime::Handle,
}

/// What an execution leaves besides its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Executed {
    /// Where the rows went.
    pub account: Account,
    /// What a counting shard counted.
    pub counted: Option<u64>,
}

/// Why the rows of a shard could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// It was told to stop.
    #[error("stopped")]
    Stopped,
    /// The file could not be written.
    #[error("the file cannot be written: {0}")]
    Write(#[from] io::Error),
    /// A file of a stage that this one needs could not be read.
    #[error(transparent)]
    Read(#[from] StoreError),
    /// What a counting stage left could not be read.
    #[error("{0}")]
    Counts(String),
    /// The budget is spent.
    #[error("{0}")]
    Budget(String),
    /// A model cannot be asked before somebody changes the configuration.
    #[error("{0}")]
    Model(String),
    /// No model answers now.
    #[error("{0}")]
    Unanswered(String),
    /// Something broke off that another attempt may do better.
    #[error("{0}")]
    Interrupted(String),
    /// The rows cannot be made, however often it is tried.
    #[error("{0}")]
    Refused(String),
    /// A column of them cannot be made, however often it is tried.
    #[error("column `{column}`: {message}")]
    Column {
        /// The column, as `table.column`.
        column: String,
        /// What happened, with the value.
        message: String,
    },
}

/// Runs shards of one kind of work.
pub trait Execute: Send + Sync {
    /// Makes the rows of a shard and writes them into `sink`. Equal assignments write equal bytes.
    ///
    /// # Errors
    /// When the rows cannot be made or written; [`ExecuteError::Stopped`] as soon as the sink says so.
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError>;
}

/// Where the rows of a shard go.
pub trait ShardSink {
    /// Starts the shard's one file, which may stay empty. The file is whole when the writer is dropped.
    ///
    /// # Errors
    /// When it was started before.
    fn file(&mut self) -> Result<Box<dyn Write + Send>, ExecuteError>;

    /// Tells that `rows` more rows were made. To be called between batches.
    ///
    /// # Errors
    /// [`ExecuteError::Stopped`] when the attempt is to stop.
    fn made(&mut self, rows: u64) -> Result<(), ExecuteError>;
}

/// Runs each kind of work by the executor that was registered for it.
pub struct ByWork {
    /// Writes tables.
    pub table: Arc<dyn Execute>,
    /// Writes tables that models fill, in part; nothing where no such table can be.
    pub fill: Option<Arc<dyn Execute>>,
    /// Counts the rows of tables.
    pub count: Arc<dyn Execute>,
}

impl Execute for ByWork {
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        match &work.stage.work {
            Work::Table { .. } if work.stage.pool == Pool::Llm => match &self.fill {
                Some(fill) => fill.execute(work, sink),
                None => Err(ExecuteError::Refused("this worker asks no models".to_owned())),
            },
            Work::Table { .. } => self.table.execute(work, sink),
            Work::Count { .. } => self.count.execute(work, sink),
            other => Err(ExecuteError::Refused(format!("this worker cannot do {other:?}"))),
        }
    }
}

impl Assignment {
    /// Reads a small object that an earlier stage left: a commit, or what a counting shard wrote.
    ///
    /// # Errors
    /// When it is not there or the store fails.
    pub fn read(&self, key: &Key) -> Result<Bytes, StoreError> {
        let place = &self.job.place;
        self.runtime.block_on(place.store.read(&place.path(key)))
    }

    /// Reads a record that may not be there.
    ///
    /// # Errors
    /// When the store fails, or the record is damaged.
    pub fn find<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, ExecuteError> {
        let found = self.runtime.block_on(self.job.place.find(key));
        found.map_err(|error| match error {
            PlaceError::Store(error) => ExecuteError::Read(error),
            other => ExecuteError::Interrupted(other.to_string()),
        })
    }

    /// The key of the shard's file.
    pub(crate) fn file_key(&self) -> Key {
        match &self.stage.work {
            Work::Table { table, extension } => Key::Part {
                table: table.clone(),
                index: self.shard.id.index,
                of: self.shard.of,
                extension: extension.clone(),
            },
            _ => Key::Counts(self.shard.id.clone()),
        }
    }
}
