//! What a worker must know of a job to run its shards: plan, spec, and where its objects are.

use std::fmt::{self, Debug};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use shardmill_shared::job::{JobId, Key, Name, Plan, Shard, ShardId, Stage, StageId};
use shardmill_shared::queue::Message;
use shardmill_shared::store::{Place, PlaceError};

use crate::AttemptError;
use crate::execute::Execute;

mod stored;

pub use stored::{Compile, StoredJobs};

/// A job, as its workers see it.
pub struct JobContext {
    /// The id.
    pub id: JobId,
    /// Whose job it is; nobody's in a local run.
    pub tenant: Option<Name>,
    /// The plan.
    pub plan: Plan,
    /// The canonical spec.
    pub spec: Bytes,
    /// Where its objects are.
    pub place: Place,
    /// What runs its shards.
    pub executor: Arc<dyn Execute>,
}

impl Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext").field("id", &self.id).field("place", &self.place).finish_non_exhaustive()
    }
}

/// Where a worker learns of jobs.
#[async_trait]
pub trait Jobs: Send + Sync + Debug {
    /// The job of a message, or nothing when there is none of that id.
    ///
    /// # Errors
    /// When the store fails, or what it has cannot be run here.
    async fn find(&self, message: &Message) -> Result<Option<Arc<JobContext>>, FindError>;
}

/// Why a job cannot be run here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// A record of the store cannot be used.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// This worker cannot make what the spec asks for.
    #[error("job `{job}` cannot be run by this worker: {reason}")]
    Uncompiled {
        /// The job.
        job: JobId,
        /// The problem.
        reason: String,
    },
}

/// The one job of a local run.
#[derive(Clone, Debug)]
pub struct OneJob(pub Arc<JobContext>);

#[async_trait]
impl Jobs for OneJob {
    async fn find(&self, message: &Message) -> Result<Option<Arc<JobContext>>, FindError> {
        Ok((self.0.id == message.job).then(|| Arc::clone(&self.0)))
    }
}

impl JobContext {
    /// A stage with its exact number of rows: the planned one, or the one that was counted.
    ///
    /// # Errors
    /// When the store fails; nothing while the plan has no such stage or it is not counted yet.
    pub async fn stage(&self, id: &StageId) -> Result<Option<Stage>, PlaceError> {
        let Some(stage) = self.plan.stage(id) else { return Ok(None) };
        if stage.rows.exact().is_some() {
            return Ok(Some(stage.clone()));
        }
        let counted: Option<u64> = self.place.find(&Key::Extent(id.clone())).await?;
        Ok(counted.and_then(|rows| stage.with_rows(rows).ok()))
    }

    pub(crate) async fn shard(&self, id: &ShardId) -> Result<(Stage, Shard), AttemptError> {
        let unplanned = || AttemptError::Unplanned(id.clone());
        let stage = self.stage(&id.stage).await?.ok_or_else(unplanned)?;
        let shard = stage.shard(id.index).ok_or_else(unplanned)?;
        Ok((stage, shard))
    }
}
