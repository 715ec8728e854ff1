//! Whether a table has its rows and columns. Pure.

use arrow::array::{Array, ArrayRef, RecordBatch};

use super::cell::plain;
use super::report::{CheckResult, Detail, Group};
use super::tally::Tally;
use crate::error::Result;
use crate::tables::{Table, Tables};

/// What was seen of a table's rows and columns.
#[derive(Debug)]
pub struct Structure {
    rows: u64,
    columns: Vec<ColumnState>,
}

#[derive(Clone, Debug, Default)]
struct ColumnState {
    /// What is wrong with the column as a whole.
    fault: Option<String>,
    nulls: Tally,
}

impl Structure {
    /// Before the first row.
    pub fn new(table: &Table) -> Self {
        Self { rows: 0, columns: vec![ColumnState::default(); table.columns.len()] }
    }

    /// Adds a batch whose first row is `first_row`; returns the table's columns with their plain values, `None` for
    /// those that are missing or of another type.
    ///
    /// # Errors
    /// When a dictionary is torn.
    pub fn see(&mut self, table: &Table, batch: &RecordBatch, first_row: u64) -> Result<Vec<Option<ArrayRef>>> {
        self.rows += batch.num_rows() as u64;
        let mut found = Vec::with_capacity(table.columns.len());
        for (column, state) in table.columns.iter().zip(&mut self.columns) {
            let Some(array) = batch.column_by_name(&column.name) else {
                state.fault.get_or_insert_with(|| "the column is missing".to_owned());
                found.push(None);
                continue;
            };
            let array = plain(array)?;
            if *array.data_type() != column.arrow() {
                let fault = || format!("the column has type {} where {} was planned", array.data_type(), column.kind);
                state.fault.get_or_insert_with(fault);
                found.push(None);
                continue;
            }
            state.nulls.checked += array.len() as u64;
            if array.null_count() > 0 && !column.nullable {
                let missing = (0..array.len()).filter(|row| array.is_null(*row));
                missing.for_each(|row| state.nulls.violation(first_row + row as u64, || "null".to_owned()));
            }
            found.push(Some(array));
        }
        Ok(found)
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        for (own, other) in self.columns.iter_mut().zip(other.columns) {
            own.nulls.merge(other.nulls);
            own.fault = own.fault.take().or(other.fault);
        }
    }

    /// Whether a column can be judged.
    pub fn has(&self, column: usize) -> bool {
        self.columns[column].fault.is_none()
    }

    /// The rows seen.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// The results; `tables` knows how many rows were planned.
    ///
    /// # Errors
    /// When the table's counting stage is missing.
    pub fn finish(&self, tables: &Tables, table: usize) -> Result<Vec<CheckResult>> {
        let (described, planned) = (tables.table(table), tables.rows(table)?);
        let result = |kind: &str, about: &str, passed, message, details| CheckResult {
            name: format!("{kind}:{about}"),
            group: Group::Structural,
            table: described.name.clone(),
            passed,
            message,
            details,
        };
        let mut results = vec![result(
            "rows",
            &described.name,
            if described.is_filled() { self.rows <= planned } else { self.rows == planned },
            format!("{} rows where {planned} were planned", self.rows),
            vec![("rows", Detail::Count(self.rows)), ("planned", Detail::Count(planned))],
        )];
        for (column, state) in described.columns.iter().zip(&self.columns) {
            let about = format!("{}.{}", described.name, column.name);
            let message = state.fault.clone().unwrap_or_else(|| format!("the column has type {}", column.kind));
            results.push(result("column", &about, state.fault.is_none(), message, Vec::new()));
            if !column.nullable && state.fault.is_none() {
                let message = state.nulls.message("are null");
                results.push(result("not_null", &about, state.nulls.violations == 0, message, state.nulls.details()));
            }
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{DictionaryArray, Int64Array};
    use arrow::datatypes::Int32Type;

    use super::super::samples::{batch, tables, texts};
    use super::*;
    use crate::measure::ints;

    const BODY: &str = "tables: {t: {rows: 3, columns: {id: {sequence: 1}, name: {choice: {choices: [a, b]}}}}}";

    fn failed(parts: &[RecordBatch]) -> Vec<String> {
        let tables = tables(BODY);
        let mut all = Structure::new(tables.table(0));
        let mut first_row = 0;
        for part in parts {
            let mut own = Structure::new(tables.table(0));
            own.see(tables.table(0), part, first_row).unwrap();
            first_row += part.num_rows() as u64;
            all.merge(own);
        }
        let results = all.finish(&tables, 0).unwrap();
        results.into_iter().filter(|result| !result.passed).map(|r| format!("{}: {}", r.name, r.message)).collect()
    }

    #[test]
    fn the_planned_rows_and_columns_pass() {
        let coded: DictionaryArray<Int32Type> = vec!["a"].into_iter().collect();
        let parts = [
            batch(vec![("id", ints(vec![1, 2])), ("name", texts(&["a", "b"]))]),
            batch(vec![("name", Arc::new(coded)), ("id", ints(vec![3]))]),
        ];
        assert_eq!(failed(&parts), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_named() {
        let nulls: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]));
        for (columns, expected) in [
            (vec![("id", ints(vec![1, 2])), ("name", texts(&["a", "b"]))], "rows:t: 2 rows where 3 were planned"),
            (vec![("id", ints(vec![1, 2, 3]))], "column:t.name: the column is missing"),
            (
                vec![("id", texts(&["1", "2", "3"])), ("name", texts(&["a", "b", "a"]))],
                "column:t.id: the column has type Utf8 where int was planned",
            ),
            (
                vec![("id", nulls), ("name", texts(&["a", "b", "a"]))],
                "not_null:t.id: 1 of 3 values are null; the first is null in row 1",
            ),
        ] {
            assert_eq!(failed(&[batch(columns)]), [expected]);
        }
    }
}
