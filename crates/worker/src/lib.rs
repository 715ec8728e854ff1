//! The worker: takes the address of a shard, runs it, writes its file, commits it, reports it. It knows no scheduler; the two
//! meet in queue and ledger.

pub mod take;
pub mod jobs;
pub mod execute;
pub mod formats;
pub mod verify;
mod attempt;
mod replay;
mod pipe;
mod upload;
mod limits;
mod error;

pub use error::{AttemptError, Refusal};
pub use jobs::{Compile, FindError, JobContext, Jobs, OneJob, StoredJobs};
pub use replay::replay;
pub use take::Worker;
