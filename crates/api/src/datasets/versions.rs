//! The published versions of a dataset.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shardmill_shared::job::{JobId, Key, Layout, Name, Success};
use shardmill_shared::store::{JobRecords, Place, PlaceError};
use utoipa::ToSchema;

use super::list::PageQuery;
use crate::auth::Caller;
use crate::input::{Asked, Named, page};
use crate::limits::{JOBS_SCANNED, PAGE_MOST, READS};
use crate::problem::Problem;
use crate::shared::Shared;

/// A page of versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionList {
    /// The published versions, newest first.
    versions: Vec<VersionEntry>,
    /// Where the list goes on; null at its end. A page may have fewer than were asked for and still go on.
    next: Option<String>,
}

/// A published version.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionEntry {
    /// Its number.
    version: u64,
    /// The job that made it.
    job: String,
    /// The digest of its manifest.
    manifest: String,
    /// The path of the version.
    link: String,
}

/// A version that is published.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) job: JobId,
    pub(super) version: u64,
    pub(super) place: Place,
    pub(super) success: Success,
}

/// What matters here of the claim to a version's number.
#[derive(Debug, Deserialize)]
struct Claimed {
    job: JobId,
}

/// The number of the newest version, as the store remembers it.
#[derive(Debug, Deserialize)]
struct Latest {
    version: u64,
}

/// The published versions of a dataset, newest first.
#[utoipa::path(get, path = "/v1/datasets/{name}/versions", tag = "datasets", operation_id = "list_versions",
    params(("name" = String, Path, description = "The name of the dataset"), PageQuery), responses(
    (status = 200, description = "A page of versions", body = VersionList),
    (status = 400, description = "A parameter cannot be read"),
    (status = 404, description = "There is no such dataset"),
))]
pub(crate) async fn versions(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(name): Named<String>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<VersionList>, Problem> {
    let limit = page(query.limit, PAGE_MOST)?;
    let below = query.cursor.as_deref().map(cursor).transpose()?.unwrap_or(u64::MAX);
    let dataset = Name::new(&name).map_err(|_| Problem::not_found("dataset", &name))?;
    let records = shared.records(&caller);
    let claimed = claimed(&records, &dataset).await?;
    if claimed.is_empty() {
        return Err(Problem::not_found("dataset", &name));
    }
    let mut numbers: Vec<u64> = claimed.into_iter().filter(|number| *number < below).collect();
    let has_more = numbers.len() > JOBS_SCANNED;
    numbers.truncate(JOBS_SCANNED);
    let last = numbers.last().copied().unwrap_or(1);
    let mut rest = std::pin::pin!(
        futures::stream::iter(numbers)
            .map(|number| published(&records, &dataset, number))
            .buffered(READS)
            .try_filter_map(|found| std::future::ready(Ok(found)))
            .take(limit + 1)
    );
    let mut versions = Vec::new();
    while let Some(found) = rest.try_next().await? {
        if versions.len() == limit {
            let next = versions.last().map(|last: &VersionEntry| last.version.to_string());
            return Ok(Json(VersionList { versions, next }));
        }
        versions.push(entry(&dataset, &found));
    }
    Ok(Json(VersionList { versions, next: has_more.then(|| last.to_string()) }))
}

fn entry(dataset: &Name, found: &Published) -> VersionEntry {
    VersionEntry {
        version: found.version,
        job: found.job.to_string(),
        manifest: found.success.manifest.to_string(),
        link: format!("/v1/datasets/{dataset}/versions/{}", found.version),
    }
}

fn cursor(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| Problem::bad_value("cursor", text, "the `next` of an earlier page"))
}

/// The numbers that were claimed, the highest first.
async fn claimed(records: &JobRecords, dataset: &Name) -> Result<Vec<u64>, PlaceError> {
    let folder = Layout::Folder.path(&Key::Versions(dataset.clone()));
    let mut listing = records.store().list(Some(&folder)).await?;
    let mut numbers: Vec<u64> = Vec::new();
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
            return Ok(numbers);
        }
        let names = page.iter().map(|entry| entry.path.file_name());
        numbers.extend(names.filter_map(|name| name.strip_suffix(".json")?.parse::<u64>().ok()));
    }
}

/// The version of that number, once it is published.
pub(super) async fn published(
    records: &JobRecords,
    dataset: &Name,
    version: u64,
) -> Result<Option<Published>, Problem> {
    let folder = Place { store: Arc::clone(records.store()), layout: Layout::Folder };
    let claim: Option<Claimed> = folder.find(&Key::Version(dataset.clone(), version)).await?;
    let Some(Claimed { job }) = claim else { return Ok(None) };
    let layout = Layout::Root { job: job.clone(), dataset: dataset.clone(), version };
    let place = Place { layout, ..folder };
    let success: Option<Success> = place.find(&Key::Success).await?;
    Ok(success.map(|success| Published { job, version, place, success }))
}

/// The published version of that number, or the `latest`.
pub(super) async fn find(records: &JobRecords, dataset: &Name, number: &str) -> Result<Option<Published>, Problem> {
    let wanted = match number {
        "latest" => latest(records, dataset).await?,
        digits => digits.parse().ok(),
    };
    match wanted {
        Some(version) => published(records, dataset, version).await,
        None => Ok(None),
    }
}

/// The number of the newest published version. What the store remembers of it is a cache: it is checked.
pub(super) async fn latest(records: &JobRecords, dataset: &Name) -> Result<Option<u64>, Problem> {
    let folder = Place { store: Arc::clone(records.store()), layout: Layout::Folder };
    let cached = match folder.find::<Latest>(&Key::Latest(dataset.clone())).await {
        Err(PlaceError::Damaged { .. }) => None,
        found => found?,
    };
    if let Some(Latest { version }) = cached
        && published(records, dataset, version).await?.is_some()
    {
        return Ok(Some(version));
    }
    for number in claimed(records, dataset).await?.into_iter().take(JOBS_SCANNED) {
        if published(records, dataset, number).await?.is_some() {
            return Ok(Some(number));
        }
    }
    Ok(None)
}
