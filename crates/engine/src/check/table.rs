//! All checks of one table that one look at its rows allows. Pure.

use std::ops::Range;

use arrow::array::RecordBatch;

use super::ascent::Ascent;
use super::behavioral::TargetCheck;
use super::recomputed::Recomputed;
use super::report::CheckResult;
use super::rules::EnumValues;
use super::structural::Structure;
use super::value::{Seen, ValueCheck};
use crate::error::Result;
use crate::tables::Tables;

/// The checks of one table.
#[derive(Debug)]
pub struct TableChecks<'t> {
    tables: &'t Tables,
    table: usize,
    structure: Structure,
    /// Nothing where models answered: that cannot be made again.
    recomputed: Option<Recomputed<'t>>,
    values: Vec<ValueCheck>,
    targets: Vec<TargetCheck>,
    /// The columns that keys are made of.
    ascents: Vec<(usize, Ascent)>,
}

impl<'t> TableChecks<'t> {
    /// Before the first row.
    pub fn new(tables: &'t Tables, table: usize) -> Self {
        let rules = &tables.rules;
        let targets = rules.foreign_keys.iter().map(|(_, to)| *to);
        let referred = rules.enums.iter().filter_map(|(_, values)| match values {
            EnumValues::Of(field) => Some(*field),
            EnumValues::Listed(_) => None,
        });
        let keys = rules.unique.iter().copied().chain(targets).chain(referred);
        let mut keys: Vec<usize> = keys.filter(|field| field.table == table).map(|field| field.column).collect();
        keys.sort_unstable();
        keys.dedup();
        Self {
            tables,
            table,
            structure: Structure::new(tables.table(table)),
            recomputed: (!tables.table(table).is_filled()).then(|| Recomputed::new(tables, table)),
            values: ValueCheck::all(tables, table),
            targets: TargetCheck::all(tables, table),
            ascents: keys.into_iter().map(|column| (column, Ascent::Nothing)).collect(),
        }
    }

    /// Adds a batch whose first row is `first_row`, of a file that was planned to hold `file_rows`. Batches of a file
    /// come in order.
    ///
    /// # Errors
    /// When the engine cannot make the rows to compare with, or a column is torn.
    pub fn see(&mut self, batch: &RecordBatch, first_row: u64, file_rows: &Range<u64>) -> Result<()> {
        let columns = self.structure.see(self.tables.table(self.table), batch, first_row)?;
        let rows = first_row..first_row + batch.num_rows() as u64;
        if let Some(recomputed) = &mut self.recomputed {
            recomputed.see(&columns, rows, file_rows)?;
        }
        let seen = Seen { columns: &columns, first_row };
        self.values.iter_mut().try_for_each(|check| check.see(seen))?;
        self.targets.iter_mut().try_for_each(|check| check.see(seen))?;
        for (column, ascent) in &mut self.ascents {
            *ascent = columns[*column].as_ref().map_or(Ascent::Broken, |array| ascent.see(array));
        }
        Ok(())
    }

    /// Adds what was seen in the rows that follow.
    pub fn merge(&mut self, later: Self) {
        self.structure.merge(later.structure);
        if let (Some(own), Some(later)) = (&mut self.recomputed, later.recomputed) {
            own.merge(later);
        }
        self.values.iter_mut().zip(later.values).for_each(|(own, later)| own.merge(later));
        self.targets.iter_mut().zip(later.targets).for_each(|(own, later)| own.merge(later));
        for ((_, own), (_, later)) in self.ascents.iter_mut().zip(later.ascents) {
            *own = own.then(later);
        }
    }

    /// What is known of the order of a key column.
    pub fn ascent(&self, column: usize) -> Ascent {
        let found = self.ascents.iter().find(|(known, _)| *known == column);
        found.map_or(Ascent::Broken, |(_, ascent)| *ascent)
    }

    /// Whether a column can be judged.
    pub fn has(&self, column: usize) -> bool {
        self.structure.has(column)
    }

    /// The rows seen.
    pub const fn rows(&self) -> u64 {
        self.structure.rows()
    }

    /// The results; those of a missing column fail.
    ///
    /// # Errors
    /// When the table's counting stage is missing.
    pub fn finish(&self) -> Result<Vec<CheckResult>> {
        let mut results = self.structure.finish(self.tables, self.table)?;
        results.extend(self.recomputed.as_ref().map(Recomputed::finish));
        for check in &self.values {
            let result = check.finish(self.tables, self.table);
            results.push(self.judged(&check.columns(), result));
        }
        for check in &self.targets {
            results.push(self.judged(&[check.column()], check.finish(self.tables)));
        }
        Ok(results)
    }

    fn judged(&self, columns: &[usize], result: CheckResult) -> CheckResult {
        match columns.iter().find(|column| !self.has(**column)) {
            None => result,
            Some(column) => {
                let name = &self.tables.table(self.table).columns[*column].name;
                CheckResult { passed: false, message: format!("column {name} cannot be judged"), ..result }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::samples::{batch, tables};
    use super::*;
    use crate::fanout::Scratch;
    use crate::measure::ints;

    const BODY: &str = "
tables:
  t:
    rows: 3000
    columns:
      id: {sequence: 1}
      x: {distribution: {type: uniform, params: {min: 0, max: 9}}}
constraints: {ranges: [{attr: t.x, min: 0, max: 9}]}
targets: {mean_in_range: {table: t, column: x, min: 4, max: 5}}
";

    #[test]
    fn rows_of_the_engine_pass_in_any_split() {
        let tables = tables(BODY);
        let rows = tables.batch(0, 0..3000, &Rc::new(Scratch::default())).unwrap();
        let mut all = TableChecks::new(&tables, 0);
        for file in [0..1200u64, 1200..3000] {
            let mut own = TableChecks::new(&tables, 0);
            for first in file.clone().step_by(500) {
                let part = rows.slice(first as usize, (file.end - first).min(500) as usize);
                own.see(&part, first, &file).unwrap();
            }
            all.merge(own);
        }
        for result in all.finish().unwrap() {
            assert!(result.passed, "{}: {}", result.name, result.message);
        }
        assert!(all.ascent(0).progression().is_some_and(|progression| progression.contains(3000)));
        assert_eq!((all.rows(), all.ascent(1)), (3000, Ascent::Broken));
    }

    #[test]
    fn a_missing_column_fails_all_that_look_at_it() {
        let tables = tables(BODY);
        let mut checks = TableChecks::new(&tables, 0);
        checks.see(&batch(vec![("id", ints((1..3001).collect()))]), 0, &(0..3000)).unwrap();
        let results = checks.finish().unwrap();
        let failed: Vec<&str> = results.iter().filter(|r| !r.passed).map(|r| r.name.as_str()).collect();
        assert_eq!(failed, ["column:t.x", "range:t.x", "mean_in_range:t.x"]);
    }
}
