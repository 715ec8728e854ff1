//! A schedule as callers write it, checked into one that can be fired. All problems at once.

use std::num::NonZeroU32;

use serde::Deserialize;
use serde_json::Value;
use shardmill_shared::job::{Name, PRIORITY, PRIORITY_USUAL};
use shardmill_shared::schedule::{Overlap, Timing, TimingError};
use shardmill_shared::spec::problem::nearest;
use shardmill_shared::spec::{Problem as Found, Severity};
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::check::checked;
use crate::problem::Problem;
use crate::shared::Inner;
use crate::{Accepted, Checked};

/// A schedule that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScheduleWanted {
    /// Minute, hour, day of month, month, day of week. What the change of a clock leaves out fires once right after it,
    /// what it repeats fires once.
    #[schema(example = "30 2 * * *")]
    cron: String,
    /// The IANA name of the time zone in which the line is read; `UTC` unless it is given.
    #[schema(example = "Europe/Berlin")]
    time_zone: Option<String>,
    /// The spec: an object, or the text of a YAML or JSON document.
    #[schema(value_type = Object)]
    spec: Value,
    /// 0 to 9; 4 unless it is given.
    priority: Option<u8>,
    /// What becomes of a fire while the job before it is open: `skip` (unless it is given) makes no job, `queue` waits.
    overlap: Option<String>,
    /// How many versions of the dataset stay, 1 or more; all of them unless it is given.
    keep: Option<u32>,
    /// The names of configured webhooks that are told what becomes of its jobs.
    notify: Option<Vec<String>>,
}

/// What of it is checked.
pub(super) struct Checks {
    pub(super) timing: Timing,
    pub(super) accepted: Accepted,
    pub(super) priority: u8,
    pub(super) overlap: Overlap,
    pub(super) keep: Option<NonZeroU32>,
    pub(super) notify: Vec<Name>,
}

/// Checks all of it.
pub(super) async fn check(shared: &Inner, caller: &Caller, wanted: ScheduleWanted) -> Result<Checks, Problem> {
    let mut found = Vec::new();
    let zone = wanted.time_zone.as_deref().unwrap_or("UTC");
    found.extend(Timing::check_line(&wanted.cron).err().map(|error| of_timing(&error)));
    found.extend(Timing::check_zone(zone).err().map(|error| of_timing(&error)));
    let timing = Timing::new(&wanted.cron, zone).ok();
    let (priority, overlap) = (wanted.priority.unwrap_or(PRIORITY_USUAL), overlap(wanted.overlap.as_deref()));
    if !PRIORITY.contains(&priority) {
        let expected = format!("{} to {}", PRIORITY.start(), PRIORITY.end());
        found.push(error("priority", format!("`{priority}` is no priority"), Some(expected)));
    }
    let overlap = overlap.map_err(|problem| found.push(problem)).unwrap_or_default();
    let keep = wanted.keep.map(|keep| {
        NonZeroU32::new(keep)
            .ok_or_else(|| error("keep", "`0` keeps no version".to_owned(), Some("1 or more".to_owned())))
    });
    let keep = keep.transpose().map_err(|problem| found.push(problem)).unwrap_or_default();
    let notify = notify(shared, caller, wanted.notify.unwrap_or_default(), &mut found);
    let text = match wanted.spec {
        Value::String(text) => text,
        object => object.to_string(),
    };
    let Checked { problems, accepted } = checked(shared, caller, text).await?;
    let is_error = |problem: &Found| problem.severity == Severity::Error;
    if accepted.is_none() || problems.iter().any(is_error) {
        found.extend(problems.into_iter().map(|problem| Found { path: below_spec(&problem.path), ..problem }));
    }
    match (timing, accepted) {
        (Some(timing), Some(accepted)) if found.is_empty() => {
            Ok(Checks { timing, accepted, priority, overlap, keep, notify })
        }
        _ => Err(Problem::bad_schedule(&found)),
    }
}

fn below_spec(path: &str) -> String {
    if path.is_empty() { "spec".to_owned() } else { format!("spec.{path}") }
}

fn error(path: &str, message: String, expected: Option<String>) -> Found {
    Found { severity: Severity::Error, line: 0, path: path.to_owned(), message, expected, nearest: None }
}

fn of_timing(problem: &TimingError) -> Found {
    let message = problem.to_string();
    match problem {
        TimingError::Line { .. } | TimingError::Never(_) => {
            let expected = "five fields: minute, hour, day of month, month, day of week, as in `30 2 * * *`";
            error("cron", message, Some(expected.to_owned()))
        }
        TimingError::Zone { nearest, .. } => {
            let expected = "the IANA name of a time zone, as in `Europe/Berlin`";
            Found { nearest: nearest.clone(), ..error("time_zone", message, Some(expected.to_owned())) }
        }
    }
}

fn overlap(text: Option<&str>) -> Result<Overlap, Found> {
    let Some(text) = text else { return Ok(Overlap::default()) };
    let found = Overlap::ALL.into_iter().find(|overlap| overlap.as_str() == text);
    found.ok_or_else(|| Found {
        nearest: nearest(text, Overlap::ALL.map(Overlap::as_str)),
        ..error("overlap", format!("there is no overlap `{text}`"), Some("`skip` or `queue`".to_owned()))
    })
}

/// The webhooks by their names. Those of other tenants do not exist.
fn notify(shared: &Inner, caller: &Caller, names: Vec<String>, found: &mut Vec<Found>) -> Vec<Name> {
    let allowed = || {
        let all = shared.api.webhooks.iter();
        all.filter(|(_, tenants)| tenants.contains(&caller.tenant)).map(|(name, _)| name)
    };
    let mut notify = Vec::new();
    for (index, text) in names.into_iter().enumerate() {
        match allowed().find(|name| name.as_str() == text) {
            Some(name) if notify.contains(name) => {}
            Some(name) => notify.push(name.clone()),
            None => {
                let list = allowed().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let none = "nothing: no webhook is configured for this tenant".to_owned();
                let expected = if list.is_empty() { none } else { list };
                found.push(Found {
                    nearest: nearest(&text, allowed().map(Name::as_str)),
                    ..error(&format!("notify[{index}]"), format!("there is no webhook `{text}`"), Some(expected))
                });
            }
        }
    }
    notify
}
