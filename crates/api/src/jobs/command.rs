//! Commands to a job: durable in the store first, then told to the ledger. Each may be repeated.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use shardmill_shared::job::{Control, JobState, MoneyError, NanoUsd};
use shardmill_shared::ledger::RunState;
use utoipa::ToSchema;

use super::{JobResource, Known, money, shown, submit};
use crate::auth::Caller;
use crate::input::{JsonBody, Named};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// Another priority.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriorityWanted {
    /// 0 to 9.
    #[schema(minimum = 0, maximum = 9)]
    priority: u8,
}

/// Another budget.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BudgetWanted {
    /// The most that the job may spend on models, all its attempts together: dollars, as a decimal text.
    #[schema(example = "20.00")]
    usd: String,
}

type Answer = Result<Json<JobResource>, Problem>;

/// Cancel a job, for good.
#[utoipa::path(post, path = "/v1/jobs/{id}/cancel", tag = "jobs", operation_id = "cancel_job",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "It is cancelled", body = JobResource),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "The job ended before"),
))]
pub(crate) async fn cancel(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Answer {
    command(&shared, &caller, &id, Control::Cancel).await
}

/// Start no more shards of a job; those that run end.
#[utoipa::path(post, path = "/v1/jobs/{id}/pause", tag = "jobs", operation_id = "pause_job",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "It is paused", body = JobResource),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "The job is over"),
))]
pub(crate) async fn pause(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Answer {
    command(&shared, &caller, &id, Control::Pause).await
}

/// Let a paused job go on.
#[utoipa::path(post, path = "/v1/jobs/{id}/resume", tag = "jobs", operation_id = "resume_job",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "It goes on", body = JobResource),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "The job is over"),
))]
pub(crate) async fn resume(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Answer {
    command(&shared, &caller, &id, Control::Resume).await
}

/// Give a job another priority.
#[utoipa::path(put, path = "/v1/jobs/{id}/priority", tag = "jobs", operation_id = "set_job_priority",
    params(("id" = String, Path, description = "The id of the job")),
request_body = PriorityWanted, responses(
    (status = 200, description = "It has the priority", body = JobResource),
    (status = 400, description = "The body cannot be read"),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "The job is over"),
    (status = 415, description = "The body is not JSON"),
))]
pub(crate) async fn priority(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
    JsonBody(PriorityWanted { priority }): JsonBody<PriorityWanted>,
) -> Answer {
    submit::check_priority(priority)?;
    command(&shared, &caller, &id, Control::Priority { priority }).await
}

/// Give a job another budget for models; a job that waits for a higher one goes on.
#[utoipa::path(put, path = "/v1/jobs/{id}/budget", tag = "jobs", operation_id = "set_job_budget",
    params(("id" = String, Path, description = "The id of the job")),
request_body = BudgetWanted, responses(
    (status = 200, description = "It has the budget", body = JobResource),
    (status = 400, description = "The body cannot be read, or has no amount of money"),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "The job is over, asks no models, or has spent more than that"),
    (status = 415, description = "The body is not JSON"),
))]
pub(crate) async fn budget(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
    JsonBody(BudgetWanted { usd }): JsonBody<BudgetWanted>,
) -> Answer {
    let cap: NanoUsd =
        usd.parse().map_err(|error: MoneyError| Problem::new(Kind::BadRequest, format!("`usd`: {error}")))?;
    let known = Known::find(&shared, &caller, &id).await?;
    money::check(&shared, &known, cap).await?;
    command(&shared, &caller, &id, Control::Budget { cap }).await
}

/// Try the failed shards of a failed job again.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", tag = "jobs", operation_id = "retry_job",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "It runs again", body = JobResource),
    (status = 404, description = "There is no such job"),
    (status = 409, description = "The job has not failed"),
))]
pub(crate) async fn retry(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Answer {
    let known = Known::find(&shared, &caller, &id).await?;
    let job = &known.submission.job;
    let retries = match known.state(None) {
        JobState::Failed if known.is_swept().await? => {
            let detail = format!("the files of job `{id}` are removed: submit its spec again instead");
            return Err(Problem::new(Kind::Conflict, detail));
        }
        JobState::Failed => {
            known.records.command(job, &Control::Retry).await?;
            known.orders.retries + 1
        }
        // An earlier request gave the command, and may have died before the job was open.
        state if !state.is_over() && known.orders.retries > 0 => known.orders.retries,
        state => {
            let detail = format!("job `{id}` is {state}: only a failed job can be retried");
            return Err(Problem::new(Kind::Conflict, detail));
        }
    };
    known.records.open(job, retries).await?;
    effect(&shared, known).await
}

async fn command(shared: &Shared, caller: &Caller, id: &str, control: Control) -> Answer {
    let known = Known::find(shared, caller, id).await?;
    let state = known.state(None);
    if state.is_over() && !(control == Control::Cancel && state == JobState::Cancelled) {
        return Err(Problem::new(Kind::Conflict, format!("job `{id}` is {state}: it takes no more commands")));
    }
    if known.orders.then(&control) != known.orders {
        known.records.command(&known.submission.job, &control).await?;
    }
    effect(shared, known).await
}

/// Tells the ledger what the job is told now. Without the ledger the scheduler reads it in the store, a little later.
async fn effect(shared: &Shared, known: Known) -> Answer {
    let known = Known::of(known.records, known.submission).await?;
    if known.ending.is_none() {
        let job = &known.submission.job;
        // The money first: what goes on may want to spend it.
        money::tell(shared, &known).await;
        if shared.asked(shared.api.ledger.set_run_state(job, RunState::of(&known.orders))).await.is_none() {
            tracing::warn!(job.id = %job, "the ledger could not be told of a command: the scheduler will find it");
        }
    }
    Ok(Json(shown(shared, &known).await))
}

#[cfg(test)]
mod tests {
    use axum::http::{Method, StatusCode};
    use serde_json::json;
    use shardmill_shared::job::{Ending, JobId, Key, Made, Orders, Plan};
    use shardmill_shared::ledger::budget::{Budgets, Restored, Scope};
    use shardmill_shared::ledger::{Epoch, Ledger};
    use shardmill_shared::store::open_jobs;

    use super::*;
    use crate::testing::{World, acme, get, post, request};

    async fn told(world: &World, job: &JobId) -> RunState {
        world.ledger.view(job).await.expect("the ledger was told").run_state
    }

    async fn orders(world: &World, job: &JobId) -> Orders {
        let submission = world.records().submission(job).await.expect("reads").expect("is known");
        world.records().orders(&submission).await.expect("reads")
    }

    async fn end(world: &World, job: &JobId, retries: u32, state: JobState) {
        let ending = Ending { state, message: None, ended_ms: 1, made: Made::default(), manifest: None, spent: None };
        world.records().end(job, retries, &ending).await.expect("ends");
        world.records().close(job, retries).await.expect("closes");
    }

    #[tokio::test]
    async fn commands_are_durable_and_told_and_may_be_repeated() {
        let world = World::new().await;
        let job = world.submit().await;
        for (verb, state, run_state) in [
            ("pause", "paused", RunState::Paused),
            ("pause", "paused", RunState::Paused),
            ("resume", "queued", RunState::Running),
            ("cancel", "cancelled", RunState::Stopped),
            ("cancel", "cancelled", RunState::Stopped),
        ] {
            let answer = world.send(post(&format!("/v1/jobs/{job}/{verb}"))).await;
            assert_eq!((answer.status, &answer.json()["state"]), (StatusCode::OK, &json!(state)), "{verb}");
            assert_eq!(told(&world, &job).await, run_state, "{verb}");
        }
        assert!(orders(&world, &job).await.is_cancelled);
        for verb in ["pause", "resume", "retry"] {
            let refused = world.send(post(&format!("/v1/jobs/{job}/{verb}"))).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{verb}");
        }
    }

    #[tokio::test]
    async fn a_priority_is_changed_within_its_bounds() {
        let world = World::new().await;
        let job = world.submit().await;
        let path = format!("/v1/jobs/{job}/priority");
        let answer = world.send(request(Method::PUT, &path, &json!({"priority": 9}))).await;
        assert_eq!((answer.status, &answer.json()["priority"]), (StatusCode::OK, &json!(9)));
        assert_eq!(orders(&world, &job).await.priority, 9);
        for bad in [json!({"priority": 10}), json!({"priority": -1}), json!({"priority": 1, "x": 2}), json!({})] {
            let refused = world.send(request(Method::PUT, &path, &bad)).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    /// A job that asks models, has five dollars, and has spent one.
    async fn paying(world: &World) -> JobId {
        let job = world.planned().await;
        let place = world.records().place(&job).await.expect("reads").expect("is placed");
        let plan: Plan = place.read(&Key::Plan).await.expect("is planned");
        let five = NanoUsd::dollars(5);
        place.put(&Key::Plan, &Plan { budget: Some(five), ..plan }).await.expect("plans");
        let restored = Restored { epoch: Epoch(1), cap: five, spent: NanoUsd::dollars(1), closed_ms: 0 };
        world.ledger.restore(Some(&acme()), &Scope::Job(job.clone()), &restored).await.expect("restores");
        job
    }

    #[tokio::test]
    async fn a_job_that_waits_for_money_goes_on_with_more() {
        let world = World::new().await;
        let job = paying(&world).await;
        world.records().command(&job, &Control::Park { cap: NanoUsd::dollars(5) }).await.expect("parks");
        let path = format!("/v1/jobs/{job}/budget");
        let parked = world.send(get(&format!("/v1/jobs/{job}"))).await.json();
        assert_eq!((&parked["state"], &parked["waits_for"]), (&json!("paused"), &json!("budget")));
        assert_eq!(parked["budget"], json!({"cap_usd": "5.00", "spent_usd": "1.00", "held_usd": "0.00"}));
        assert!(parked["message"].as_str().is_some_and(|message| message.contains("--raise-to")), "{parked}");
        for (usd, status) in [
            ("0.99", StatusCode::CONFLICT),
            ("-1", StatusCode::BAD_REQUEST),
            ("much", StatusCode::BAD_REQUEST),
            ("99999999", StatusCode::BAD_REQUEST),
        ] {
            let refused = world.send(request(Method::PUT, &path, &json!({"usd": usd}))).await;
            assert_eq!(refused.status, status, "{usd}: {}", refused.json());
        }
        for _ in 0..2 {
            let raised = world.send(request(Method::PUT, &path, &json!({"usd": "20"}))).await;
            assert_eq!((raised.status, &raised.json()["waits_for"]), (StatusCode::OK, &json!(null)));
            assert_eq!(raised.json()["budget"]["cap_usd"], "20.00", "the ledger is told at once");
        }
        assert_eq!(orders(&world, &job).await.cap, Some(NanoUsd::dollars(20)));
        assert_eq!(told(&world, &job).await, RunState::Running);
    }

    #[tokio::test]
    async fn a_job_that_asks_no_models_has_no_budget() {
        let world = World::new().await;
        let (unplanned, planned) = (world.submit().await, world.planned().await);
        for job in [unplanned, planned] {
            let path = format!("/v1/jobs/{job}/budget");
            let refused = world.send(request(Method::PUT, &path, &json!({"usd": "20"}))).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.json());
            assert_eq!(orders(&world, &job).await.cap, None);
        }
    }

    #[tokio::test]
    async fn only_a_failed_job_is_retried() {
        let world = World::new().await;
        let job = world.submit().await;
        let path = format!("/v1/jobs/{job}/retry");
        assert_eq!(world.send(post(&path)).await.status, StatusCode::CONFLICT);
        end(&world, &job, 0, JobState::Failed).await;
        for _ in 0..2 {
            let answer = world.send(post(&path)).await;
            assert_eq!((answer.status, &answer.json()["retries"]), (StatusCode::OK, &json!(1)));
            assert_eq!(open_jobs(&world.root).await.expect("lists").len(), 1, "a scheduler looks after it");
        }
        end(&world, &job, 1, JobState::Succeeded).await;
        for verb in ["retry", "cancel", "pause", "resume"] {
            let refused = world.send(post(&format!("/v1/jobs/{job}/{verb}"))).await;
            assert_eq!(refused.status, StatusCode::CONFLICT, "{verb}");
        }
    }

    #[tokio::test]
    async fn a_job_without_its_files_is_not_retried() {
        let world = World::new().await;
        let job = world.submit().await;
        end(&world, &job, 0, JobState::Failed).await;
        // As a scheduler does before it removes what a failed job left.
        end(&world, &job, 1, JobState::Failed).await;
        let refused = world.send(post(&format!("/v1/jobs/{job}/retry"))).await;
        assert_eq!(refused.status, StatusCode::CONFLICT);
        assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("submit its spec again")));
        assert_eq!(orders(&world, &job).await.retries, 0);
    }

    #[tokio::test]
    async fn another_tenants_job_is_not_there() {
        let world = World::new().await;
        let (job, stranger) = (world.submit().await, world.stranger().await);
        for verb in ["cancel", "pause", "resume", "retry"] {
            let refused = world.send_as(Some(&stranger), post(&format!("/v1/jobs/{job}/{verb}"))).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{verb}");
        }
        assert!(!orders(&world, &job).await.is_cancelled);
    }
}
