//! What users write: a strict, versioned YAML or JSON document, read so that all its problems are reported at once. Pure.

pub mod document;
mod scalar;
pub mod problem;
pub mod place;
pub mod envelope;
pub mod set;

pub use document::{Node, Value};
pub use envelope::{Output, Spec};
pub use place::{Fields, Place};
pub use problem::{Problem, Report, Severity};
