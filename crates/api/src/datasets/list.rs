//! The list of datasets.

use axum::extract::State;
use axum::{Extension, Json};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use shardmill_shared::job::Name;
use shardmill_shared::store::JobRecords;
use utoipa::{IntoParams, ToSchema};

use super::versions;
use crate::auth::Caller;
use crate::input::{Asked, page};
use crate::limits::{PAGE_MOST, READS};
use crate::problem::Problem;
use crate::shared::Shared;

/// Which page is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// Entries of a page, 1 to 200; 50 unless it is given.
    pub(crate) limit: Option<usize>,
    /// Where the page before said that the list goes on.
    pub(crate) cursor: Option<String>,
}

/// A page of datasets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetList {
    /// Datasets that have a published version, by name.
    datasets: Vec<DatasetResource>,
    /// Where the list goes on; null at its end. A page may have fewer than were asked for and still go on.
    next: Option<String>,
}

/// A dataset.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DatasetResource {
    /// Its name.
    name: String,
    /// The number of its newest published version.
    latest: u64,
    /// The path of its versions.
    versions: String,
}

/// The datasets of the caller's tenant that have a published version, by name.
#[utoipa::path(get, path = "/v1/datasets", tag = "datasets", operation_id = "list_datasets",
    params(PageQuery), responses(
    (status = 200, description = "A page of datasets", body = DatasetList),
    (status = 400, description = "A parameter cannot be read"),
))]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<DatasetList>, Problem> {
    let limit = page(query.limit, PAGE_MOST)?;
    if let Some(cursor) = query.cursor.as_deref().filter(|cursor| Name::new(cursor).is_err()) {
        return Err(Problem::bad_value("cursor", cursor, "the `next` of an earlier page"));
    }
    let records = shared.records(&caller);
    // One more than wanted says whether the list goes on.
    let mut names = records.datasets(query.cursor.as_deref(), limit + 1).await?;
    let has_more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().map(ToString::to_string).filter(|_| has_more);
    let datasets = futures::stream::iter(names).map(|name| look(&records, name)).buffered(READS);
    let datasets = datasets.try_filter_map(|dataset| std::future::ready(Ok(dataset))).try_collect().await?;
    Ok(Json(DatasetList { datasets, next }))
}

async fn look(records: &JobRecords, name: Name) -> Result<Option<DatasetResource>, Problem> {
    let latest = versions::latest(records, &name).await?;
    Ok(latest.map(|latest| DatasetResource {
        name: name.to_string(),
        latest,
        versions: format!("/v1/datasets/{name}/versions"),
    }))
}
