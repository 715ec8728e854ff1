//! The failures of a job, grouped so that people see at once what is wrong. While it goes on the ledger knows them, and
//! afterwards the store.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use shardmill_shared::job::{FailureClass, GivenUp, ShardId};
use shardmill_shared::ledger::View;
use utoipa::ToSchema;

use super::{Known, shards};
use crate::auth::Caller;
use crate::input::Named;
use crate::limits::FAILURES_SHOWN;
use crate::problem::Problem;
use crate::shared::Shared;

/// The failures of a job.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureList {
    /// Why the job failed; null while it goes on.
    message: Option<String>,
    /// The failures of shards by class and column, the most frequent first.
    failures: Vec<FailureGroup>,
}

/// Failures of one class, and of one column if it is a column that failed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureGroup {
    /// `store`, `conflict`, `damaged`, `plan`, `refused`, `interrupted`, `panicked`, `death` or `other`.
    #[schema(value_type = String, example = "refused")]
    class: FailureClass,
    /// The column that could not be made.
    #[schema(example = "users.age")]
    column: Option<String>,
    /// How many shards failed so.
    count: u64,
    /// The first of them.
    first: FirstFailure,
    /// What to do.
    hint: &'static str,
}

/// An example of a failure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FirstFailure {
    /// The shard.
    #[schema(example = "users/17")]
    shard: String,
    /// What happened.
    message: String,
    /// How many of its attempts failed.
    attempts: u32,
    /// How many of its attempts ended without a report.
    deaths: u32,
}

/// The failures of a job, grouped by class and column; also after its end.
#[utoipa::path(get, path = "/v1/jobs/{id}/failures", tag = "jobs", operation_id = "read_job_failures",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "The failures", body = FailureList),
    (status = 404, description = "There is no such job"),
))]
pub(crate) async fn failures(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Result<Json<FailureList>, Problem> {
    let known = Known::find(&shared, &caller, &id).await?;
    let failures = grouped(&failed(&shared, &known).await?);
    Ok(Json(FailureList { message: known.ending.and_then(|ending| ending.message), failures }))
}

/// The shards whose last attempt failed.
pub(super) async fn failed(shared: &Shared, known: &Known) -> Result<Vec<GivenUp>, Problem> {
    if known.ending.is_some() {
        return Ok(known.records.given_up(&known.submission.job, known.orders.retries).await?);
    }
    Ok(shards::view(shared, known).await.as_ref().map(of_view).unwrap_or_default())
}

fn of_view(view: &View) -> Vec<GivenUp> {
    let failed = view.stages.iter().flat_map(|stage| stage.failed.iter().map(|failed| (&stage.stage, failed)));
    let given_up = failed.map(|(stage, failed)| GivenUp {
        shard: ShardId { stage: stage.clone(), index: failed.index },
        attempts: failed.attempts,
        deaths: failed.deaths,
        failure: failed.failure.clone(),
    });
    given_up.collect()
}

fn grouped(failed: &[GivenUp]) -> Vec<FailureGroup> {
    let mut groups: Vec<FailureGroup> = Vec::new();
    let mut at = std::collections::HashMap::new();
    for GivenUp { shard, attempts, deaths, failure } in failed {
        let place = *at.entry((failure.class, &failure.column)).or_insert(groups.len());
        if let Some(group) = groups.get_mut(place) {
            group.count += 1;
            continue;
        }
        groups.push(FailureGroup {
            class: failure.class,
            column: failure.column.clone(),
            count: 1,
            first: FirstFailure {
                shard: shard.to_string(),
                message: failure.message.clone(),
                attempts: *attempts,
                deaths: *deaths,
            },
            hint: hint(failure.class),
        });
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.count));
    groups.truncate(FAILURES_SHOWN);
    groups
}

fn hint(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Store => "mend what the message says of the store, then retry the job: what is committed stays",
        FailureClass::Conflict => {
            "two programs made different bytes of one shard: submit the spec as a new job, once all \
                                   workers are of one release"
        }
        FailureClass::Damaged => "something else wrote below the store's prefix: submit the spec as a new job",
        FailureClass::Plan | FailureClass::Panicked => {
            "this is a fault of the program: report it with the output of \
                                                        `shardmill job replay`"
        }
        FailureClass::Refused => {
            "these rows cannot be made: change what the message names in the spec, and submit it again"
        }
        FailureClass::Uncompiled => {
            "no worker of this release can run the spec: upgrade the workers, then retry the job"
        }
        FailureClass::Budget => "the budget is spent: raise it, and the job goes on where it is",
        FailureClass::Model => "no model could be asked: see `shardmill provider test`",
        FailureClass::Interrupted => "reading or writing broke off: retry the job",
        FailureClass::Death => {
            "the shard ended every worker that ran it alone: give workers more memory, or make shards \
                                smaller with output.shard_rows, and submit the spec again"
        }
        FailureClass::Other => "read the message, mend what it names, then retry the job",
    }
}
