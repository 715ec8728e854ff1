//! What the scenarios of this package share.

pub mod engine;
pub mod fit;
pub mod sandbox;
