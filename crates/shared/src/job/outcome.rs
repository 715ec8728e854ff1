//! How an attempt ended, as the worker reports it to the ledger. Pure.

use serde::{Deserialize, Serialize};

use super::Commit;

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
    /// This shard; others may do better.
    Shard,
    /// Every shard would fail alike (the disk is full, nothing may be written): go no further.
    Job,
}

/// Why an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// How far it reaches.
    pub scope: Scope,
    /// What happened, for people.
    pub message: String,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The shard is committed, by this attempt or by a rival with the same commit.
    Committed(Made),
    /// The attempt failed; it counts.
    Failed(Failure),
    /// The attempt was told to stop and left nothing; it does not count.
    Stopped,
}
