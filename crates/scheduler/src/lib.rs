//! Placeholder while the skeleton builds.
pub mod plan;
