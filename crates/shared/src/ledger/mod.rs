//! The port to the ledger: leases and progress, shared by scheduler and workers. It is disposable: what it knows is rebuilt
//! from the store.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;

use crate::job::{JobId, Made, Outcome, Pool, Progress, ShardId, StageId};

mod view;
mod finding;
mod bitmap;
mod stage;
mod crew;
pub mod budget;
pub mod limit;
mod memory;
mod redis;
mod limits;
pub mod conformance;

pub use finding::{Finding, Severity};
pub use limits::{ATTEMPTS, DEATHS, LEAD_MS, LEASE_MS, PRESENT_MS};
pub use memory::MemoryLedger;
pub use redis::{RedisLedger, RedisOptions};
pub use view::{FailedShard, RunState, StageView, View, WaitingShard};

/// Who holds a lease: one per process start, never used again.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct WorkerId(pub String);

/// Who asks for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runner {
    /// Who would hold it.
    pub worker: WorkerId,
    /// Whose bytes it writes: attempts of one writer write identical files.
    pub writer: String,
    /// Who may run beside the shard.
    pub company: Company,
}

/// Who may run beside a shard, in the same process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// Other shards.
    Others,
    /// Nobody: a death of the process is this shard's.
    None,
}

/// The number of a lease: a later one of the same shard is higher.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fence(pub u64);

/// The number of a leadership: a later holder of the same name has a higher one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// The right to run a shard, while heartbeats keep it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// [`DEATHS`] leases of the shard ended without a report, and no other shard shall die of it: let everything else end, then
    /// ask again with [`Company::None`].
    Alone,
    /// The job is pinned to another writer: leave the shard to a worker of that one.
    OtherWriter,
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
    /// It will not work until somebody changes the configuration.
    #[error("the ledger refuses: {reason}")]
    Refused {
        /// What the ledger said; never a secret.
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

    /// As [`Ledger::mark_done`] for many shards of one stage, each with its index and what it made. A prefix of them may be
    /// noted when it fails.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] unless the stage is open.
    async fn mark_all_done(&self, job: &JobId, stage: &StageId, done: &[(u64, Made)]) -> Result<(), LedgerError> {
        for (index, made) in done {
            self.mark_done(job, &ShardId { stage: stage.clone(), index: *index }, *made).await?;
        }
        Ok(())
    }

    /// Releases up to `most` shards that were never released nor begun, lowest first, and returns their indexes. They
    /// wait until a worker begins them.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] unless the stage is open.
    async fn release(&self, job: &JobId, stage: &StageId, most: u64) -> Result<Vec<u64>, LedgerError>;

    /// Lets a failed shard wait again; its attempts stay counted.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] unless the stage is open.
    async fn reopen(&self, job: &JobId, shard: &ShardId) -> Result<(), LedgerError>;

    /// Says whether the job's shards may run. A job may be told before its first stage is open.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn set_run_state(&self, job: &JobId, state: RunState) -> Result<(), LedgerError>;

    /// Pins the job to a writer: leases are given to its workers only. Until it is pinned, to anyone's.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn pin(&self, job: &JobId, writer: &str) -> Result<(), LedgerError>;

    /// Stops the job for good.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn stop(&self, job: &JobId) -> Result<(), LedgerError> {
        self.set_run_state(job, RunState::Stopped).await
    }

    /// Forgets a job that is over.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn forget(&self, job: &JobId) -> Result<(), LedgerError>;

    /// Asks for the lease of a shard.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn begin(&self, job: &JobId, shard: &ShardId, runner: &Runner) -> Result<Begin, LedgerError>;

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

    /// What the scheduler compares with the plan. A lease whose heartbeats ceased has ended as a death: its shard waits again,
    /// or has failed for good if it ran alone, which only [`Begin::Alone`] makes it do.
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

    /// Waits until some job of the ledger may have changed since the call that answered `seen` (at first 0), and answers what
    /// to ask with the next time. It may wake for nothing.
    async fn wait_any(&self, seen: u64) -> u64;

    /// Tells that a worker lives, whose bytes it writes, and that it runs up to `slots` shards of `pool` at once; true for
    /// [`PRESENT_MS`].
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn present(&self, worker: &WorkerId, writer: &str, pool: Pool, slots: u32) -> Result<(), LedgerError>;

    /// Tells that a worker takes no more shards.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn gone(&self, worker: &WorkerId) -> Result<(), LedgerError>;

    /// The slots of all workers of a pool that live, by their writer.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn writers(&self, pool: Pool) -> Result<BTreeMap<String, u64>, LedgerError>;

    /// The slots of all workers of a pool that live.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn slots(&self, pool: Pool) -> Result<u64, LedgerError> {
        Ok(self.writers(pool).await?.values().sum())
    }

    /// Takes or keeps the leadership called `name` for [`LEAD_MS`]; nothing while another holds it. Who takes it anew has a
    /// higher epoch than everyone before.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn lead(&self, name: &str, holder: &WorkerId) -> Result<Option<Epoch>, LedgerError>;

    /// Gives the leadership back, if `holder` has it.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn resign(&self, name: &str, holder: &WorkerId) -> Result<(), LedgerError>;

    /// What an operator should know about the ledger; nothing if all is well.
    async fn check(&self) -> Vec<Finding> {
        Vec::new()
    }
}
