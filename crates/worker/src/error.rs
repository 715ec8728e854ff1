//! Why an attempt ended without a commit.

use shardmill_shared::job::{CommitError, Failure, FailureClass, JobId, Outcome, Scope, ShardId};
use shardmill_shared::ledger::LedgerError;
use shardmill_shared::queue::QueueError;
use shardmill_shared::store::{PlaceError, StoreError};

use crate::jobs::FindError;

/// Why an attempt ended without a commit.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The attempt was told to stop.
    #[error("stopped")]
    Stopped,
    /// The store has no job of that id.
    #[error("the store has no job `{0}`: was it removed?")]
    Unknown(JobId),
    /// The job cannot be run here.
    #[error(transparent)]
    Found(FindError),
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
    /// The rows cannot be made, by any attempt.
    #[error("{}", .0.reason)]
    Refused(Refusal),
    /// The budget is spent.
    #[error("{0}")]
    Budget(String),
    /// No model can be asked before somebody changes the configuration.
    #[error("{0}")]
    Model(String),
    /// No model answers now.
    #[error("{0}")]
    Unanswered(String),
    /// What the rows are made from could not be read, or their file not be written.
    #[error("{0}")]
    Interrupted(String),
    /// The program has a fault.
    #[error("making the rows panicked: {0}")]
    Panicked(String),
}

/// Why rows cannot be made.
#[derive(Debug)]
pub struct Refusal {
    /// The column that cannot, as `table.column`.
    pub(crate) column: Option<String>,
    /// What is wrong with it.
    pub(crate) reason: String,
}

/// Why a message could not be judged: it comes again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HandleError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl From<FindError> for AttemptError {
    fn from(error: FindError) -> Self {
        match error {
            FindError::Place(error) => Self::Place(error),
            other @ FindError::Uncompiled { .. } => Self::Found(other),
        }
    }
}

impl AttemptError {
    /// What kind of failure it is.
    pub(crate) fn class(&self) -> FailureClass {
        match self {
            Self::Store(_) | Self::Place(PlaceError::Store(_)) => FailureClass::Store,
            Self::Place(PlaceError::Conflict { .. }) => FailureClass::Conflict,
            Self::Place(PlaceError::Damaged { .. }) | Self::Unknown(_) => FailureClass::Damaged,
            Self::Found(_) => FailureClass::Uncompiled,
            Self::Unplanned(_) | Self::Commit(_) => FailureClass::Plan,
            Self::Refused(_) => FailureClass::Refused,
            Self::Budget(_) => FailureClass::Budget,
            Self::Model(_) | Self::Unanswered(_) => FailureClass::Model,
            Self::Interrupted(_) => FailureClass::Interrupted,
            Self::Panicked(_) => FailureClass::Panicked,
            Self::Stopped => FailureClass::Other,
        }
    }

    /// What the ledger is told.
    pub(crate) fn outcome(&self) -> Outcome {
        let scope = match self {
            Self::Stopped => return Outcome::Stopped,
            Self::Store(error) | Self::Place(PlaceError::Store(error)) => error.scope(),
            // Two attempts of one shard that differ mean the file may be the loser's: nothing may be published.
            Self::Place(PlaceError::Conflict { .. }) | Self::Budget(_) | Self::Model(_) => Scope::Job,
            // Another worker may be able to.
            Self::Place(PlaceError::Damaged { .. })
            | Self::Found(_)
            | Self::Unknown(_)
            | Self::Unplanned(_)
            | Self::Commit(_)
            | Self::Interrupted(_)
            | Self::Unanswered(_)
            | Self::Panicked(_) => Scope::Shard,
            Self::Refused(_) => Scope::Final,
        };
        let column = if let Self::Refused(refusal) = self { refusal.column.clone() } else { None };
        Outcome::Failed(Failure { scope, class: self.class(), column, message: self.to_string() })
    }
}
