//! A file of a published version, whole or in part: for stores that give no links, and for programs behind a wall.

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use shardmill_shared::job::{Name, ObjectPath};
use shardmill_shared::store::{Part, Store, StoreError};

use super::versions;
use crate::auth::Caller;
use crate::input::Named;
use crate::limits::PART_BYTES;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// A file of a published version, by its path there; also its manifest and `_SUCCESS`. `Range: bytes=N-` resumes.
#[utoipa::path(get, path = "/v1/datasets/{name}/versions/{version}/files/{path}", tag = "datasets",
    operation_id = "read_file", params(("name" = String, Path, description = "The name of the dataset"),
        ("version" = String, Path, description = "A number, or `latest`"),
        ("path" = String, Path, description = "The path of the file in the version, with its slashes"),
        ("range" = Option<String>, Header, description = "`bytes=N-` for the rest from byte N on")),
    responses(
        (status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The rest of it", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "There is no such published version, or it has no such file"),
        (status = 416, description = "The file has no such part"),
    ))]
pub(crate) async fn file(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named((name, number, path)): Named<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("file of a published version", &format!("{name}@{number}/{path}"));
    let dataset = Name::new(&name).map_err(|_| missing())?;
    let found = versions::find(&shared.records(&caller), &dataset, &number).await?.ok_or_else(missing)?;
    let path = ObjectPath::new(&path).ok().filter(|path| !path.is_hidden()).ok_or_else(missing)?;
    let place = found.place.layout.file(&path);
    let start = headers.get(header::RANGE).and_then(|range| rest_from(range.to_str().ok()?));
    let from = start.unwrap_or(0);
    let first = match found.place.store.read_part(&place, from, PART_BYTES).await {
        Err(StoreError::NotFound { .. }) => return Err(missing()),
        part => part?,
    };
    if start.is_some_and(|start| start >= first.of) {
        return Err(Problem::new(
            Kind::WrongRange,
            format!("`{path}` has {} bytes, and none from byte {from} on", first.of),
        ));
    }
    Ok(answer(start, first.of, rest(found.place.store, place, (from, first))))
}

fn answer(start: Option<u64>, of: u64, body: Body) -> Response {
    let mut answer = (StatusCode::OK, body).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(of - start.unwrap_or(0)));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if let Some(start) = start {
        let range = HeaderValue::from_str(&format!("bytes {start}-{}/{of}", of - 1)).expect("digits are visible");
        headers.insert(header::CONTENT_RANGE, range);
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    answer
}

/// The file from its first part on, each part read when the caller has taken the one before.
fn rest(store: std::sync::Arc<dyn Store>, place: ObjectPath, (from, first): (u64, Part)) -> Body {
    let of = first.of;
    let parts = futures::stream::try_unfold((from, Some(first.bytes)), move |(at, known)| {
        let (store, place) = (std::sync::Arc::clone(&store), place.clone());
        async move {
            if at >= of {
                return Ok(None);
            }
            let bytes = match known {
                Some(bytes) => bytes,
                None => store.read_part(&place, at, PART_BYTES).await?.bytes,
            };
            if bytes.is_empty() {
                let reason = "it became shorter while it was read".to_owned();
                return Err(StoreError::Permanent { path: place.to_string(), reason });
            }
            let next = at + bytes.len() as u64;
            Ok::<Option<(Bytes, (u64, Option<Bytes>))>, StoreError>(Some((bytes, (next, None))))
        }
    });
    Body::from_stream(parts)
}

/// The N of `bytes=N-`. Other ranges may be answered with the whole.
fn rest_from(range: &str) -> Option<u64> {
    range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
}
