//! What the scenarios of this package share.

pub mod engine;
#[path = "../../crates/cli/src/local.rs"]
pub mod local;
pub mod sandbox;
