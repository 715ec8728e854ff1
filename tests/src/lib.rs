//! What the scenarios of this package share.

pub mod engine;
pub mod fit;
#[path = "../../crates/cli/src/local.rs"]
pub mod local;
pub mod sandbox;
