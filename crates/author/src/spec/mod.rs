//! A spec as text: found in an answer, checked and tried, mended where that is certain, written with comments. Pure.

mod extract;
mod check;
mod mend;
mod emit;
mod heading;

pub use check::{Checked, Compile, Rows, check};
pub use emit::emit;
pub use extract::extract;
pub use heading::{Heading, headed};
pub use mend::mended;
