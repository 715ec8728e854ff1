//! Specs from models: asked under a budget, checked, mended, and asked again with every finding.

mod purse;
mod asking;
mod questions;
#[cfg(test)]
mod tests;

pub use asking::{Asking, Attempt, Spent, write};
pub use purse::SmallPurse;
pub use questions::{Lack, lacks, questions};
