//! Jobs: one of them as everybody sees it, put together from what the store remembers and the ledger knows.

use serde::Serialize;
use shardmill_shared::job::{
    Ending, JobId, JobState, Key, Layout, Made, Orders, Plan, Progress, StageProgress, Submission,
};
use shardmill_shared::store::{JobRecords, Place};
use utoipa::ToSchema;

use self::money::BudgetResource;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::shared::{Inner, Shared};
use crate::time::rfc3339;

pub(crate) mod submit;
pub(crate) mod read;
pub(crate) mod list;
pub(crate) mod command;
mod money;
pub(crate) mod events;
pub(crate) mod shards;
pub(crate) mod failures;
pub(crate) mod manifest;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct JobResource {
    /// Its id.
    #[schema(example = "019a8c5e-7b00-7c3a-9d7e-2f4d6a1b0c9e")]
    id: String,
    /// The dataset it makes a version of.
    #[schema(example = "shop")]
    dataset: String,
    /// The version it makes; null until it is planned.
    version: Option<u64>,
    /// `queued`, `planning`, `running`, `paused`, `finishing`, `succeeded`, `failed` or `cancelled`.
    #[schema(value_type = String, example = "running")]
    state: JobState,
    /// 0 to 9.
    priority: u8,
    /// The name of the key or schedule that submitted it.
    by: String,
    /// When it was submitted.
    #[schema(format = "date-time")]
    submitted: String,
    /// When it ended.
    #[schema(format = "date-time")]
    ended: Option<String>,
    /// How often its failed shards were asked for again.
    retries: u32,
    /// How far it is, while it runs and that is known.
    progress: Option<ProgressResource>,
    /// What it made, or has made so far when that is known.
    made: Option<MadeResource>,
    /// What a paused job waits for: `user`, or `budget`.
    waits_for: Option<&'static str>,
    /// What it may spend on models; null where it asks none, and in lists.
    budget: Option<BudgetResource>,
    /// Why it failed, or what to do so that it goes on.
    message: Option<String>,
    /// The digest of the published manifest.
    manifest: Option<String>,
    /// Where more is to be had.
    links: Links,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ProgressResource {
    /// The stages that were started, in the plan's order.
    stages: Vec<StageResource>,
}

/// How far a stage is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct StageResource {
    /// The stage.
    stage: String,
    /// Shards that are committed.
    shards_done: u64,
    /// Shards there are.
    shards_total: Option<u64>,
    /// Shards whose last attempt failed.
    shards_failed: u64,
    /// Rows and bytes made so far.
    made: MadeResource,
}

/// Rows and bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MadeResource {
    /// Rows.
    rows: u64,
    /// Bytes.
    bytes: u64,
}

/// Paths of this API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Links {
    /// The job.
    #[serde(rename = "self")]
    job: String,
    /// What happens to it.
    events: String,
    /// Its shards.
    shards: String,
    /// Its failures.
    failures: String,
    /// Its manifest, once it is published.
    manifest: Option<String>,
    /// The version it made, once it is published.
    version: Option<String>,
}

impl From<Made> for MadeResource {
    fn from(made: Made) -> Self {
        Self { rows: made.rows, bytes: made.bytes }
    }
}

impl From<&Progress> for ProgressResource {
    fn from(progress: &Progress) -> Self {
        let stages = progress.stages.iter().map(|stage| StageResource {
            stage: stage.stage.to_string(),
            shards_done: stage.shards_done,
            shards_total: stage.shards_total,
            shards_failed: stage.shards_failed,
            made: stage.made.into(),
        });
        Self { stages: stages.collect() }
    }
}

/// What the store remembers of a job of the caller's tenant.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) records: JobRecords,
    pub(crate) submission: Submission,
    pub(crate) orders: Orders,
    pub(crate) ending: Option<Ending>,
    pub(crate) place: Option<Place>,
}

impl Known {
    /// The job of that id, unless it is another tenant's.
    pub(crate) async fn find(shared: &Inner, caller: &Caller, id: &str) -> Result<Self, Problem> {
        let job = JobId::new(id).map_err(|_| Problem::not_found("job", id))?;
        let records = shared.records(caller);
        let submission = records.submission(&job).await?.ok_or_else(|| Problem::not_found("job", id))?;
        Self::of(records, submission).await
    }

    /// A job that was made known just now.
    pub(crate) fn fresh(records: JobRecords, submission: Submission) -> Self {
        let orders = Orders::of(&submission);
        Self { records, submission, orders, ending: None, place: None }
    }

    /// What became of a submission.
    pub(crate) async fn of(records: JobRecords, submission: Submission) -> Result<Self, Problem> {
        let orders = records.orders(&submission).await?;
        let ending = records.ending(&submission.job, orders.retries).await?;
        let place = records.place(&submission.job).await?;
        Ok(Self { records, submission, orders, ending, place })
    }

    /// How far the job is; nothing before it is placed, when it is over, and when the ledger does not say.
    pub(crate) async fn progress(&self, shared: &Inner) -> Option<Progress> {
        let place = self.place.as_ref().filter(|_| self.ending.is_none())?;
        let mut progress = shared.asked(shared.api.ledger.progress(&self.submission.job)).await?;
        // Stages that are not open yet are unknown to the ledger: only the plan tells whether the last one is done.
        if !progress.stages.is_empty() && progress.stages.iter().all(is_done) {
            let plan: Option<Plan> = place.find(&Key::Plan).await.ok()?;
            for stage in plan.map(|plan| plan.stages).unwrap_or_default() {
                if progress.stages.iter().all(|known| known.stage != stage.id) {
                    let (stage, made) = (stage.id, Made::default());
                    let unopened = StageProgress { stage, shards_done: 0, shards_total: None, shards_failed: 0, made };
                    progress.stages.push(unopened);
                }
            }
        }
        Some(progress)
    }

    /// The job in one word.
    pub(crate) fn state(&self, progress: Option<&Progress>) -> JobState {
        match (&self.ending, &self.orders, &self.place) {
            (Some(ending), ..) => ending.state,
            (None, Orders { is_cancelled: true, .. }, _) => JobState::Cancelled,
            (None, orders, _) if orders.is_waiting() => JobState::Paused,
            (None, _, None) => JobState::Queued,
            (None, _, Some(_)) => progress.map_or(JobState::Running, at_work),
        }
    }

    /// What it waits for that is paused: who pauses a job that has no money must resume it as well.
    fn waits_for(&self) -> Option<&'static str> {
        match &self.orders {
            _ if self.ending.is_some() || self.orders.is_cancelled => None,
            Orders { is_paused: true, .. } => Some("user"),
            Orders { is_parked: true, .. } => Some("budget"),
            _ => None,
        }
    }

    /// Whether the next retry has ended before it began, as nothing is left of the job that it could go on from.
    pub(crate) async fn is_swept(&self) -> Result<bool, Problem> {
        Ok(self.records.ending(&self.submission.job, self.orders.retries + 1).await?.is_some())
    }

    /// The version it makes.
    pub(crate) fn version(&self) -> Option<u64> {
        match &self.place.as_ref()?.layout {
            Layout::Root { version, .. } => Some(*version),
            Layout::Folder => None,
        }
    }

    /// The job as it is shown.
    pub(crate) fn resource(&self, progress: Option<&Progress>) -> JobResource {
        let Submission { job, dataset, submitted_ms, by, .. } = &self.submission;
        let (ending, version) = (self.ending.as_ref(), self.version());
        let published = ending.and_then(|ending| ending.manifest);
        let made = ending.map(|ending| ending.made).or_else(|| progress.map(Progress::made));
        JobResource {
            id: job.to_string(),
            dataset: dataset.to_string(),
            version,
            state: self.state(progress),
            priority: self.orders.priority,
            by: by.clone(),
            submitted: rfc3339(*submitted_ms),
            ended: ending.map(|ending| rfc3339(ending.ended_ms)),
            retries: self.orders.retries,
            progress: progress.map(ProgressResource::from),
            made: made.map(MadeResource::from),
            waits_for: self.waits_for(),
            budget: None,
            message: ending.and_then(|ending| ending.message.clone()).or_else(|| money::parked(self)),
            manifest: published.map(|digest| digest.to_string()),
            links: Links {
                job: path(job),
                events: format!("{}/events", path(job)),
                shards: format!("{}/shards", path(job)),
                failures: format!("{}/failures", path(job)),
                manifest: published.map(|_| format!("{}/manifest", path(job))),
                version: published.and(version).map(|version| format!("/v1/datasets/{dataset}/versions/{version}")),
            },
        }
    }
}

/// The state of a job that is placed and neither paused nor over.
fn at_work(progress: &Progress) -> JobState {
    match progress.stages.as_slice() {
        [] => JobState::Planning,
        stages if stages.iter().all(is_done) => JobState::Finishing,
        _ => JobState::Running,
    }
}

fn is_done(stage: &StageProgress) -> bool {
    stage.shards_total == Some(stage.shards_done)
}

/// The job as it is shown now.
pub(crate) async fn shown(shared: &Shared, known: &Known) -> JobResource {
    let progress = known.progress(shared).await;
    JobResource { budget: money::of(shared, known).await, ..known.resource(progress.as_ref()) }
}

/// The path of a job.
pub(crate) fn path(job: &JobId) -> String {
    format!("/v1/jobs/{job}")
}

#[cfg(test)]
mod tests;
