//! What the scenarios of this package share.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

pub mod engine;
pub mod fit;
pub mod sandbox;
