//! A bounded sample of every file compared with what the engine makes for these rows. Pure.

use std::ops::Range;
use std::rc::Rc;

use arrow::array::{ArrayRef, RecordBatch};

use super::cell::{plain, shown, text};
use super::report::{CheckResult, Group};
use super::tally::Tally;
use crate::error::Result;
use crate::fanout::Scratch;
use crate::tables::Tables;

/// Rows that are compared at each end of a file.
pub const SAMPLE_ROWS: u64 = 1_000;

/// What the comparison found.
#[derive(Debug)]
pub struct Recomputed<'t> {
    tables: &'t Tables,
    table: usize,
    rows: Tally,
}

impl<'t> Recomputed<'t> {
    /// Before the first row of a table.
    pub fn new(tables: &'t Tables, table: usize) -> Self {
        Self { tables, table, rows: Tally::default() }
    }

    /// Compares the rows of a batch that lie at an end of their file. `columns` are those of the table as far as they
    /// are there, `rows` their numbers, and `file_rows` the rows planned for the file.
    ///
    /// # Errors
    /// When the engine cannot make these rows.
    pub fn see(&mut self, columns: &[Option<ArrayRef>], rows: Range<u64>, file_rows: &Range<u64>) -> Result<()> {
        let middle = file_rows.start.saturating_add(SAMPLE_ROWS)..file_rows.end.saturating_sub(SAMPLE_ROWS);
        let (head, tail) = if middle.is_empty() {
            (rows.start..rows.end.min(file_rows.end), 0..0)
        } else {
            (rows.start..rows.end.min(middle.start), rows.start.max(middle.end)..rows.end.min(file_rows.end))
        };
        for sample in [head, tail] {
            if sample.start < sample.end {
                let made = self.tables.batch(self.table, sample.clone(), &Rc::new(Scratch::default()))?;
                self.compare(&made, columns, (sample.start - rows.start) as usize, sample.start)?;
            }
        }
        Ok(())
    }

    /// Compares `made`, whose first row is `first_row`, with `found` from position `offset` on.
    fn compare(&mut self, made: &RecordBatch, found: &[Option<ArrayRef>], offset: usize, first_row: u64) -> Result<()> {
        let mut wrong: Vec<Option<String>> = vec![None; made.num_rows()];
        for ((array, found), field) in made.columns().iter().zip(found).zip(made.schema().fields()) {
            let Some(found) = found else { continue };
            let (array, found) = (plain(array)?, found.slice(offset, made.num_rows()));
            if array.as_ref() == found.as_ref() {
                continue;
            }
            for (row, wrong) in wrong.iter_mut().enumerate() {
                // Two zeros of different sign, or two labels of one instant, are one value.
                if wrong.is_none() && text(&array, row) != text(&found, row) {
                    let (found, made) = (shown(&found, row), shown(&array, row));
                    *wrong = Some(format!("{} {found} instead of {made}", field.name()));
                }
            }
        }
        self.rows.checked += wrong.len() as u64;
        for (row, wrong) in (first_row..).zip(wrong) {
            if let Some(wrong) = wrong {
                self.rows.violation(row, || wrong);
            }
        }
        Ok(())
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        self.rows.merge(other.rows);
    }

    /// The result.
    pub fn finish(&self) -> CheckResult {
        let table = &self.tables.table(self.table).name;
        let message = match self.rows.samples.first() {
            None => format!("{} rows are what the engine makes", self.rows.checked),
            Some((row, what)) => format!(
                "{} of {} rows are not what the engine makes; the first is row {row} with {what}",
                self.rows.violations, self.rows.checked
            ),
        };
        CheckResult {
            name: format!("recomputed:{table}"),
            group: Group::Structural,
            table: table.clone(),
            passed: self.rows.violations == 0,
            message,
            details: self.rows.details(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{tables, texts};
    use super::*;
    use crate::measure::ints;

    const BODY: &str = "tables: {t: {rows: 5000, columns: {id: {sequence: 1}, name: {choice: {choices: [a]}}}}}";

    fn found(ids: impl Iterator<Item = i64>) -> CheckResult {
        let tables = tables(BODY);
        let ids: Vec<i64> = ids.collect();
        let mut recomputed = Recomputed::new(&tables, 0);
        for (batch, ids) in ids.chunks(700).enumerate() {
            let first = batch as u64 * 700;
            let columns = [Some(ints(ids.to_vec())), Some(texts(&vec!["a"; ids.len()]))];
            let rows = first..first + ids.len() as u64;
            recomputed.see(&columns, rows, &(0..5000)).unwrap();
        }
        recomputed.finish()
    }

    #[test]
    fn rows_of_the_engine_pass() {
        let result = found(1..5001);
        assert!(result.passed, "{}", result.message);
        assert_eq!(result.message, "2000 rows are what the engine makes");
    }

    #[test]
    fn a_wrong_row_at_an_end_is_found() {
        for wrong in [1, 1000, 4001, 5000] {
            let result = found((1..5001).map(|id| if id == wrong { -1 } else { id }));
            assert!(!result.passed, "{wrong}");
            assert!(result.message.contains(&format!("row {} with id -1 instead of {wrong}", wrong - 1)));
        }
    }

    #[test]
    fn a_dropped_row_moves_the_end() {
        assert!(!found((1..5001).filter(|id| *id != 2500)).passed);
    }

    #[test]
    fn rows_past_the_plan_are_not_asked_of_the_engine() {
        assert!(found(1..5003).passed);
    }
}
