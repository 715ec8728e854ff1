//! One schedule, with what it fires next and what it fired last.

use axum::extract::State;
use axum::{Extension, Json};

use super::change::{found, name, records};
use super::{FIRES_SHOWN, FireResource, ScheduleWhole, shown};
use crate::auth::Caller;
use crate::input::Named;
use crate::problem::Problem;
use crate::shared::Shared;

/// A schedule, its next five times to fire, and its last fires.
#[utoipa::path(get, path = "/v1/schedules/{name}", tag = "schedules", operation_id = "read_schedule",
    params(("name" = String, Path, description = "The name of the schedule")), responses(
    (status = 200, description = "The schedule", body = ScheduleWhole),
    (status = 404, description = "There is no such schedule"),
))]
pub(crate) async fn read(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(text): Named<String>,
) -> Result<Json<ScheduleWhole>, Problem> {
    let (name, records) = (name(&text)?, records(&shared, &caller));
    let (_, schedule) = found(&records, &name).await?;
    let fires = records.fires(&name, FIRES_SHOWN).await?;
    let spec = serde_json::from_str(&schedule.spec).unwrap_or_else(|_| schedule.spec.clone().into());
    let schedule = shown(&name, &schedule, shared.api.clock.unix_ms());
    let fires = fires.into_iter().map(|(_, fire)| FireResource::from(fire)).collect();
    Ok(Json(ScheduleWhole { schedule, fires, spec }))
}
