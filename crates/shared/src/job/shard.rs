//! A shard: the unit of work, computed from its stage and index and never stored. Pure.

use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::StageId;

/// The address of a shard within its job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShardId {
    /// The stage.
    pub stage: StageId,
    /// The position in the stage, from 0.
    pub index: u64,
}

/// One shard of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Its address.
    pub id: ShardId,
    /// The rows (of a counting stage: the parents) it covers.
    pub rows: Range<u64>,
    /// How many shards the stage has: it sets the width of the number in file names.
    pub of: u64,
}

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.stage, self.index)
    }
}
