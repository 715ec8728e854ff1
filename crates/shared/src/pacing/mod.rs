//! Who may do how much, and when: arithmetic without a clock. Pure.

mod fair;
mod gcra;

pub use fair::{Claim, Fair};
pub use gcra::{Gcra, Rate};
