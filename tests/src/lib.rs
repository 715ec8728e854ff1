//! What the scenarios of this package share.

#[path = "../../crates/cli/src/local.rs"]
pub mod local;
pub mod sandbox;
