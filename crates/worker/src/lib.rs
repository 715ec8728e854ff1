//! The worker: takes the address of a shard, runs it, writes its file, commits it, reports it. It knows no scheduler; the two
//! meet in queue and ledger.

pub mod take;
pub mod jobs;
pub mod execute;
pub mod formats;
pub mod verify;
mod attempt;
mod pipe;
mod upload;
mod limits;
mod error;

pub use error::AttemptError;
pub use jobs::{JobContext, Jobs, OneJob};
pub use take::Worker;
