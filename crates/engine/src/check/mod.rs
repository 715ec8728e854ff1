//! Whether finished rows are what the spec promised. Pure.
//!
//! Each check is an accumulator: it sees batches, is merged with what others saw, and ends as results of a report.

use crate::tables::Tables;
use rules::Field;

pub mod rules;
pub mod report;
pub mod score;
pub mod cell;
pub mod tally;
pub mod structural;
pub mod ascent;
pub mod keys;
pub mod recomputed;
pub mod value;
pub mod behavioral;
pub mod histogram;
pub mod table;

/// A column as people write it: `table.column`.
pub fn path(tables: &Tables, field: Field) -> String {
    let table = tables.table(field.table);
    format!("{}.{}", table.name, table.columns[field.column].name)
}

#[cfg(test)]
mod samples;
