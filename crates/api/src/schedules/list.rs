//! The list of schedules.

use axum::extract::State;
use axum::{Extension, Json};
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;
use shardmill_shared::job::Name;
use utoipa::ToSchema;

use super::change::records;
use super::{ScheduleResource, shown};
use crate::auth::Caller;
use crate::datasets::list::PageQuery;
use crate::input::{Asked, page};
use crate::limits::{PAGE_MOST, READS};
use crate::problem::Problem;
use crate::shared::Shared;

/// A page of schedules.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleList {
    /// The schedules, by name.
    schedules: Vec<ScheduleResource>,
    /// Where the list goes on; null at its end. A page may have fewer than were asked for and still go on.
    next: Option<String>,
}

/// The schedules of the caller's tenant, by name.
#[utoipa::path(get, path = "/v1/schedules", tag = "schedules", operation_id = "list_schedules",
    params(PageQuery), responses(
    (status = 200, description = "A page of schedules", body = ScheduleList),
    (status = 400, description = "A parameter cannot be read"),
))]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<PageQuery>,
) -> Result<Json<ScheduleList>, Problem> {
    let limit = page(query.limit, PAGE_MOST)?;
    if let Some(cursor) = query.cursor.as_deref().filter(|cursor| Name::new(cursor).is_err()) {
        return Err(Problem::bad_value("cursor", cursor, "the `next` of an earlier page"));
    }
    let (records, now_ms) = (records(&shared, &caller), shared.api.clock.unix_ms());
    // One more than wanted says whether the list goes on.
    let mut names = records.names(query.cursor.as_deref(), limit + 1).await?;
    let has_more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().map(ToString::to_string).filter(|_| has_more);
    let records = &records;
    let looks = names.into_iter().map(|name| async move {
        let found = records.find(&name).await?;
        Ok::<_, Problem>(found.map(|(_, schedule)| shown(&name, &schedule, now_ms)))
    });
    let found = futures::stream::iter(looks).buffered(READS);
    let schedules = found.try_filter_map(|found| std::future::ready(Ok(found))).try_collect().await?;
    Ok(Json(ScheduleList { schedules, next }))
}
