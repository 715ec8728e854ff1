//! One job, and the spec it runs.

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};

use super::{JobResource, Known, shown};
use crate::auth::Caller;
use crate::input::Named;
use crate::problem::Problem;
use crate::shared::Shared;

/// A job, as it is now.
#[utoipa::path(get, path = "/v1/jobs/{id}", tag = "jobs", operation_id = "read_job",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "The job", body = JobResource),
    (status = 404, description = "There is no such job"),
))]
pub(crate) async fn read(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Result<Json<JobResource>, Problem> {
    let known = Known::find(&shared, &caller, &id).await?;
    Ok(Json(shown(&shared, &known).await))
}

/// The spec that a job runs: as it was accepted, with every default filled in.
#[utoipa::path(get, path = "/v1/jobs/{id}/spec", tag = "jobs", operation_id = "read_job_spec",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "The canonical spec", body = serde_json::Value),
    (status = 404, description = "There is no such job"),
))]
pub(crate) async fn spec(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Result<impl IntoResponse, Problem> {
    let known = Known::find(&shared, &caller, &id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], known.submission.spec))
}
