//! The words everyone uses and the doors to the outside. It knows no kind of dataset and no engine.

pub mod spec;
pub mod job;
pub mod queue;
pub mod ledger;
pub mod store;
pub mod process;
