//! The shards of a job: how many of each stage are how, and each by itself, also after the end of the job.

use axum::extract::State;
use axum::{Extension, Json};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shardmill_shared::job::{Commit, FileEntry, GivenUp, JobState, Key, Plan, Pool, ShardId, Stage, StageId};
use shardmill_shared::ledger::{StageView, View};
use shardmill_shared::store::Place;
use utoipa::{IntoParams, ToSchema};

use super::{Known, MadeResource, failures};
use crate::auth::Caller;
use crate::input::{Asked, Named, page};
use crate::limits::{COMMIT_PAGES, FAILED_NAMED, PAGE_MOST, READS};
use crate::problem::Problem;
use crate::shared::Shared;

/// The shards of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShardSummary {
    /// The stages, in the plan's order; none before the job is planned.
    stages: Vec<StageShards>,
}

/// The shards of a stage. Counts are null when they are not known: before the stage starts, or when there are too many.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StageShards {
    /// The stage.
    stage: String,
    /// The pool of workers that runs it: `generate`, `sql` or `llm`.
    #[schema(value_type = String)]
    pool: Pool,
    /// Shards there are.
    total: Option<u64>,
    /// Shards that are committed.
    done: Option<u64>,
    /// Shards that a worker runs.
    leased: Option<u64>,
    /// Shards that wait for a worker, or for their turn.
    waiting: Option<u64>,
    /// Shards whose last attempt failed.
    failed: Option<u64>,
    /// The first hundred of those.
    failures: Vec<FailedResource>,
}

/// A shard whose last attempt failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedResource {
    /// Its index in the stage.
    index: u64,
    /// How many attempts failed.
    attempts: u32,
    /// How many attempts ended without a report.
    deaths: u32,
    /// Why the last one failed.
    message: String,
}

impl From<&GivenUp> for FailedResource {
    fn from(failed: &GivenUp) -> Self {
        let message = failed.failure.message.clone();
        Self { index: failed.shard.index, attempts: failed.attempts, deaths: failed.deaths, message }
    }
}

/// A summary of a job's shards, stage by stage.
#[utoipa::path(get, path = "/v1/jobs/{id}/shards", tag = "jobs", operation_id = "read_job_shards",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "The shards", body = ShardSummary),
    (status = 404, description = "There is no such job"),
))]
pub(crate) async fn shards(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Result<Json<ShardSummary>, Problem> {
    let known = Known::find(&shared, &caller, &id).await?;
    let plan: Option<Plan> = match &known.place {
        Some(place) => place.find(&Key::Plan).await?,
        None => None,
    };
    let view = view(&shared, &known).await;
    let failed = failures::failed(&shared, &known).await?;
    let mut stages = Vec::new();
    for stage in plan.map(|plan| plan.stages).unwrap_or_default() {
        let seen = view.as_ref().and_then(|view| view.stages.iter().find(|seen| seen.stage == stage.id));
        let failed: Vec<&GivenUp> = failed.iter().filter(|failed| failed.shard.stage == stage.id).collect();
        stages.push(summary(&known, &stage, (seen, &failed)).await?);
    }
    Ok(Json(ShardSummary { stages }))
}

/// What the ledger knows of the job; it forgets jobs that are over.
pub(super) async fn view(shared: &Shared, known: &Known) -> Option<View> {
    if known.ending.is_some() {
        return None;
    }
    shared.asked(shared.api.ledger.view(&known.submission.job)).await
}

async fn summary(
    known: &Known,
    stage: &Stage,
    (seen, failed): (Option<&StageView>, &[&GivenUp]),
) -> Result<StageShards, Problem> {
    let mut summary = StageShards {
        stage: stage.id.to_string(),
        pool: stage.pool,
        total: total(known, stage).await?,
        done: None,
        leased: None,
        waiting: None,
        failed: None,
        failures: failed.iter().take(FAILED_NAMED).map(|failed| FailedResource::from(*failed)).collect(),
    };
    if let Some(seen) = seen {
        (summary.total, summary.done, summary.leased) = (Some(seen.shards), Some(seen.done), Some(seen.leased));
    } else if let (Some(ending), Some(place)) = (&known.ending, &known.place) {
        summary.leased = Some(0);
        summary.done = match ending.state {
            JobState::Succeeded => summary.total,
            _ => committed(place, &stage.id).await?,
        };
    }
    if let Some(done) = summary.done {
        let failed = failed.len() as u64;
        let busy = done + summary.leased.unwrap_or(0) + failed;
        summary.failed = Some(failed);
        summary.waiting = summary.total.map(|total| total.saturating_sub(busy));
    }
    Ok(summary)
}

/// How many shards a stage has; nothing before its rows are counted.
async fn total(known: &Known, stage: &Stage) -> Result<Option<u64>, Problem> {
    if let (None, Some(place)) = (stage.shards().exact(), &known.place) {
        let counted: Option<u64> = place.find(&Key::Extent(stage.id.clone())).await?;
        return Ok(counted.and_then(|rows| stage.with_rows(rows).ok()).and_then(|stage| stage.shards().exact()));
    }
    Ok(stage.shards().exact())
}

/// How many commits of a stage the store has; nothing when there are too many to count.
async fn committed(place: &Place, stage: &StageId) -> Result<Option<u64>, Problem> {
    let mut listing = place.store.list(Some(&place.path(&Key::Commits(stage.clone())))).await?;
    let mut count = 0;
    for _ in 0..COMMIT_PAGES {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(Some(count));
        }
        count += page.len() as u64;
    }
    Ok(None)
}

/// Which shards are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ShardsQuery {
    /// Shards of a page, 1 to 200; 50 unless it is given.
    limit: Option<usize>,
    /// The index to begin with, like the `next` of the page before.
    cursor: Option<String>,
}

/// A page of a stage's shards.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShardList {
    /// The shards, by index.
    shards: Vec<ShardResource>,
    /// Where the list goes on; null at its end.
    next: Option<String>,
}

/// A shard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShardResource {
    /// Its index in the stage.
    index: u64,
    /// `done`, `failed`, or `open`: not made yet, or not any more.
    state: &'static str,
    /// What is in its files.
    made: Option<MadeResource>,
    /// Its files, once they are committed.
    files: Vec<ShardFile>,
    /// Why its last attempt failed.
    failure: Option<FailedResource>,
}

/// A file of a shard.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ShardFile {
    /// Its path in the version.
    #[schema(example = "users/part-00000.parquet")]
    path: String,
    /// Rows in it.
    rows: u64,
    /// Its size in bytes.
    bytes: u64,
    /// The BLAKE3 digest of its bytes.
    blake3: String,
}

impl From<&FileEntry> for ShardFile {
    fn from(file: &FileEntry) -> Self {
        Self { path: file.key.to_string(), rows: file.rows, bytes: file.bytes, blake3: file.blake3.to_string() }
    }
}

/// The shards of one stage, one by one.
#[utoipa::path(get, path = "/v1/jobs/{id}/shards/{stage}", tag = "jobs", operation_id = "list_job_shards",
    params(("id" = String, Path, description = "The id of the job"),
        ("stage" = String, Path, description = "The stage"), ShardsQuery), responses(
    (status = 200, description = "A page of shards", body = ShardList),
    (status = 400, description = "A parameter cannot be read"),
    (status = 404, description = "There is no such job, it is not planned yet, or it has no such stage"),
))]
pub(crate) async fn of_stage(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named((id, stage)): Named<(String, String)>,
    Asked(query): Asked<ShardsQuery>,
) -> Result<Json<ShardList>, Problem> {
    let limit = page(query.limit, PAGE_MOST)? as u64;
    let bad = |cursor: &str| Problem::bad_value("cursor", cursor, "an index, or the `next` of an earlier page");
    let from = query.cursor.as_deref().map(|text| text.parse().map_err(|_| bad(text))).transpose()?.unwrap_or(0);
    let missing = || Problem::not_found("stage", &stage);
    let known = Known::find(&shared, &caller, &id).await?;
    let place = known.place.clone().ok_or_else(missing)?;
    let plan: Plan = place.find(&Key::Plan).await?.ok_or_else(missing)?;
    let planned = plan.stages.iter().find(|planned| planned.id.to_string() == stage).ok_or_else(missing)?;
    let end = total(&known, planned).await?.unwrap_or(0).min(u64::saturating_add(from, limit));
    let failed = failures::failed(&shared, &known).await?;
    let shards = futures::stream::iter(from..end).map(|index| {
        let id = ShardId { stage: planned.id.clone(), index };
        let failed = failed.iter().find(|failed| failed.shard == id);
        shard(&place, id, failed)
    });
    let shards = shards.buffered(READS).try_collect().await?;
    let has_more = total(&known, planned).await?.is_some_and(|total| end < total);
    Ok(Json(ShardList { shards, next: has_more.then(|| end.to_string()) }))
}

async fn shard(place: &Place, id: ShardId, failed: Option<&GivenUp>) -> Result<ShardResource, Problem> {
    let index = id.index;
    let nothing = ShardResource { index, state: "open", made: None, files: Vec::new(), failure: None };
    if let Some(failed) = failed {
        return Ok(ShardResource { state: "failed", failure: Some(failed.into()), ..nothing });
    }
    let Some(commit) = place.find::<Commit>(&Key::Commit(id)).await? else { return Ok(nothing) };
    let made = Some(shardmill_shared::job::Made::from(&commit).into());
    Ok(ShardResource { state: "done", made, files: commit.files.iter().map(ShardFile::from).collect(), ..nothing })
}
