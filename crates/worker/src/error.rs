//! Why an attempt ended without a commit.

use shardmill_shared::job::{CommitError, Failure, Outcome, Scope, ShardId};
use shardmill_shared::ledger::LedgerError;
use shardmill_shared::store::{PlaceError, StoreError};

/// Why an attempt ended without a commit.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The attempt was told to stop.
    #[error("stopped")]
    Stopped,
    /// The plan has no such shard.
    #[error("the plan has no shard `{0}`")]
    Unplanned(ShardId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record of the store cannot be used, or another commit was first and differs.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// What was made is not what was planned.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The rows could not be made.
    #[error("{0}")]
    Refused(String),
    /// The program has a fault.
    #[error("making the rows panicked: {0}")]
    Panicked(String),
}

/// Why a message could not be judged: it comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandleError {
    #[error(transparent)]
    Job(#[from] PlaceError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AttemptError {
    /// What the ledger is told.
    pub(crate) fn outcome(&self) -> Outcome {
        let scope = match self {
            Self::Stopped => return Outcome::Stopped,
            Self::Store(error) | Self::Place(PlaceError::Store(error)) => error.scope(),
            // Two attempts of one shard that differ mean the file may be the loser's: nothing may be published.
            Self::Place(PlaceError::Conflict { .. }) => Scope::Job,
            Self::Place(PlaceError::Damaged { .. })
            | Self::Unplanned(_)
            | Self::Commit(_)
            | Self::Refused(_)
            | Self::Panicked(_) => Scope::Shard,
        };
        Outcome::Failed(Failure { scope, message: self.to_string() })
    }
}
