//! Why a job cannot go on.

use shardmill_shared::job::{CommitError, ObjectPath, PlanError};
use shardmill_shared::ledger::LedgerError;
use shardmill_shared::queue::QueueError;
use shardmill_shared::store::{PlaceError, StoreError};

/// Why a job cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The plan cannot be run, or what was counted contradicts it.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A record of the store cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// A commit contradicts the plan.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// An object among the commits is none.
    #[error("`{0}` is no commit of this job")]
    NoCommit(ObjectPath),
    /// A commit that the ledger knows is not in the store: somebody removed it, or the store lost it.
    #[error("the commit `{0}` is gone: its shard is made again")]
    Uncommitted(ObjectPath),
    /// A file that is committed is gone.
    #[error("`{0}` was committed and is not there")]
    Missing(ObjectPath),
    /// A file that is committed was changed.
    #[error("`{path}` was committed with {committed} bytes and has {found}")]
    Changed {
        /// The file.
        path: ObjectPath,
        /// Bytes at the commit.
        committed: u64,
        /// Bytes now.
        found: u64,
    },
    /// A file among the data that no commit names.
    #[error("`{0}` lies among the data and is not part of it: move it away")]
    Foreign(ObjectPath),
    /// No version number could be claimed.
    #[error("no version of `{0}` could be claimed: too many rivals")]
    Unclaimed(String),
}

impl ScheduleError {
    /// Whether trying again is vain: records contradict each other, or somebody changed what was written.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Plan(_) | Self::Commit(_) | Self::NoCommit(_) | Self::Missing(_) => true,
            Self::Changed { .. } | Self::Foreign(_) | Self::Unclaimed(_) => true,
            Self::Place(PlaceError::Damaged { .. } | PlaceError::Conflict { .. }) => true,
            Self::Uncommitted(_) | Self::Place(PlaceError::Store(_)) | Self::Ledger(_) | Self::Queue(_) => false,
        }
    }
}

impl From<StoreError> for ScheduleError {
    fn from(error: StoreError) -> Self {
        Self::Place(error.into())
    }
}
