//! Commands to a schedule. Each may be repeated.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use shardmill_shared::schedule::{Schedule, ScheduleState};

use super::change::{change, found, name, records};
use super::{ScheduleResource, shown};
use crate::auth::Caller;
use crate::input::Named;
use crate::problem::Problem;
use crate::shared::Shared;

type Answer = Result<Json<ScheduleResource>, Problem>;

/// Fire no more until it is resumed. Jobs that it made go on.
#[utoipa::path(post, path = "/v1/schedules/{name}/pause", tag = "schedules", operation_id = "pause_schedule",
    params(("name" = String, Path, description = "The name of the schedule")), responses(
    (status = 200, description = "It is paused", body = ScheduleResource),
    (status = 404, description = "There is no such schedule"),
    (status = 409, description = "Others change it at the same time"),
))]
pub(crate) async fn pause(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(text): Named<String>,
) -> Answer {
    become_so(&shared, &caller, &text, ScheduleState::Paused).await?;
    read(&shared, &caller, &text).await
}

/// Fire again. Times that came while it was paused are not caught up.
#[utoipa::path(post, path = "/v1/schedules/{name}/resume", tag = "schedules", operation_id = "resume_schedule",
    params(("name" = String, Path, description = "The name of the schedule")), responses(
    (status = 200, description = "It fires", body = ScheduleResource),
    (status = 404, description = "There is no such schedule"),
    (status = 409, description = "Others change it at the same time"),
))]
pub(crate) async fn resume(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(text): Named<String>,
) -> Answer {
    become_so(&shared, &caller, &text, ScheduleState::Active).await?;
    read(&shared, &caller, &text).await
}

/// Delete a schedule. Jobs that it made go on, and its dataset stays.
#[utoipa::path(delete, path = "/v1/schedules/{name}", tag = "schedules", operation_id = "delete_schedule",
    params(("name" = String, Path, description = "The name of the schedule")), responses(
    (status = 204, description = "It is deleted"),
    (status = 404, description = "There is no such schedule"),
    (status = 409, description = "Others change it at the same time"),
))]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(text): Named<String>,
) -> Result<StatusCode, Problem> {
    become_so(&shared, &caller, &text, ScheduleState::Deleted).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn become_so(shared: &Shared, caller: &Caller, text: &str, state: ScheduleState) -> Result<(), Problem> {
    let name = name(text)?;
    let now_ms = shared.api.clock.unix_ms();
    change(&records(shared, caller), &name, |newest| {
        let newest = newest.filter(|newest| newest.state != ScheduleState::Deleted);
        let newest = newest.ok_or_else(|| Problem::not_found("schedule", text))?;
        let since_ms = if state == ScheduleState::Active { now_ms } else { newest.since_ms };
        let by = caller.name.clone();
        let next = Schedule { state, since_ms, changed_ms: now_ms, by, ..newest.clone() };
        Ok((newest.state != state).then_some(next))
    })
    .await
}

async fn read(shared: &Shared, caller: &Caller, text: &str) -> Answer {
    let name = name(text)?;
    let (_, schedule) = found(&records(shared, caller), &name).await?;
    Ok(Json(shown(&name, &schedule, shared.api.clock.unix_ms())))
}
