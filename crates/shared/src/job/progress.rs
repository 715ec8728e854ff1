//! How far a job has come. Pure.

use serde::{Deserialize, Serialize};

use super::{Made, StageId};

/// How far one stage has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    /// The stage.
    pub stage: StageId,
    /// Shards that are committed.
    pub shards_done: u64,
    /// Shards there are; nothing until the stage is opened.
    pub shards_total: Option<u64>,
    /// Shards whose last attempt failed.
    pub shards_failed: u64,
    /// Rows and bytes made so far, those of running attempts included.
    pub made: Made,
}

/// How far a job has come, stage by stage in the plan's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The stages.
    pub stages: Vec<StageProgress>,
}

impl Progress {
    /// Rows and bytes of all stages.
    pub fn made(&self) -> Made {
        self.stages.iter().map(|stage| stage.made).fold(Made::default(), Made::plus)
    }
}
