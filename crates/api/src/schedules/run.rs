//! Running a schedule's spec now, whatever its line says.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use shardmill_shared::job::{Digest, Submission};

use super::change::{found, name, records};
use crate::auth::Caller;
use crate::input::Named;
use crate::jobs::JobResource;
use crate::jobs::submit::{Claimed, claim, submitted};
use crate::problem::Problem;
use crate::shared::Shared;

/// Make a job of the schedule now, whether it is paused or not, and whatever else runs. Its fires do not wait for that job.
///
/// A request with an `Idempotency-Key` may be repeated: the repetition is answered with the job of the first.
#[utoipa::path(post, path = "/v1/schedules/{name}/run", tag = "schedules", operation_id = "run_schedule",
    params(("name" = String, Path, description = "The name of the schedule"),
        ("Idempotency-Key" = Option<String>, Header, description = "Any text of 1 to 255 visible characters")),
    responses(
        (status = 202, description = "A new job", body = JobResource,
            headers(("Location" = String, description = "Its path"))),
        (status = 200, description = "The job of an earlier request with the same idempotency key", body = JobResource,
            headers(("Location" = String, description = "Its path"))),
        (status = 400, description = "A header cannot be read"),
        (status = 404, description = "There is no such schedule"),
        (status = 409, description = "The idempotency key was used with another request"),
    ))]
pub(crate) async fn run(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(text): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let name = name(&text)?;
    let (_, schedule) = found(&records(&shared, &caller), &name).await?;
    let request = Digest::of(format!("run schedule\n{name}").as_bytes());
    let claimed: Claimed = claim(&shared, &caller, &headers, request).await?;
    let submission = schedule.submission(&caller.tenant, &name, (&claimed.job, claimed.submitted_ms));
    submitted(&shared, &caller, Submission { by: caller.name.clone(), ..submission }, claimed.status).await
}
