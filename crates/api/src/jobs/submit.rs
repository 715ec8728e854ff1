//! Submitting a job.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use shardmill_shared::job::{Digest, Idempotency, JobId, PRIORITY, PRIORITY_USUAL, Submission};
use shardmill_shared::ledger::RunState;
use shardmill_shared::process::trace;
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::store::{JobRecords, PlaceError};
use tracing::Span;
use utoipa::IntoParams;
use uuid::{NoContext, Timestamp, Uuid};

use super::{JobResource, Known, path, shown};
use crate::auth::Caller;
use crate::input::{Asked, SpecText};
use crate::limits::IDEMPOTENCY_BYTES;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;
use crate::{Accepted, check};

/// How a job is submitted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SubmitQuery {
    /// 0 to 9; a job of a higher priority gets a larger share of its tenant's workers. 4 unless it is given.
    priority: Option<u8>,
}

/// Submit a spec. It is a job once this is answered, whatever dies afterwards.
///
/// A request with an `Idempotency-Key` may be repeated: the repetition is answered with the job of the first.
#[utoipa::path(post, path = "/v1/jobs", tag = "jobs", operation_id = "submit_job",
    params(SubmitQuery,
        ("Idempotency-Key" = Option<String>, Header, description = "Any text of 1 to 255 visible characters")),
    request_body(description = "The spec",
        content((String = "application/yaml"), (serde_json::Value = "application/json"))),
    responses(
        (status = 202, description = "A new job", body = JobResource,
            headers(("Location" = String, description = "Its path"))),
        (status = 200, description = "The job of an earlier request with the same idempotency key", body = JobResource,
            headers(("Location" = String, description = "Its path"))),
        (status = 400, description = "A parameter, header or body cannot be read"),
        (status = 409, description = "The idempotency key was used with another request"),
        (status = 413, description = "The body has more than 8 MiB"),
        (status = 415, description = "The body is neither YAML nor JSON"),
        (status = 422, description = "The spec has errors, all of which are named"),
    ))]
pub(crate) async fn submit(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<SubmitQuery>,
    headers: HeaderMap,
    SpecText { text, .. }: SpecText,
) -> Result<Response, Problem> {
    let priority = query.priority.unwrap_or(PRIORITY_USUAL);
    check_priority(priority)?;
    // Before the spec is read, which takes time.
    idempotency_key(&headers)?;
    let request = Digest::of(format!("{priority}\n{text}").as_bytes());
    let Accepted { dataset, spec, .. } = check::accepted(&shared, &caller, text).await?;
    let Claimed { job, submitted_ms, status } = claim(&shared, &caller, &headers, request).await?;
    let submission = Submission {
        job,
        tenant: caller.tenant.clone(),
        dataset,
        spec,
        priority,
        submitted_ms,
        by: caller.name.clone(),
        afterwards: Afterwards::default(),
        trace: trace::traceparent(&Span::current()),
    };
    submitted(&shared, &caller, submission, status).await
}

/// The job that a request is to make, or that an earlier one with its idempotency key has made.
pub(crate) struct Claimed {
    /// Its id.
    pub(crate) job: JobId,
    /// When it was or is submitted, in milliseconds since 1970.
    pub(crate) submitted_ms: u64,
    /// What a request is answered that is its first, or is not.
    pub(crate) status: StatusCode,
}

/// The job of a request: a new one, unless its idempotency key was used before.
pub(crate) async fn claim(
    shared: &Shared,
    caller: &Caller,
    headers: &HeaderMap,
    request: Digest,
) -> Result<Claimed, Problem> {
    let now_ms = shared.api.clock.unix_ms();
    let fresh = new_id(now_ms);
    let job = match idempotency_key(headers)? {
        None => fresh.clone(),
        Some(key) => {
            let wanted = Idempotency { job: fresh.clone(), request };
            first_job(&shared.records(caller), &key, wanted).await?
        }
    };
    // A repetition writes what the first request would have written, time included.
    let submitted_ms = submitted_ms(&job).unwrap_or(now_ms);
    let status = if job == fresh { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok(Claimed { job, submitted_ms, status })
}

/// Makes a submission durable, and answers with its job.
pub(crate) async fn submitted(
    shared: &Shared,
    caller: &Caller,
    submission: Submission,
    status: StatusCode,
) -> Result<Response, Problem> {
    let records = shared.records(caller);
    // The job comes last: a request that is refused has made none.
    let known = keep(&records, submission).await?;
    if status == StatusCode::ACCEPTED {
        ring(shared, &known.submission.job);
    }
    let mut answer = (status, Json(shown(shared, &known).await)).into_response();
    let location = HeaderValue::from_str(&path(&known.submission.job)).expect("an id is a name of visible characters");
    answer.headers_mut().insert(header::LOCATION, location);
    Ok(answer)
}

/// Wakes the leader, which would find the job by itself within a second. Nobody waits for it: the ledger may be away.
fn ring(shared: &Shared, job: &JobId) {
    let (ledger, job) = (Arc::clone(&shared.api.ledger), job.clone());
    tokio::spawn(async move {
        if let Err(error) = ledger.set_run_state(&job, RunState::Running).await {
            tracing::debug!(job.id = %job, "the leader was not woken: {error}");
        }
    });
}

/// Refuses a priority that is none.
pub(super) fn check_priority(priority: u8) -> Result<(), Problem> {
    let (least, most) = (PRIORITY.start(), PRIORITY.end());
    let bad = || Problem::bad_value("priority", &priority.to_string(), &format!("{least} to {most}"));
    PRIORITY.contains(&priority).then_some(()).ok_or_else(bad)
}

/// Makes the submission durable, or finds the one that an earlier request made durable.
async fn keep(records: &JobRecords, submission: Submission) -> Result<Known, Problem> {
    if let Some(earlier) = records.submission(&submission.job).await? {
        let known = Known::of(records.clone(), earlier).await?;
        // The earlier request may have died before the job was open.
        if known.ending.is_none() {
            records.submit(&known.submission).await?;
        }
        return Ok(known);
    }
    match records.submit(&submission).await {
        Ok(()) => Ok(Known::fresh(records.clone(), submission)),
        // A repetition at the same time, by another key of the tenant, was a moment earlier.
        Err(PlaceError::Conflict { .. }) => {
            let earlier = records.submission(&submission.job).await?;
            let earlier = earlier.ok_or_else(|| Problem::fault(&"a submission was there and is gone"))?;
            records.submit(&earlier).await?;
            Known::of(records.clone(), earlier).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn first_job(records: &JobRecords, key: &str, wanted: Idempotency) -> Result<JobId, Problem> {
    let found = records.idempotency(Digest::of(key.as_bytes()), &wanted).await?;
    if found.request != wanted.request {
        let detail = format!("the idempotency key `{key}` was used with another request: choose another");
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(found.job)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let is_good = |text: &&str| (1..=IDEMPOTENCY_BYTES).contains(&text.len());
    let text = value.to_str().ok().filter(is_good);
    let bad = || Problem::bad_value("idempotency-key", value.to_str().unwrap_or(""), "1 to 255 visible characters");
    text.map(|text| Some(text.to_owned())).ok_or_else(bad)
}

/// An id that sorts by time.
fn new_id(unix_ms: u64) -> JobId {
    let nanos = u32::try_from(unix_ms % 1_000 * 1_000_000).expect("less than a second");
    let uuid = Uuid::new_v7(Timestamp::from_unix(NoContext, unix_ms / 1_000, nanos));
    JobId::new(&uuid.to_string()).expect("hexadecimal digits and hyphens are allowed")
}

/// When the job of that id was submitted, in milliseconds since 1970.
fn submitted_ms(job: &JobId) -> Option<u64> {
    let (seconds, nanos) = Uuid::parse_str(&job.to_string()).ok()?.get_timestamp()?.to_unix();
    Some(seconds * 1_000 + u64::from(nanos) / 1_000_000)
}

#[cfg(test)]
mod tests;
