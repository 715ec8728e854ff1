//! What the store remembers of a job besides its work: who asked for it, what was commanded since, and how it ended. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, JobId, Made, Name, NanoUsd};
use crate::schedule::Afterwards;

/// The least and the most of a priority; a job of a higher one gets a larger share of its tenant's workers.
pub const PRIORITY: std::ops::RangeInclusive<u8> = 0..=9;
/// The priority of a job that names none.
pub const PRIORITY_USUAL: u8 = 4;

/// What was asked for. Put once, before anybody acts on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The job.
    pub job: JobId,
    /// Who pays.
    pub tenant: Name,
    /// The dataset that it makes a version of.
    pub dataset: Name,
    /// The canonical spec.
    pub spec: String,
    /// See [`PRIORITY`].
    pub priority: u8,
    /// When it came, in milliseconds since 1970.
    pub submitted_ms: u64,
    /// Who submitted it: the name of an API key, a schedule, or a command.
    pub by: String,
    /// What is done once it is over.
    #[serde(default, skip_serializing_if = "Afterwards::is_nothing")]
    pub afterwards: Afterwards,
    /// The trace that the job is part of, as a W3C `traceparent`. Absent where nobody traces, and from older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// A command to a job that was accepted. Put once under the next number, before it is effective.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "command")]
pub enum Control {
    /// Release no more shards; those that run end.
    Pause,
    /// Go on.
    Resume,
    /// End it, for good.
    Cancel,
    /// Change its share.
    Priority {
        /// See [`PRIORITY`].
        priority: u8,
    },
    /// Try the failed shards of a failed job again.
    Retry,
    /// Change what it may spend on models; a job that waits for that goes on.
    Budget {
        /// The most that all its attempts may spend together.
        cap: NanoUsd,
    },
    /// The scheduler's own: its budget is spent, so it waits for a higher one.
    Park {
        /// The budget that is spent: where it was changed meanwhile, the job goes on.
        cap: NanoUsd,
    },
}

/// What the commands to a job amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Orders {
    /// Whether it is cancelled.
    pub is_cancelled: bool,
    /// Whether somebody paused it.
    pub is_paused: bool,
    /// Whether it waits for a higher budget.
    pub is_parked: bool,
    /// What it may spend, where that was changed since it was submitted.
    pub cap: Option<NanoUsd>,
    /// How often it was paused or parked while it was neither.
    pub pauses: u32,
    /// Its priority.
    pub priority: u8,
    /// How often its failed shards were asked for again.
    pub retries: u32,
}

impl Orders {
    /// The orders of a submission, before any command.
    pub fn of(submission: &Submission) -> Self {
        Self {
            is_cancelled: false,
            is_paused: false,
            is_parked: false,
            cap: None,
            pauses: 0,
            priority: submission.priority,
            retries: 0,
        }
    }

    /// Whether none of its shards are to be begun for now.
    pub fn is_waiting(&self) -> bool {
        self.is_paused || self.is_parked
    }

    /// With one more command.
    #[must_use]
    pub fn then(mut self, control: &Control) -> Self {
        match control {
            Control::Pause => {
                self.pauses += u32::from(!self.is_waiting());
                self.is_paused = true;
            }
            Control::Park { cap } => {
                let is_raised = self.cap.is_some_and(|now| now != *cap);
                self.pauses += u32::from(!self.is_waiting() && !is_raised);
                self.is_parked |= !is_raised;
            }
            // Without more money it is parked again, which tells why.
            Control::Resume => (self.is_paused, self.is_parked) = (false, false),
            Control::Budget { cap } => (self.cap, self.is_parked) = (Some(*cap), false),
            Control::Cancel => self.is_cancelled = true,
            Control::Priority { priority } => self.priority = *priority,
            Control::Retry => self.retries += 1,
        }
        self
    }
}

/// Where a job's version is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// The dataset.
    pub dataset: Name,
    /// The number of the version, from 1.
    pub version: u64,
}

/// How a job is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Accepted, and no scheduler has looked at it.
    Queued,
    /// A scheduler plans it.
    Planning,
    /// Shards run or wait.
    Running,
    /// No shard is released until it is resumed.
    Paused,
    /// All shards are committed; the version is being published.
    Finishing,
    /// The version is published.
    Succeeded,
    /// It ended without a version.
    Failed,
    /// It was cancelled.
    Cancelled,
}

impl JobState {
    /// Every state, in the order in which a job goes through them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Planning,
        Self::Running,
        Self::Paused,
        Self::Finishing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The word users know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Planning => "planning",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finishing => "finishing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more happens, unless a failed job is retried.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What becomes of a job whose shards are all committed. Put once: a cancel that comes later comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its version appears.
    Publish,
    /// It is cancelled.
    Cancel,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ending {
    /// [`JobState::is_over`].
    pub state: JobState,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// When, in milliseconds since 1970.
    pub ended_ms: u64,
    /// What it made.
    pub made: Made,
    /// The digest of the published manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<Digest>,
    /// What models were paid for it, all attempts and retries together; nothing where it asks none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<NanoUsd>,
}

/// A key that a client sent with a submission, so that it can be repeated without a second job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idempotency {
    /// The job that the first request made.
    pub job: JobId,
    /// The digest of the request.
    pub request: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Orders = Orders {
        is_cancelled: false,
        is_paused: false,
        is_parked: false,
        cap: None,
        pauses: 0,
        priority: 4,
        retries: 0,
    };

    #[test]
    fn a_job_waits_for_money_until_it_has_more() {
        let (five, ten) = (NanoUsd::dollars(5), NanoUsd::dollars(10));
        let after = |controls: &[Control]| controls.iter().fold(START, Orders::then);
        let (park, raise) = (Control::Park { cap: five }, Control::Budget { cap: ten });
        let parked = after(&[park.clone(), park.clone()]);
        assert!(parked.is_parked && parked.is_waiting() && !parked.is_paused && parked.pauses == 1);
        let raised = after(&[park.clone(), raise.clone()]);
        assert!(!raised.is_waiting() && raised.cap == Some(ten));
        assert!(
            !after(&[raise.clone(), park.clone()]).is_waiting(),
            "the budget was raised before it was known to be spent"
        );
        assert!(after(&[raise.clone(), Control::Park { cap: ten }]).is_parked);
        let both = after(&[park.clone(), Control::Pause, raise]);
        assert!(both.is_paused && !both.is_parked && both.pauses == 1, "who paused it resumes it");
        assert!(!after(&[park, Control::Pause, Control::Resume]).is_waiting());
    }

    #[test]
    fn commands_add_up() {
        let start = START;
        let after = |controls: &[Control]| controls.iter().fold(start, Orders::then);
        assert!(after(&[Control::Pause]).is_paused);
        assert_eq!(after(&[Control::Pause, Control::Pause, Control::Resume, Control::Pause]).pauses, 2);
        assert!(!after(&[Control::Pause, Control::Resume]).is_paused);
        assert!(after(&[Control::Cancel, Control::Resume]).is_cancelled, "a cancelled job stays cancelled");
        assert_eq!(after(&[Control::Priority { priority: 9 }, Control::Retry, Control::Retry]).retries, 2);
        assert_eq!(after(&[Control::Priority { priority: 9 }]).priority, 9);
    }

    #[test]
    fn commands_read_what_they_write() {
        let budget = Control::Budget { cap: NanoUsd(5) };
        for control in [Control::Pause, Control::Priority { priority: 7 }, Control::Retry, budget] {
            let text = serde_json::to_string(&control).expect("writes");
            assert_eq!(serde_json::from_str::<Control>(&text).expect("reads"), control, "{text}");
        }
    }
}
