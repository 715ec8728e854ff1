//! The words everyone uses and the doors to the outside. It knows no kind of dataset and no engine.

pub mod spec;
pub mod job;
pub mod schedule;
pub mod queue;
pub mod ledger;
pub mod store;
pub mod pacing;
pub mod process;
pub mod metrics;
