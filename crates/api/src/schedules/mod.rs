//! Schedules: what fires when, and what came of it.

use serde::Serialize;
use serde_json::Value;
use shardmill_shared::job::{JobId, Name};
use shardmill_shared::schedule::{Fire, FireOutcome, Schedule};
use utoipa::ToSchema;

use crate::jobs;
use crate::time::rfc3339;

mod wanted;
mod change;
pub(crate) mod list;
pub(crate) mod put;
pub(crate) mod read;
pub(crate) mod command;
pub(crate) mod run;

/// Fires that are shown, and times to come.
const FIRES_SHOWN: usize = 10;
const NEXT_SHOWN: usize = 5;

/// A schedule.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleResource {
    /// Its name.
    name: String,
    /// `active` or `paused`.
    state: String,
    /// When it fires: minute, hour, day of month, month, day of week.
    #[schema(example = "30 2 * * *")]
    cron: String,
    /// The time zone in which the line is read.
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
    /// The dataset that it makes versions of.
    dataset: String,
    /// The priority of its jobs.
    priority: u8,
    /// What becomes of a fire while the job before it is open: `skip` or `queue`.
    overlap: String,
    /// How many versions of the dataset stay; null when all do.
    keep: Option<u32>,
    /// The webhooks that are told what becomes of its jobs.
    notify: Vec<String>,
    /// When it was changed last.
    #[schema(format = "date-time")]
    changed: String,
    /// Who changed it last: the name of an API key.
    by: String,
    /// The next times to fire; none while it is paused.
    next: Vec<String>,
    /// Its path.
    link: String,
}

/// A schedule with what it fires and what it has fired.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleWhole {
    #[serde(flatten)]
    schedule: ScheduleResource,
    /// Its last fires, newest first.
    fires: Vec<FireResource>,
    /// The canonical spec.
    #[schema(value_type = Object)]
    spec: Value,
}

/// A fire that was decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FireResource {
    /// The time to fire.
    #[schema(format = "date-time")]
    at: String,
    /// `job`, or `skipped` when the job of an earlier fire was open.
    outcome: &'static str,
    /// The job that it made, or that was in its way.
    job: String,
    /// Its path.
    link: String,
    /// How many times to fire before it were missed; more than a thousand are not counted.
    missed: u64,
}

impl From<Fire> for FireResource {
    fn from(fire: Fire) -> Self {
        let shown = |outcome, job: &JobId| Self {
            at: rfc3339(fire.at_ms),
            outcome,
            job: job.to_string(),
            link: jobs::path(job),
            missed: fire.missed,
        };
        match &fire.outcome {
            FireOutcome::Job(job) => shown("job", job),
            FireOutcome::Skipped(open) => shown("skipped", open),
        }
    }
}

/// The schedule as it is shown at some time, in milliseconds since 1970.
fn shown(name: &Name, schedule: &Schedule, now_ms: u64) -> ScheduleResource {
    use shardmill_shared::schedule::ScheduleState::Active;
    let next = schedule.timing.fires_between(now_ms, u64::MAX).take(NEXT_SHOWN).map(rfc3339);
    ScheduleResource {
        name: name.to_string(),
        state: schedule.state.to_string(),
        cron: schedule.timing.line().to_owned(),
        time_zone: schedule.timing.zone().to_owned(),
        dataset: schedule.dataset.to_string(),
        priority: schedule.priority,
        overlap: schedule.overlap.as_str().to_owned(),
        keep: schedule.keep.map(Into::into),
        notify: schedule.notify.iter().map(ToString::to_string).collect(),
        changed: rfc3339(schedule.changed_ms),
        by: schedule.by.clone(),
        next: if schedule.state == Active { next.collect() } else { Vec::new() },
        link: path(name),
    }
}

fn path(name: &Name) -> String {
    format!("/v1/schedules/{name}")
}

#[cfg(test)]
mod tests;
