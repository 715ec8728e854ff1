//! What the scenarios of this package share.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub use shardmill_rows as engine;

pub mod cluster;
pub mod fit;
pub mod sandbox;
