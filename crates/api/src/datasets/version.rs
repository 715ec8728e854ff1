//! A published version: its tables, and its files page by page.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use shardmill_shared::job::{Block, Digest, FileEntry, Key, Manifest, Name, Success};
use shardmill_shared::store::{Place, PlaceError};
use utoipa::{IntoParams, ToSchema};

use super::versions::{self, Published};
use crate::auth::Caller;
use crate::input::{Asked, Named, page};
use crate::jobs::{MadeResource, manifest};
use crate::limits::{FILES_MOST, LINK_SECONDS};
use crate::problem::Problem;
use crate::shared::Shared;

/// Which files are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FilesQuery {
    /// Files of a page, 1 to 1 000; 50 unless it is given.
    limit: Option<usize>,
    /// Where the page before said that the files go on.
    cursor: Option<String>,
}

/// A published version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionResource {
    /// The dataset.
    dataset: String,
    /// The number.
    version: u64,
    /// The job that made it.
    job: String,
    /// Where it lies in the store, for programs that may read the store themselves.
    #[schema(example = "s3://bucket/prefix/acme/datasets/shop/3")]
    location: Option<String>,
    /// The digest of its manifest.
    manifest: String,
    /// The digest of the canonical spec.
    spec_digest: String,
    /// The seed of all draws.
    seed: u64,
    /// The engine version.
    engine: u32,
    /// Rows and bytes of all tables.
    made: MadeResource,
    /// The tables, in the plan's order.
    tables: Vec<TableResource>,
    /// A page of its files, in the plan's order.
    files: Vec<FileResource>,
    /// Where the files go on; null at their end.
    next: Option<String>,
}

/// A table of a version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TableResource {
    /// Its name.
    table: String,
    /// Files it has.
    files: u64,
    /// Rows in them.
    rows: u64,
    /// Bytes of them.
    bytes: u64,
}

/// A file of a version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileResource {
    /// Its path in the version.
    #[schema(example = "users/part-00000.parquet")]
    path: String,
    /// Rows in it.
    rows: u64,
    /// Its size in bytes.
    bytes: u64,
    /// The BLAKE3 digest of its bytes.
    blake3: String,
    /// A link from which anybody may download it for an hour; null where the store has no such links.
    link: Option<String>,
}

/// A published version, by its number or `latest`.
#[utoipa::path(get, path = "/v1/datasets/{name}/versions/{version}", tag = "datasets", operation_id = "read_version",
    params(("name" = String, Path, description = "The name of the dataset"),
        ("version" = String, Path, description = "A number, or `latest`"), FilesQuery),
    responses(
        (status = 200, description = "The version", body = VersionResource),
        (status = 400, description = "A parameter cannot be read"),
        (status = 404, description = "There is no such published version"),
    ))]
pub(crate) async fn version(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named((name, number)): Named<(String, String)>,
    Asked(query): Asked<FilesQuery>,
) -> Result<Response, Problem> {
    let limit = page(query.limit, FILES_MOST)?;
    let from = query.cursor.as_deref().map(cursor).transpose()?.unwrap_or_default();
    let missing = || Problem::not_found("published version", &format!("{name}@{number}"));
    let dataset = Name::new(&name).map_err(|_| missing())?;
    let found = versions::find(&shared.records(&caller), &dataset, &number).await?.ok_or_else(missing)?;
    let (_, bytes) = manifest::published(&found.place).await?.ok_or_else(missing)?;
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| Problem::fault(&error))?;
    let (files, next) = match files(&found.place, &manifest, from, limit).await {
        // A version that is being removed has lost its `_SUCCESS` first.
        Err(_) if found.place.find::<Success>(&Key::Success).await?.is_none() => return Err(missing()),
        files => files?,
    };
    let location = shared.api.location.as_ref().map(|root| location(root, &caller.tenant, &found.place));
    let mut answer =
        Json(VersionResource { location, ..resource(&dataset, &found, manifest, (files, next)) }).into_response();
    // Links are as good as the data.
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// Where the version lies for whoever may read the store itself.
fn location(root: &str, tenant: &Name, place: &Place) -> String {
    let mark = place.path(&Key::Success);
    let folder = mark.as_str().trim_end_matches(mark.file_name()).trim_end_matches('/');
    format!("{}/{tenant}/{folder}", root.trim_end_matches('/'))
}

fn resource(
    dataset: &Name,
    found: &Published,
    manifest: Manifest,
    (files, next): (Vec<FileResource>, Option<Start>),
) -> VersionResource {
    let tables = manifest.tables.iter().map(|entry| TableResource {
        table: entry.table.to_string(),
        files: entry.files,
        rows: entry.account.written,
        bytes: entry.bytes,
    });
    VersionResource {
        dataset: dataset.to_string(),
        version: found.version,
        job: found.job.to_string(),
        location: None,
        manifest: found.success.manifest.to_string(),
        spec_digest: manifest.spec_digest.to_string(),
        seed: manifest.seed,
        engine: manifest.engine,
        made: manifest.made().into(),
        tables: tables.collect(),
        files,
        next: next.map(|Start { block, file }| format!("{block}.{file}")),
    }
}

/// Where a page of files begins: a block of the manifest, and a file in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Start {
    block: usize,
    file: usize,
}

fn cursor(text: &str) -> Result<Start, Problem> {
    let parts = text.split_once('.').and_then(|(block, file)| Some((block.parse().ok()?, file.parse().ok()?)));
    let bad = || Problem::bad_value("cursor", text, "the `next` of an earlier page");
    parts.map(|(block, file)| Start { block, file }).ok_or_else(bad)
}

async fn files(
    place: &Place,
    manifest: &Manifest,
    from: Start,
    limit: usize,
) -> Result<(Vec<FileResource>, Option<Start>), Problem> {
    let mut files = Vec::new();
    for at in from.block..manifest.blocks.len() {
        let skipped = if at == from.block { from.file } else { 0 };
        let block = block(place, manifest, at).await?;
        let entries = block.commits.iter().flat_map(|commit| &commit.files).enumerate().skip(skipped);
        for (file, entry) in entries {
            if files.len() == limit {
                return Ok((files, Some(Start { block: at, file })));
            }
            files.push(file_resource(place, entry).await);
        }
    }
    Ok((files, None))
}

async fn block(place: &Place, manifest: &Manifest, at: usize) -> Result<Block, Problem> {
    let entry = &manifest.blocks[at];
    let path = place.path(&Key::Block(entry.block));
    let bytes = place.store.read(&path).await?;
    if Digest::of(&bytes) != entry.blake3 {
        return Err(PlaceError::Conflict { path }.into());
    }
    serde_json::from_slice(&bytes).map_err(|error| Problem::fault(&error))
}

async fn file_resource(place: &Place, entry: &FileEntry) -> FileResource {
    let path = place.layout.file(&entry.key);
    let link = place.store.link(&path, LINK_SECONDS).await.unwrap_or_else(|error| {
        tracing::warn!("a link cannot be made: {error}");
        None
    });
    FileResource {
        path: entry.key.to_string(),
        rows: entry.rows,
        bytes: entry.bytes,
        blake3: entry.blake3.to_string(),
        link: link.map(|link| link.reveal().to_owned()),
    }
}
