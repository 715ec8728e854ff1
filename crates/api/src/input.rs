//! What a request carries, read with answers that say what was expected.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use tokio::sync::OwnedSemaphorePermit;

use crate::limits::{BODY_BYTES, PAGE, RETRY_SECONDS};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// The parameters of the query.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(asked)) => Ok(Self(asked)),
            Err(rejection) => Err(Problem::new(Kind::BadRequest, rejection.body_text())),
        }
    }
}

/// The parameters of the path. What cannot be one names nothing.
#[derive(Debug)]
pub(crate) struct Named<T>(pub(crate) T);

impl<T: DeserializeOwned + Send> FromRequestParts<Shared> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let named = Path::from_request_parts(parts, shared).await;
        let nothing = |_| Problem::new(Kind::NotFound, "the path has a part that can be no name");
        named.map(|Path(named)| Self(named)).map_err(nothing)
    }
}

/// A body in JSON.
#[derive(Debug)]
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        expect_media(request.headers(), &["application/json"])?;
        let (bytes, _room) = body(request, shared).await?;
        let parsed = serde_json::from_slice(&bytes);
        parsed.map(Self).map_err(|error| Problem::new(Kind::BadRequest, format!("the body cannot be read: {error}")))
    }
}

/// A body that is a spec, and the room that it takes.
#[derive(Debug)]
pub(crate) struct SpecText {
    pub(crate) text: String,
    _room: OwnedSemaphorePermit,
}

/// The media types of specs. JSON is YAML.
const SPEC_MEDIA: [&str; 4] = ["application/yaml", "application/x-yaml", "text/yaml", "application/json"];

impl FromRequest<Shared> for SpecText {
    type Rejection = Problem;

    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Problem> {
        expect_media(request.headers(), &SPEC_MEDIA)?;
        let (bytes, room) = body(request, shared).await?;
        let text = String::from_utf8(bytes.into());
        text.map(|text| Self { text, _room: room })
            .map_err(|_| Problem::new(Kind::BadRequest, "the body is not UTF-8: send the spec in UTF-8"))
    }
}

/// A body, and the room that it takes among those that are held at once: what clients send is bounded before it is read.
async fn body(request: Request, shared: &Shared) -> Result<(Bytes, OwnedSemaphorePermit), Problem> {
    let too_large = || Problem::new(Kind::TooLarge, format!("the body has more than {BODY_BYTES} bytes"));
    // What is announced as too large is not waited for.
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if announced.is_some_and(|bytes: u64| bytes > BODY_BYTES as u64) {
        return Err(too_large());
    }
    let full =
        |_| Problem::new(Kind::Busy, "too many bodies are read at this moment: send it again").after(RETRY_SECONDS);
    let room = Arc::clone(&shared.bodies).try_acquire_owned().map_err(full)?;
    let bytes = Bytes::from_request(request, shared).await.map_err(|rejection: BytesRejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large();
        }
        Problem::new(Kind::BadRequest, "the body ended early")
    })?;
    Ok((bytes, room))
}

fn expect_media(headers: &HeaderMap, expected: &[&str]) -> Result<(), Problem> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media = text.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    if expected.contains(&media.as_str()) {
        return Ok(());
    }
    let list = expected.join("`, `");
    let detail = format!("`content-type` is `{}`; expected `{list}`", media.chars().take(100).collect::<String>());
    Err(Problem::new(Kind::WrongMedia, detail))
}

/// How many entries a page has: as asked for, from 1 to `most`.
pub(crate) fn page(asked: Option<usize>, most: usize) -> Result<usize, Problem> {
    match asked {
        None => Ok(PAGE.min(most)),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(limit) => Err(Problem::bad_value("limit", &limit.to_string(), &format!("1 to {most}"))),
    }
}
