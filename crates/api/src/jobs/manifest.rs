//! The manifest of a job's version, byte for byte.

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use shardmill_shared::job::{Digest, Key, Success};
use shardmill_shared::store::{Place, PlaceError, StoreError};

use super::Known;
use crate::auth::Caller;
use crate::input::Named;
use crate::problem::Problem;
use crate::shared::Shared;

/// The manifest of the version that a job published: the bytes whose BLAKE3 digest is the job's `manifest`.
#[utoipa::path(get, path = "/v1/jobs/{id}/manifest", tag = "jobs", operation_id = "read_job_manifest",
    params(("id" = String, Path, description = "The id of the job")), responses(
    (status = 200, description = "The manifest", body = serde_json::Value,
        headers(("ETag" = String, description = "Its digest, quoted"))),
    (status = 404, description = "There is no such job, or it has published nothing"),
))]
pub(crate) async fn manifest(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
) -> Result<Response, Problem> {
    let known = Known::find(&shared, &caller, &id).await?;
    let published = match &known.place {
        Some(place) => published(place).await?,
        None => None,
    };
    let (success, bytes) = published.ok_or_else(|| Problem::not_found("manifest of job", &id))?;
    let mut answer = ([(header::CONTENT_TYPE, "application/json")], bytes).into_response();
    let tag = HeaderValue::from_str(&format!("\"{}\"", success.manifest)).expect("digits are visible");
    answer.headers_mut().insert(header::ETAG, tag);
    Ok(answer)
}

/// The manifest's bytes, proved by `_SUCCESS`; nothing without it.
pub(crate) async fn published(place: &Place) -> Result<Option<(Success, Bytes)>, Problem> {
    let Some(success) = place.find::<Success>(&Key::Success).await? else { return Ok(None) };
    let path = place.path(&Key::Manifest);
    let bytes = match place.store.read(&path).await {
        // A version that is being removed has lost its `_SUCCESS` first.
        Err(StoreError::NotFound { .. }) if place.find::<Success>(&Key::Success).await?.is_none() => return Ok(None),
        read => read?,
    };
    if Digest::of(&bytes) != success.manifest {
        return Err(PlaceError::Conflict { path }.into());
    }
    Ok(Some((success, bytes)))
}
