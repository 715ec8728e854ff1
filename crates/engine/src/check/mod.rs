//! Whether finished rows are what the spec promised. Pure.

pub mod rules;
