//! The port to the ledger: leases and progress, shared by scheduler and workers. It is disposable: what it knows is rebuilt
//! from the store.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::job::{Failure, JobId, Made, Outcome, Progress, ShardId, StageId};

mod bitmap;
mod stage;
mod memory;
mod limits;
pub mod conformance;

pub use limits::{ATTEMPTS, LEASE_MS};
pub use memory::MemoryLedger;

/// Who holds a lease: one per process start, never used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub String);

/// The number of a lease: a later one of the same shard is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fence(pub u64);

/// The right to run a shard, while heartbeats keep it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// The shard.
    pub shard: ShardId,
    /// The number of the lease.
    pub fence: Fence,
}

/// What a worker that took a message is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// Run the shard under this lease.
    Go(Fence),
    /// This worker runs the shard already; the lease answers for it.
    Mine(Fence),
    /// Another worker does, or the shard waits for its next attempt: forget the message.
    Busy,
    /// The shard is committed: forget the message.
    Done,
    /// The job runs no more shards, or is not known: forget the message.
    Stopped,
}

/// What a running attempt is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Go on.
    Continue,
    /// Stop: the lease is over, or the job is.
    Stop,
}

/// A shard whose last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedShard {
    /// The index in its stage.
    pub index: u64,
    /// How many attempts failed.
    pub attempts: u32,
    /// When the last one failed, in milliseconds of the ledger's clock.
    pub failed_ms: u64,
    /// Why.
    pub failure: Failure,
}

/// A shard that waits for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingShard {
    /// The index in its stage.
    pub index: u64,
    /// Which try is next, from 1.
    pub attempt: u32,
}

/// What the scheduler compares with the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageView {
    /// The stage.
    pub stage: StageId,
    /// How many shards it has.
    pub shards: u64,
    /// How many are committed.
    pub done: u64,
    /// How many run under a lease.
    pub leased: u64,
    /// Whether every shard was released once.
    pub is_released: bool,
    /// Shards that were released and neither run, nor failed, nor are committed; never more than the window.
    pub waiting: Vec<WaitingShard>,
    /// Shards whose last attempt failed.
    pub failed: Vec<FailedShard>,
}

/// What the ledger knows of a job at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Grows with every change that could matter to the scheduler.
    pub revision: u64,
    /// The ledger's time in milliseconds.
    pub now_ms: u64,
    /// Whether the job was stopped.
    pub is_stopped: bool,
    /// The stages that were opened, in that order.
    pub stages: Vec<StageView>,
}

/// Why a ledger failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The ledger forgot the job or never knew it: it must be rebuilt.
    #[error("the ledger knows no `{0}`")]
    Unknown(String),
    /// It may work later.
    #[error("the ledger cannot be reached now: {reason}")]
    Transient {
        /// What the ledger said.
        reason: String,
    },
}

/// Progress and leases of jobs. Every method is atomic and may be repeated.
#[async_trait]
pub trait Ledger: Send + Sync + Debug {
    /// Makes a stage of a job known, with its number of shards. A stage that is known stays as it is.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn open(&self, job: &JobId, stage: &StageId, shards: u64) -> Result<(), LedgerError>;

    /// Notes a commit that was found in the store.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] unless the stage is open.
    async fn mark_done(&self, job: &JobId, shard: &ShardId, made: Made) -> Result<(), LedgerError>;

    /// Releases up to `most` shards that were never released, lowest first, and returns their indexes. They wait until a
    /// worker begins them.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] unless the stage is open.
    async fn release(&self, job: &JobId, stage: &StageId, most: u64) -> Result<Vec<u64>, LedgerError>;

    /// Lets a failed shard wait again; its attempts stay counted.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] unless the stage is open.
    async fn reopen(&self, job: &JobId, shard: &ShardId) -> Result<(), LedgerError>;

    /// Stops the job: no lease is given any more, and heartbeats say so.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for an unknown job.
    async fn stop(&self, job: &JobId) -> Result<(), LedgerError>;

    /// Asks for the lease of a shard.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn begin(&self, job: &JobId, shard: &ShardId, worker: &WorkerId) -> Result<Begin, LedgerError>;

    /// Keeps a lease for another [`LEASE_MS`] and tells how far the attempt has come.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn heartbeat(&self, lease: &Lease, made: Made) -> Result<Beat, LedgerError>;

    /// Ends a lease. A commit counts whatever became of the lease; any other outcome only under its own lease.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn report(&self, lease: &Lease, outcome: &Outcome) -> Result<(), LedgerError>;

    /// What the scheduler compares with the plan. Leases whose heartbeats ceased have ended as failures.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for an unknown job.
    async fn view(&self, job: &JobId) -> Result<View, LedgerError>;

    /// What people watch.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for an unknown job.
    async fn progress(&self, job: &JobId) -> Result<Progress, LedgerError>;

    /// Waits until the job's revision is another than `seen`.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for an unknown job.
    async fn wait_change(&self, job: &JobId, seen: u64) -> Result<(), LedgerError>;
}
