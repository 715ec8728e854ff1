//! What a job is made of: ids, the plan, shards, commits, the manifest, and the paths of all of them. Pure.

mod name;
mod money;
mod digest;
mod path;
mod rows;
mod plan;
mod shard;
mod commit;
mod outcome;
mod progress;
mod manifest;
mod record;
mod journal;
mod key;

pub use commit::{Account, Commit, CommitError, FileEntry};
pub use digest::{Digest, DigestError, encode};
pub use journal::{JournalEntry, Price, Segment};
pub use key::{Key, Layout};
pub use manifest::{BLOCK_COMMITS, Block, BlockEntry, Manifest, Success, TableEntry};
pub use money::{MoneyError, NanoUsd, PicoUsd};
pub use name::{JobId, Name, NameError, StageId};
pub use outcome::{Failure, FailureClass, GivenUp, Made, Outcome, Scope};
pub use path::{ObjectPath, PathError};
pub use plan::{Plan, PlanError, Pool, SHARDS_MAX, Stage, Work};
pub use progress::{Progress, StageProgress};
pub use record::{
    Control, Ending, Idempotency, JobState, Orders, PRIORITY, PRIORITY_USUAL, Placed, Submission, Verdict,
};
pub use rows::Rows;
pub use shard::{Shard, ShardId};
