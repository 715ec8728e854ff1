//! Whether the values of single rows obey the rules: ranges, inequalities, patterns and listed values. Pure.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::kernels::cmp;
use arrow::datatypes::DataType;
use regex::Regex;

use super::cell::{shown, text};
use super::path;
use super::report::{CheckResult, Detail, Group};
use super::rules::{Comparison, EnumValues, Inequality, RangeRule};
use super::tally::{Extremes, Tally};
use crate::error::Result;
use crate::measure::measure;
use crate::tables::Tables;

/// One rule and what was seen of it.
#[derive(Debug)]
pub struct ValueCheck {
    rule: Rule,
    tally: Tally,
    extremes: Extremes,
}

#[derive(Clone, Debug)]
enum Rule {
    Range(RangeRule),
    Inequality(Inequality),
    Pattern(usize, Regex),
    Listed(usize, Arc<HashSet<String>>),
}

/// The plain columns of a batch, as far as they are there, and the number of its first row.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'b> {
    /// By the position of the column in its table.
    pub columns: &'b [Option<ArrayRef>],
    /// The number of the first row in the table.
    pub first_row: u64,
}

impl ValueCheck {
    /// The checks of a table before the first row, in the order of the rules. Values of another column are no matter
    /// of single rows: see [`super::keys`].
    pub fn all(tables: &Tables, table: usize) -> Vec<Self> {
        let rules = &tables.rules;
        let ranges = rules.ranges.iter().filter(|rule| rule.field.table == table).map(|rule| Rule::Range(*rule));
        let inequalities = rules.inequalities.iter().filter(|rule| rule.left.table == table);
        let patterns = rules.patterns.iter().filter(|(field, _)| field.table == table);
        let enums = rules.enums.iter().filter(|(field, _)| field.table == table);
        let listed = enums.filter_map(|(field, values)| match values {
            EnumValues::Listed(values) => Some(Rule::Listed(field.column, Arc::new(values.iter().cloned().collect()))),
            EnumValues::Of(_) => None,
        });
        ranges
            .chain(inequalities.map(|rule| Rule::Inequality(*rule)))
            .chain(patterns.map(|(field, regex)| Rule::Pattern(field.column, regex.clone())))
            .chain(listed)
            .map(|rule| Self { rule, tally: Tally::default(), extremes: Extremes::NONE })
            .collect()
    }

    /// The columns it looks at.
    pub fn columns(&self) -> Vec<usize> {
        match &self.rule {
            Rule::Range(rule) => vec![rule.field.column],
            Rule::Inequality(rule) => vec![rule.left.column, rule.right.column],
            Rule::Pattern(column, _) | Rule::Listed(column, _) => vec![*column],
        }
    }

    /// Adds a batch. Rows with a null in a column of the rule are not judged; nor is any row of a missing column.
    ///
    /// # Errors
    /// When the columns cannot be compared.
    pub fn see(&mut self, seen: Seen<'_>) -> Result<()> {
        let column = |column: usize| seen.columns[column].as_ref();
        let (tally, extremes) = (&mut self.tally, &mut self.extremes);
        match &self.rule {
            Rule::Range(rule) => match column(rule.field.column) {
                Some(array) => range(rule, array, seen.first_row, (tally, extremes)),
                None => Ok(()),
            },
            Rule::Inequality(rule) => match (column(rule.left.column), column(rule.right.column)) {
                (Some(left), Some(right)) => inequality(rule.op, (left, right), seen.first_row, (tally, extremes)),
                _ => Ok(()),
            },
            Rule::Pattern(at, regex) => {
                column(*at)
                    .into_iter()
                    .for_each(|array| texts(array, seen.first_row, tally, |text| regex.is_match(text)));
                Ok(())
            }
            Rule::Listed(at, values) => {
                column(*at)
                    .into_iter()
                    .for_each(|array| texts(array, seen.first_row, tally, |text| values.contains(text)));
                Ok(())
            }
        }
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        self.tally.merge(other.tally);
        self.extremes.merge(other.extremes);
    }

    /// The result.
    pub fn finish(&self, tables: &Tables, table: usize) -> CheckResult {
        let name = |column: usize| path(tables, super::rules::Field { table, column });
        let sign =
            |rule: &Inequality| format!("{} {} {}", name(rule.left.column), rule.op.sign(), name(rule.right.column));
        let (name, broken, ends) = match &self.rule {
            Rule::Range(rule) => (
                format!("range:{}", name(rule.field.column)),
                "are out of range".to_owned(),
                ["observed_min", "observed_max"],
            ),
            Rule::Inequality(rule) => (
                format!("inequality:{}", sign(rule)),
                format!("break {}", rule.op.sign()),
                ["observed_min_difference", "observed_max_difference"],
            ),
            Rule::Pattern(column, _) => {
                (format!("pattern:{}", name(*column)), "do not match the pattern".to_owned(), [""; 2])
            }
            Rule::Listed(column, _) => {
                (format!("enum:{}", name(*column)), "are not among the allowed values".to_owned(), [""; 2])
            }
        };
        let mut details = self.tally.details();
        if let Some((least, greatest)) = self.extremes.ends() {
            details.extend([(ends[0], Detail::Number(least)), (ends[1], Detail::Number(greatest))]);
        }
        CheckResult {
            name,
            group: Group::Value,
            table: tables.table(table).name.clone(),
            passed: self.tally.violations == 0,
            message: self.tally.message(&broken),
            details,
        }
    }
}

fn range(rule: &RangeRule, array: &ArrayRef, first_row: u64, found: (&mut Tally, &mut Extremes)) -> Result<()> {
    let (tally, extremes) = found;
    let (least, greatest) = (rule.min.unwrap_or(f64::NEG_INFINITY), rule.max.unwrap_or(f64::INFINITY));
    for (row, value) in measure(array)?.iter().enumerate() {
        let Some(value) = value else { continue };
        tally.checked += 1;
        extremes.see(value);
        // Written so that NaN breaks the rule.
        if !(least <= value && value <= greatest) {
            tally.violation(first_row + row as u64, || shown(array, row));
        }
    }
    Ok(())
}

fn inequality(
    op: Comparison,
    (left, right): (&ArrayRef, &ArrayRef),
    first_row: u64,
    (tally, extremes): (&mut Tally, &mut Extremes),
) -> Result<()> {
    let holds = compared(op, left, right)?;
    for (row, holds) in holds.iter().enumerate() {
        let Some(holds) = holds else { continue };
        tally.checked += 1;
        if !holds {
            tally.violation(first_row + row as u64, || format!("{} and {}", shown(left, row), shown(right, row)));
        }
    }
    let has_distance = |array: &ArrayRef| !matches!(array.data_type(), DataType::Utf8 | DataType::Boolean);
    if has_distance(left) && has_distance(right) {
        let (left, right) = (measure(left)?, measure(right)?);
        left.iter().zip(&right).filter_map(|(left, right)| Some(right? - left?)).for_each(|gap| extremes.see(gap));
    }
    Ok(())
}

/// Columns of one exact type are compared exactly, others on the number line, and what has no number as text.
fn compared(op: Comparison, left: &ArrayRef, right: &ArrayRef) -> Result<BooleanArray> {
    let same = left.data_type() == right.data_type();
    if same && *left.data_type() != DataType::Float64 {
        return Ok(match op {
            Comparison::Less => cmp::lt(left, right),
            Comparison::LessOrEqual => cmp::lt_eq(left, right),
            Comparison::Greater => cmp::gt(left, right),
            Comparison::GreaterOrEqual => cmp::gt_eq(left, right),
            Comparison::Equal => cmp::eq(left, right),
        }?);
    }
    let is_text = |array: &ArrayRef| matches!(array.data_type(), DataType::Utf8 | DataType::Boolean);
    if is_text(left) || is_text(right) {
        let equal = |row| (left.is_valid(row) && right.is_valid(row)).then(|| text(left, row) == text(right, row));
        return Ok((0..left.len()).map(equal).collect());
    }
    let (left, right) = (measure(left)?, measure(right)?);
    Ok(left.iter().zip(&right).map(|(left, right)| Some(op.holds(left?, right?))).collect())
}

fn texts(array: &ArrayRef, first_row: u64, tally: &mut Tally, fits: impl Fn(&str) -> bool) {
    for row in (0..array.len()).filter(|row| array.is_valid(*row)) {
        tally.checked += 1;
        let passed = match array.data_type() {
            DataType::Utf8 => fits(array.as_string::<i32>().value(row)),
            _ => fits(&text(array, row)),
        };
        if !passed {
            tally.violation(first_row + row as u64, || shown(array, row));
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array};

    use super::super::samples::{tables, texts as text_column};
    use super::*;
    use crate::measure::{decimals, floats, ints};

    const BODY: &str = r#"
tables:
  t:
    rows: 10
    columns:
      low: {type: int, distribution: {type: uniform, params: {min: 0, max: 9}}}
      high: {type: int, distribution: {type: uniform, params: {min: 0, max: 9}}}
      code: {type: string, choice: {choices: [a1, b2]}}
      price: {type: 'decimal(9,2)', distribution: {type: uniform, params: {min: 0, max: 9}}}
constraints:
  ranges: [{attr: t.low, min: 0, max: 9}, {attr: t.price, max: 9.5}]
  inequalities: [{left: t.low, op: "<", right: t.high}, {left: t.low, op: "<=", right: t.price}]
  pattern: [{attr: t.code, regex: "[a-z][0-9]"}]
  enum: [{attr: t.code, values: [a1, b2]}, {attr: t.price, values: [1, 2.5]}]
"#;

    fn check(columns: [ArrayRef; 4]) -> Vec<CheckResult> {
        let tables = tables(BODY);
        let columns = columns.map(Some);
        let finish = |mut check: ValueCheck| {
            let mut later = ValueCheck { rule: check.rule.clone(), tally: Tally::default(), extremes: Extremes::NONE };
            check.see(Seen { columns: &columns, first_row: 0 }).unwrap();
            later.see(Seen { columns: &columns, first_row: 100 }).unwrap();
            check.merge(later);
            check.finish(&tables, 0)
        };
        ValueCheck::all(&tables, 0).into_iter().map(finish).collect()
    }

    fn prices(values: Vec<i128>) -> ArrayRef {
        decimals(values, 9, 2).unwrap()
    }

    #[test]
    fn right_values_pass() {
        let results = check([ints(vec![0, 1]), ints(vec![1, 9]), text_column(&["a1", "b2"]), prices(vec![100, 250])]);
        assert_eq!(results.len(), 7);
        for result in results {
            assert!(result.passed, "{}: {}", result.name, result.message);
            assert_eq!(result.details[0], ("total", Detail::Count(4)), "{}", result.name);
        }
    }

    #[test]
    fn each_wrong_value_is_named_with_its_row() {
        let results = check([ints(vec![0, 12]), ints(vec![1, 12]), text_column(&["a1", "x"]), prices(vec![100, 951])]);
        let messages: Vec<String> =
            results.iter().map(|result| format!("{}: {}", result.name, result.message)).collect();
        let expected = [
            "range:t.low: 2 of 4 values are out of range; the first is 12 in row 1",
            "range:t.price: 2 of 4 values are out of range; the first is 9.51 in row 1",
            "inequality:t.low < t.high: 2 of 4 values break <; the first is 12 and 12 in row 1",
            "inequality:t.low <= t.price: 2 of 4 values break <=; the first is 12 and 9.51 in row 1",
            "pattern:t.code: 2 of 4 values do not match the pattern; the first is x in row 1",
            "enum:t.code: 2 of 4 values are not among the allowed values; the first is x in row 1",
            "enum:t.price: 2 of 4 values are not among the allowed values; the first is 9.51 in row 1",
        ];
        assert_eq!(messages, expected);
        assert!(results.iter().all(|result| !result.passed && result.group == Group::Value));
        assert!(results[0].details.contains(&("observed_max", Detail::Number(12.0))));
        assert!(
            results[0].details.contains(&("samples", Detail::List(vec!["row 1: 12".into(), "row 101: 12".into()])))
        );
        assert!(results[3].details.contains(&("observed_min_difference", Detail::Number(9.51 - 12.0))));
    }

    #[test]
    fn nulls_and_missing_columns_are_not_judged() {
        let nothing: ArrayRef = Arc::new(Int64Array::from(vec![None, None]));
        let results =
            check([Arc::clone(&nothing), ints(vec![0, 0]), text_column(&["a1", "a1"]), prices(vec![100, 100])]);
        for result in &results[..4] {
            assert!(result.passed, "{}", result.name);
        }
        assert_eq!(results[0].details[0], ("total", Detail::Count(0)));
        let tables = tables(BODY);
        for mut check in ValueCheck::all(&tables, 0) {
            check.see(Seen { columns: &[None, None, None, None], first_row: 0 }).unwrap();
            assert!(check.finish(&tables, 0).passed);
        }
    }

    #[test]
    fn numbers_are_compared_as_exactly_as_their_types() {
        let big = (ints(vec![(1 << 53) + 1]), ints(vec![1 << 53]));
        assert!(compared(Comparison::Greater, &big.0, &big.1).unwrap().value(0));
        let zeros = (floats(vec![0.0]), floats(vec![-0.0]));
        assert!(compared(Comparison::Equal, &zeros.0, &zeros.1).unwrap().value(0));
        let nan: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN]));
        assert!(!compared(Comparison::LessOrEqual, &nan, &zeros.0).unwrap().value(0));
        assert!(compared(Comparison::Equal, &text_column(&["2"]), &ints(vec![2])).unwrap().value(0));
    }
}
