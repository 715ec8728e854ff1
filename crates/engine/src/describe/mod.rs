//! What specs may say, told from the tables that the engine itself reads: a JSON Schema for editors, and the reference
//! sections of the documentation. Pure.

pub mod keys;
mod values;
mod schema;
mod sample;
mod reference;
mod brief;

#[cfg(test)]
mod tests;

pub use brief::brief;
pub use reference::section;
pub use sample::{first_rows, spec_of, table_of};
pub use schema::json_schema;
