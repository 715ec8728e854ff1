//! Making a schedule, or replacing it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use shardmill_shared::job::Name;
use shardmill_shared::schedule::{Schedule, ScheduleState};

use super::change::{change, found, records};
use super::wanted::{Checks, ScheduleWanted, check};
use super::{ScheduleResource, shown};
use crate::auth::Caller;
use crate::input::{JsonBody, Named};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;

/// Make a schedule, or replace the one of that name.
///
/// Times that lie before a new or changed line are not caught up. A paused schedule stays paused.
#[utoipa::path(put, path = "/v1/schedules/{name}", tag = "schedules", operation_id = "put_schedule",
    params(("name" = String, Path, description = "Letters, digits, `_`, `-` and `.`")), request_body = ScheduleWanted,
    responses(
        (status = 201, description = "A new schedule", body = ScheduleResource),
        (status = 200, description = "The schedule is replaced, or was so before", body = ScheduleResource),
        (status = 400, description = "The name or the body cannot be read"),
        (status = 409, description = "Others change it at the same time"),
        (status = 413, description = "The body has more than 8 MiB"),
        (status = 415, description = "The body is not JSON"),
        (status = 422, description = "The schedule or its spec has errors, all of which are named"),
    ))]
pub(crate) async fn put(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(text): Named<String>,
    JsonBody(wanted): JsonBody<ScheduleWanted>,
) -> Result<(StatusCode, Json<ScheduleResource>), Problem> {
    let name = Name::new(&text).map_err(|error| Problem::new(Kind::BadRequest, error.to_string()))?;
    let checks = check(&shared, &caller, wanted).await?;
    let records = records(&shared, &caller);
    let is_new = records.find(&name).await?.is_none();
    let now_ms = shared.api.clock.unix_ms();
    change(&records, &name, |newest| Ok(revised(newest, &checks, (now_ms, &caller.name)))).await?;
    let (_, schedule) = found(&records, &name).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(shown(&name, &schedule, now_ms))))
}

/// The revision after `newest`; nothing when it says the same.
fn revised(newest: Option<&Schedule>, checks: &Checks, (now_ms, by): (u64, &str)) -> Option<Schedule> {
    let newest = newest.filter(|newest| newest.state != ScheduleState::Deleted);
    let schedule = Schedule {
        timing: checks.timing.clone(),
        dataset: checks.accepted.dataset.clone(),
        spec: checks.accepted.spec.clone(),
        priority: checks.priority,
        overlap: checks.overlap,
        keep: checks.keep,
        notify: checks.notify.clone(),
        state: newest.map_or(ScheduleState::Active, |newest| newest.state),
        // What was due of the old line may still be caught up, if the line has not changed.
        since_ms: newest.filter(|newest| newest.timing == checks.timing).map_or(now_ms, |newest| newest.since_ms),
        changed_ms: now_ms,
        by: by.to_owned(),
    };
    let says_the_same = newest.is_some_and(|newest| {
        let (changed_ms, by) = (newest.changed_ms, newest.by.clone());
        *newest == Schedule { changed_ms, by, ..schedule.clone() }
    });
    (!says_the_same).then_some(schedule)
}
