//! Checking and planning a spec without a job.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Serialize;
use shardmill_shared::job::{Plan, Pool, Rows, Stage};
use shardmill_shared::spec::Problem as SpecProblem;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::input::SpecText;
use crate::problem::{Finding, Problem};
use crate::shared::{Inner, Shared};
use crate::{Accepted, Checked};

/// What a check found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckResource {
    /// Whether the spec can be submitted.
    valid: bool,
    /// The dataset that it makes.
    dataset: Option<String>,
    /// Everything that was found, warnings included.
    problems: Vec<Finding>,
}

/// What a job would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlanResource {
    /// The dataset.
    dataset: String,
    /// The seed of all draws.
    seed: u64,
    /// The engine version.
    engine: u32,
    /// The digest of the canonical spec.
    spec_digest: String,
    /// Rows of all tables.
    rows: Bounds,
    /// Expected bytes of all tables, at most.
    bytes: u64,
    /// Shards of all stages.
    shards: Bounds,
    /// The stages, each after those it needs.
    stages: Vec<PlannedStage>,
    /// What it may spend on models, in dollars; null where it asks none.
    budget_usd: Option<String>,
    /// Warnings.
    problems: Vec<Finding>,
}

/// A number that is known to lie between two, both included; equal when it is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Bounds {
    /// The fewest.
    least: u64,
    /// The most.
    most: u64,
}

/// A stage of a plan.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlannedStage {
    /// Its id.
    stage: String,
    /// The stages that must be committed before it starts.
    needs: Vec<String>,
    /// The pool of workers that runs it: `generate`, `sql` or `llm`.
    #[schema(value_type = String)]
    pool: Pool,
    /// The table it writes; null for a stage that counts.
    table: Option<String>,
    /// Rows it covers.
    rows: Bounds,
    /// Shards it has.
    shards: Bounds,
    /// Rows of a full shard.
    shard_rows: u64,
    /// Expected bytes, at most.
    bytes: u64,
}

impl From<Rows> for Bounds {
    fn from(rows: Rows) -> Self {
        Self { least: rows.least(), most: rows.most() }
    }
}

impl From<&Stage> for PlannedStage {
    fn from(stage: &Stage) -> Self {
        Self {
            stage: stage.id.to_string(),
            needs: stage.needs.iter().map(ToString::to_string).collect(),
            pool: stage.pool,
            table: stage.publishes().map(ToString::to_string),
            rows: stage.rows.into(),
            shards: stage.shards().into(),
            shard_rows: stage.shard_rows.get(),
            bytes: stage.bytes(),
        }
    }
}

impl PlanResource {
    fn of(plan: &Plan, problems: &[SpecProblem]) -> Result<Self, Problem> {
        let shards = plan.stages.iter().map(Stage::shards).try_fold(Rows::Exact(0), Rows::checked_add);
        Ok(Self {
            dataset: plan.name.to_string(),
            seed: plan.seed,
            engine: plan.engine,
            spec_digest: plan.spec_digest.to_string(),
            rows: plan.rows().map_err(|error| Problem::fault(&error))?.into(),
            bytes: plan.stages.iter().map(Stage::bytes).fold(0, u64::saturating_add),
            shards: shards.unwrap_or(Rows::Exact(u64::MAX)).into(),
            stages: plan.stages.iter().map(PlannedStage::from).collect(),
            budget_usd: plan.budget.map(|budget| budget.to_string()),
            problems: problems.iter().map(Finding::from).collect(),
        })
    }
}

/// Check a spec, and name everything that is wrong or doubtful.
#[utoipa::path(post, path = "/v1/check", tag = "specs", operation_id = "check_spec",
    request_body(description = "The spec",
        content((String = "application/yaml"), (serde_json::Value = "application/json"))),
    responses(
        (status = 200, description = "What was found", body = CheckResource),
        (status = 400, description = "The body cannot be read"),
        (status = 413, description = "The body has more than 8 MiB"),
        (status = 415, description = "The body is neither YAML nor JSON"),
    ))]
pub(crate) async fn check(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    SpecText { text, .. }: SpecText,
) -> Result<Json<CheckResource>, Problem> {
    let Checked { problems, accepted } = checked(&shared, &caller, text).await?;
    let dataset = accepted.as_ref().map(|accepted| accepted.dataset.to_string());
    let problems = problems.iter().map(Finding::from).collect();
    Ok(Json(CheckResource { valid: accepted.is_some(), dataset, problems }))
}

/// Say what a job of a spec would do.
#[utoipa::path(post, path = "/v1/plan", tag = "specs", operation_id = "plan_spec",
    request_body(description = "The spec",
        content((String = "application/yaml"), (serde_json::Value = "application/json"))),
    responses(
        (status = 200, description = "The plan", body = PlanResource),
        (status = 400, description = "The body cannot be read"),
        (status = 413, description = "The body has more than 8 MiB"),
        (status = 415, description = "The body is neither YAML nor JSON"),
        (status = 422, description = "The spec has errors, all of which are named"),
    ))]
pub(crate) async fn plan(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    SpecText { text, .. }: SpecText,
) -> Result<Json<PlanResource>, Problem> {
    let Checked { problems, accepted } = checked(&shared, &caller, text).await?;
    let accepted = accepted.ok_or_else(|| Problem::bad_spec(&problems))?;
    PlanResource::of(&accepted.plan, &problems).map(Json)
}

/// The spec, unless it is refused.
pub(crate) async fn accepted(shared: &Inner, caller: &Caller, text: String) -> Result<Accepted, Problem> {
    let Checked { problems, accepted } = checked(shared, caller, text).await?;
    accepted.ok_or_else(|| Problem::bad_spec(&problems))
}

/// What is found in a spec.
pub(crate) async fn checked(shared: &Inner, caller: &Caller, text: String) -> Result<Checked, Problem> {
    let reader = Arc::clone(&shared.readers).acquire_owned().await.map_err(|closed| Problem::fault(&closed))?;
    let (specs, tenant) = (Arc::clone(&shared.api.specs), caller.tenant.clone());
    let read = tokio::task::spawn_blocking(move || {
        // Reading goes on when the caller is gone, and counts as long.
        let _reader = reader;
        specs.read(&text, &tenant)
    });
    let read = read.await;
    read.map_err(|panicked| Problem::fault(&panicked))
}

#[cfg(test)]
mod tests {
    use std::io;

    use axum::body::{Body, Bytes};
    use axum::http::StatusCode;
    use futures::{FutureExt, future, stream};
    use serde_json::json;

    use crate::limits::BODIES;
    use crate::testing::{SPEC, World, get, spec, typed};

    #[tokio::test]
    async fn a_check_names_everything() {
        let world = World::new().await;
        let good = world.send(spec("/v1/check", SPEC)).await;
        assert_eq!(good.json(), json!({"valid": true, "dataset": "shop", "problems": []}));
        let bad = world.send(spec("/v1/check", "bad: 2")).await;
        assert_eq!(bad.status, StatusCode::OK);
        assert_eq!((&bad.json()["valid"], bad.json()["problems"].as_array().map(Vec::len)), (&json!(false), Some(2)));
    }

    #[tokio::test]
    async fn a_plan_says_what_a_job_would_do() {
        let world = World::new().await;
        let plan = world.send(spec("/v1/plan", SPEC)).await;
        assert_eq!(plan.status, StatusCode::OK, "{:?}", plan.json());
        assert_eq!(plan.json()["rows"], json!({"least": 100, "most": 100}));
        assert_eq!(plan.json()["shards"], json!({"least": 10, "most": 10}));
        assert_eq!(plan.json()["stages"][0]["table"], "users");
        assert_eq!(world.send(spec("/v1/plan", "bad")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(
            world.send(get("/v1/jobs")).await.json()["jobs"].as_array().is_some_and(Vec::is_empty),
            "no job is made"
        );
    }

    #[tokio::test]
    async fn a_body_is_of_a_known_type_size_and_encoding() {
        let world = World::new().await;
        for media in ["", "text/plain", "application/xml", "multipart/form-data; boundary=x"] {
            let refused = world.send(typed("/v1/check", media, SPEC.as_bytes().to_vec())).await;
            assert_eq!(refused.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media:?}");
        }
        for media in ["application/yaml", "text/yaml; charset=utf-8", "APPLICATION/JSON"] {
            let passed = world.send(typed("/v1/check", media, SPEC.as_bytes().to_vec())).await;
            assert_eq!(passed.status, StatusCode::OK, "{media:?}");
        }
        let large = world.send(typed("/v1/check", "text/yaml", vec![b'a'; (8 << 20) + 1])).await;
        assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
        let largest = world.send(typed("/v1/check", "text/yaml", vec![b'a'; 8 << 20])).await;
        assert_eq!(largest.status, StatusCode::OK);
        let binary = world.send(typed("/v1/check", "text/yaml", vec![0xff, 0xfe])).await;
        assert_eq!(binary.status, StatusCode::BAD_REQUEST);
    }

    #[tokio::test]
    async fn no_more_bodies_are_held_than_there_is_room_for() {
        let world = World::new().await;
        let endless = || {
            let mut request = spec("/v1/check", "");
            *request.body_mut() = Body::from_stream(stream::pending::<Result<Bytes, io::Error>>());
            world.send(request)
        };
        let mut held = future::join_all((0..BODIES).map(|_| endless()));
        let mut statuses = Vec::new();
        for _ in 0..100 {
            assert!((&mut held).now_or_never().is_none());
            statuses.push(world.send(spec("/v1/check", SPEC)).await.status);
        }
        assert!(statuses.contains(&StatusCode::SERVICE_UNAVAILABLE), "{statuses:?}");
        drop(held);
        assert_eq!(world.send(spec("/v1/check", SPEC)).await.status, StatusCode::OK);
    }
}
