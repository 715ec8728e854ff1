//! The scheduler: accept → plan → dispatch → reconcile → finish. One loop compares what is planned with what is committed and does
//! the next right thing; recovery is not a second path. It knows no worker; the two meet in queue and ledger.

pub mod accept;
pub mod plan;
pub mod dispatch;
pub mod finish;
pub mod version;
pub mod fire;
pub mod keep;
pub mod herald;
pub mod lead;
mod commits;
mod limits;
mod error;

pub use error::ScheduleError;
pub use lead::{Planner, Scheduler};
