//! How an attempt ended, as the worker reports it to the ledger. Pure.

use serde::{Deserialize, Serialize};

use super::{Commit, ShardId};

/// What a shard added to its stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Rows written.
    pub rows: u64,
    /// Bytes written.
    pub bytes: u64,
}

impl Made {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self { rows: self.rows.saturating_add(other.rows), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

impl From<&Commit> for Made {
    fn from(commit: &Commit) -> Self {
        Self { rows: commit.account.written, bytes: commit.bytes() }
    }
}

/// How far a failure reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// This attempt; another of the same shard may do better.
    Shard,
    /// This attempt, through no fault of the shard: the store is away. It does not count, and is made again until it works.
    Later,
    /// Every attempt of this shard: its rows cannot be made.
    Final,
    /// Every shard would fail alike (the disk is full, nothing may be written): go no further.
    Job,
}

impl Scope {
    /// Whether a failure that reaches so far is one of the attempts that a shard has.
    pub fn counts(self) -> bool {
        self != Self::Later
    }
}

/// What kind of thing went wrong, for counting and for what to do about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The store failed.
    Store,
    /// Two attempts of one shard made different bytes.
    Conflict,
    /// A record in the store cannot be read.
    Damaged,
    /// What was made is not what was planned.
    Plan,
    /// The rows cannot be made from this spec.
    Refused,
    /// The budget is spent.
    Budget,
    /// No model answers, or none may be asked.
    Model,
    /// What the rows are made from could not be read, or their file not be written.
    Interrupted,
    /// The workers that took it cannot run the spec.
    Uncompiled,
    /// The program has a fault.
    Panicked,
    /// The workers died that ran it.
    Death,
    /// Anything else, and what a later release wrote.
    #[default]
    #[serde(other)]
    Other,
}

impl FailureClass {
    /// The word users know it by.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Conflict => "conflict",
            Self::Damaged => "damaged",
            Self::Plan => "plan",
            Self::Refused => "refused",
            Self::Budget => "budget",
            Self::Model => "model",
            Self::Interrupted => "interrupted",
            Self::Uncompiled => "uncompiled",
            Self::Panicked => "panicked",
            Self::Death => "death",
            Self::Other => "other",
        }
    }
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// How far it reaches.
    pub scope: Scope,
    /// What kind of failure it is.
    #[serde(default)]
    pub class: FailureClass,
    /// The column that could not be made, as `table.column`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What happened, for people.
    pub message: String,
}

impl Failure {
    /// A failure of no known class or column.
    pub fn new(scope: Scope, message: impl Into<String>) -> Self {
        Self { scope, class: FailureClass::default(), column: None, message: message.into() }
    }
}

/// A shard that is tried no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenUp {
    /// The shard.
    pub shard: ShardId,
    /// How many of its attempts failed.
    pub attempts: u32,
    /// How many of its attempts ended without a report.
    pub deaths: u32,
    /// Why the last attempt failed.
    pub failure: Failure,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The shard is committed, by this attempt or by a rival with the same commit.
    Committed(Made),
    /// The attempt failed; it counts, unless the failure says otherwise.
    Failed(Failure),
    /// The attempt was told to stop and left nothing; it does not count.
    Stopped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_other_releases_are_read() {
        for (text, class) in [
            (r#"{"scope":"job","message":"full"}"#, FailureClass::Other),
            (r#"{"scope":"job","class":"weather","message":"full"}"#, FailureClass::Other),
            (r#"{"scope":"job","class":"store","message":"full"}"#, FailureClass::Store),
        ] {
            let read: Failure = serde_json::from_str(text).expect("reads");
            assert_eq!(read, Failure { class, ..Failure::new(Scope::Job, "full") });
        }
    }
}
