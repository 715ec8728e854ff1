//! What the store remembers of a schedule: each of its revisions, and every fire that was decided. Pure.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use uuid::Builder;

use super::Timing;
use crate::job::{JobId, Name, Submission};

/// One revision of a schedule. Put once under the next number, so of two changes at once none is lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// When it fires.
    pub timing: Timing,
    /// The dataset that it makes versions of.
    pub dataset: Name,
    /// The canonical spec.
    pub spec: String,
    /// Of its jobs.
    pub priority: u8,
    /// What becomes of a fire while the job before it is open.
    pub overlap: Overlap,
    /// How many versions of the dataset stay; all of them when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<NonZeroU32>,
    /// The webhooks that are told what becomes of its jobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Name>,
    /// Whether it fires.
    pub state: ScheduleState,
    /// From when on it fires, in milliseconds since 1970: what lies before was never missed.
    pub since_ms: u64,
    /// When this revision was made, in milliseconds since 1970.
    pub changed_ms: u64,
    /// Who made it: the name of an API key.
    pub by: String,
}

/// What becomes of a fire while the job of an earlier one is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It makes no job, which is recorded.
    #[default]
    Skip,
    /// It waits until that job is over. When several wait, the newest makes a job.
    Queue,
}

impl Overlap {
    /// Every way, by its word.
    pub const ALL: [Self; 2] = [Self::Skip, Self::Queue];

    /// The word users know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skip => "skip",
            Self::Queue => "queue",
        }
    }
}

/// Whether a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleState {
    /// It fires.
    Active,
    /// It does not, until it is resumed.
    Paused,
    /// It is gone. Its revisions stay, as its jobs refer to them.
    Deleted,
}

impl fmt::Display for ScheduleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Deleted => "deleted",
        })
    }
}

/// What is done once a job is over, and whom it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Afterwards {
    /// The schedule that made the job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Name>,
    /// How many versions of the dataset stay when it has succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<NonZeroU32>,
    /// The webhooks that are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<Name>,
}

impl Afterwards {
    /// Whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// A fire that was decided. Put once under the next number: every time to fire belongs to exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fire {
    /// The time to fire, in milliseconds since 1970.
    pub at_ms: u64,
    /// How many times before it, and after the fire before it, were passed over.
    pub missed: u64,
    /// The revision of the schedule that it fires.
    pub revision: u64,
    /// When it was decided, in milliseconds since 1970.
    pub decided_ms: u64,
    /// What came of it.
    pub outcome: FireOutcome,
}

/// What came of a fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FireOutcome {
    /// This job.
    Job(JobId),
    /// Nothing, as this job of an earlier fire was open.
    Skipped(JobId),
}

impl Fire {
    /// The newest job of the schedule at that time.
    pub fn newest_job(&self) -> &JobId {
        match &self.outcome {
            FireOutcome::Job(job) | FireOutcome::Skipped(job) => job,
        }
    }
}

impl Schedule {
    /// The job of one of its fires, however often it is asked for.
    pub fn submission(&self, tenant: &Name, name: &Name, (job, submitted_ms): (&JobId, u64)) -> Submission {
        Submission {
            job: job.clone(),
            tenant: tenant.clone(),
            dataset: self.dataset.clone(),
            spec: self.spec.clone(),
            priority: self.priority,
            submitted_ms,
            by: format!("schedule {name}"),
            afterwards: Afterwards { schedule: Some(name.clone()), keep: self.keep, notify: self.notify.clone() },
            trace: None,
        }
    }
}

/// The id of the job of a fire: made of the fire alone, so it is the same whoever fires, and it sorts by time.
pub fn fire_job(tenant: &Name, schedule: &Name, at_ms: u64) -> JobId {
    let hash = blake3::hash(format!("fire\n{tenant}\n{schedule}\n{at_ms}").as_bytes());
    let random = hash.as_bytes().first_chunk().expect("a hash has more than ten bytes");
    let id = Builder::from_unix_timestamp_millis(at_ms, random).into_uuid();
    JobId::new(&id.to_string()).expect("hexadecimal digits and hyphens are allowed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::new(text).expect("allowed")
    }

    #[test]
    fn a_fires_job_is_its_own_and_always_the_same() {
        let job = |tenant, schedule, at_ms| fire_job(&name(tenant), &name(schedule), at_ms);
        let first = job("acme", "nightly", 1_793_000_000_000);
        assert_eq!(first, job("acme", "nightly", 1_793_000_000_000));
        for other in [
            job("acme", "nightly", 1_793_000_060_000),
            job("acme", "weekly", 1_793_000_000_000),
            job("other", "nightly", 1_793_000_000_000),
        ] {
            assert_ne!(first, other);
        }
        assert!(first.to_string() < job("acme", "nightly", 1_793_000_060_000).to_string(), "ids sort by time");
        assert!(first.to_string().starts_with("01a17720-"), "{first}");
    }

    #[test]
    fn afterwards_without_anything_is_not_written() {
        assert_eq!(serde_json::to_string(&Afterwards::default()).expect("writes"), "{}");
        assert!(Afterwards::default().is_nothing());
    }
}
