//! What a worker must know of a job to run its shards: plan, spec, and where its objects are.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use shardmill_shared::job::{JobId, Key, Plan, Shard, ShardId, Stage, StageId};
use shardmill_shared::store::{Place, PlaceError};

use crate::AttemptError;

/// A job, as its workers see it.
#[derive(Debug)]
pub struct JobContext {
    /// The id.
    pub id: JobId,
    /// The plan.
    pub plan: Plan,
    /// The canonical spec.
    pub spec: Bytes,
    /// Where its objects are.
    pub place: Place,
}

/// Where a worker learns of jobs.
#[async_trait]
pub trait Jobs: Send + Sync + Debug {
    /// The job, or nothing when there is none of that id.
    ///
    /// # Errors
    /// When the store fails.
    async fn find(&self, job: &JobId) -> Result<Option<Arc<JobContext>>, PlaceError>;
}

/// The one job of a local run.
#[derive(Clone, Debug)]
pub struct OneJob(pub Arc<JobContext>);

#[async_trait]
impl Jobs for OneJob {
    async fn find(&self, job: &JobId) -> Result<Option<Arc<JobContext>>, PlaceError> {
        Ok((self.0.id == *job).then(|| Arc::clone(&self.0)))
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
