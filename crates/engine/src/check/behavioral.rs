//! Whether figures over a whole table hit their targets. Pure.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};

use super::histogram::Histogram;
use super::path;
use super::report::{CheckResult, Detail, Group};
use super::rules::{Field, Target};
use super::tally::Extremes;
use super::value::Seen;
use crate::civil::{DAY_US, Dimension, show_time};
use crate::error::Result;
use crate::measure::measure;
use crate::tables::Tables;

/// The first day of the weekend, Monday = 0.
const SATURDAY: usize = 5;

/// One target and what was seen for it.
#[derive(Debug)]
pub struct TargetCheck {
    target: Target,
    state: State,
}

#[derive(Debug)]
enum State {
    Weekend { weekend: u64, total: u64 },
    Mean { sum: f64, total: u64 },
    Histogram(Histogram),
}

/// The verdict on a target.
struct Verdict {
    kind: &'static str,
    passed: bool,
    message: String,
    details: Vec<(&'static str, Detail)>,
}

impl TargetCheck {
    /// The checks of a table before the first row, in the order of the targets.
    pub fn all(tables: &Tables, table: usize) -> Vec<Self> {
        let targets = tables.rules.targets.iter().filter(|target| field(target).table == table);
        targets.map(|target| Self { target: target.clone(), state: State::new(target) }).collect()
    }

    /// The column it looks at.
    pub fn column(&self) -> usize {
        field(&self.target).column
    }

    /// Adds a batch. Nulls, and missing columns, are no values.
    ///
    /// # Errors
    /// When the column has no measure.
    pub fn see(&mut self, seen: Seen<'_>) -> Result<()> {
        let Some(array) = &seen.columns[self.column()] else { return Ok(()) };
        match &mut self.state {
            State::Weekend { weekend, total } => times(array, |time| {
                *total += 1;
                *weekend += u64::from(Dimension::Dow.of(time) >= SATURDAY);
            }),
            State::Mean { sum, total } => {
                let values = measure(array)?;
                *sum += values.iter().flatten().sum::<f64>();
                *total += (values.len() - values.null_count()) as u64;
            }
            State::Histogram(histogram) => times(array, |time| histogram.see(time)),
        }
        Ok(())
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        match (&mut self.state, other.state) {
            (State::Weekend { weekend, total }, State::Weekend { weekend: others, total: all }) => {
                *weekend += others;
                *total += all;
            }
            (State::Mean { sum, total }, State::Mean { sum: others, total: all }) => {
                *sum += others;
                *total += all;
            }
            (State::Histogram(histogram), State::Histogram(others)) => histogram.merge(&others),
            _ => unreachable!("both look at one target"),
        }
    }

    /// The result.
    pub fn finish(&self, tables: &Tables) -> CheckResult {
        let field = field(&self.target);
        let verdict = match (&self.target, &self.state) {
            (Target::WeekendShare { min, max, .. }, State::Weekend { weekend, total }) => {
                within("weekend_share", ratio(*weekend as f64, *total), (*min, *max), *total)
            }
            (Target::MeanInRange { min, max, .. }, State::Mean { sum, total }) => {
                within("mean_in_range", ratio(*sum, *total), (*min, *max), *total)
            }
            (Target::CompositeEffect { .. }, State::Histogram(histogram)) => {
                let kind = tables.table(field.table).columns[field.column].kind;
                let length_us = if kind == crate::value::Type::Date { DAY_US } else { 1 };
                composite(&self.target, histogram, length_us)
            }
            _ => unreachable!("the state was made for the target"),
        };
        CheckResult {
            name: format!("{}:{}", verdict.kind, path(tables, field)),
            group: Group::Behavioral,
            table: tables.table(field.table).name.clone(),
            passed: verdict.passed,
            message: verdict.message,
            details: verdict.details,
        }
    }
}

impl State {
    fn new(target: &Target) -> Self {
        match target {
            Target::WeekendShare { .. } => Self::Weekend { weekend: 0, total: 0 },
            Target::MeanInRange { .. } => Self::Mean { sum: 0.0, total: 0 },
            Target::CompositeEffect { patterns, .. } => Self::Histogram(Histogram::new(patterns)),
        }
    }
}

const fn field(target: &Target) -> Field {
    match target {
        Target::WeekendShare { field, .. }
        | Target::MeanInRange { field, .. }
        | Target::CompositeEffect { field, .. } => *field,
    }
}

fn ratio(sum: f64, total: u64) -> Option<f64> {
    (total > 0).then(|| sum / total as f64)
}

/// The moments of a column of times or dates, in microseconds since 1970.
fn times(array: &ArrayRef, see: impl FnMut(i64)) {
    match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().iter().flatten();
            days.map(|day| i64::from(day) * DAY_US).for_each(see);
        }
        _ => array.as_primitive::<TimestampMicrosecondType>().iter().flatten().for_each(see),
    }
}

fn within(kind: &'static str, found: Option<f64>, (min, max): (f64, f64), total: u64) -> Verdict {
    let passed = found.is_some_and(|found| min <= found && found <= max);
    let message = match found {
        Some(found) => format!("{found:.4} of {total} values, where {min} to {max} was the target"),
        None => format!("no values, where {min} to {max} was the target"),
    };
    let mut details = vec![("min", Detail::Number(min)), ("max", Detail::Number(max)), ("total", Detail::Count(total))];
    details.extend(found.map(|found| ("observed", Detail::Number(found))));
    Verdict { kind, passed, message, details }
}

fn composite(target: &Target, histogram: &Histogram, length_us: i64) -> Verdict {
    let Target::CompositeEffect { patterns, mae, mape, .. } = target else {
        unreachable!("a histogram is made for no other target")
    };
    let kind = "composite_effect";
    let mut details = vec![("total", Detail::Count(histogram.total()))];
    if let Some((first, last)) = Extremes::of_times(histogram).ends() {
        let time = |time: f64| Detail::Text(show_time(time as i64));
        details.extend([("window_start", time(first)), ("window_end", time(last))]);
    }
    details.extend([("mae_max", Detail::Number(*mae)), ("mape_max", Detail::Number(*mape))]);
    let Some(found) = histogram.deviation(patterns, length_us) else {
        let message = "there are no times that could be compared with the patterns".to_owned();
        return Verdict { kind, passed: false, message, details };
    };
    details.extend([
        ("mae", Detail::Number(found.mae)),
        ("mape", Detail::Number(found.mape)),
        ("cells", Detail::Count(found.cells)),
    ]);
    let message = format!(
        "{} cells differ from the patterns by {:.5} (at most {mae}) and {:.2} % (at most {mape} %) on average",
        found.cells, found.mae, found.mape
    );
    Verdict { kind, passed: found.mae <= *mae && found.mape <= *mape, message, details }
}

#[cfg(test)]
mod tests {
    use super::super::samples::tables;
    use super::*;
    use crate::measure::{dates, floats, times as time_column};

    const BODY: &str = "
tables:
  t:
    rows: 10
    columns:
      at: {datetime_series: {}}
      day: {type: date, datetime_series: {}}
      x: {distribution: {type: uniform, params: {min: 0, max: 9}}}
targets:
  weekend_share: {table: t, timestamp: at, min: 0.2, max: 0.4}
  mean_in_range: {table: t, column: x, min: 2, max: 3}
  composite_effect:
    table: t
    timestamp: day
    influences: [{kind: seasonality, dimension: dow, weights: [1, 1, 1, 1, 1, 2, 2]}]
";

    /// Thursday, 1 January 1970, and the days after.
    fn check(weekdays: &[i64], x: Vec<f64>, days: Vec<i32>) -> Vec<CheckResult> {
        let tables = tables(BODY);
        let at = time_column(weekdays.iter().map(|day| day * DAY_US).collect());
        let columns = [Some(at), Some(dates(days)), Some(floats(x))];
        let finish = |check: (TargetCheck, TargetCheck)| {
            let (mut check, mut later) = check;
            check.see(Seen { columns: &columns, first_row: 0 }).unwrap();
            later.see(Seen { columns: &columns, first_row: 0 }).unwrap();
            check.merge(later);
            check.finish(&tables)
        };
        TargetCheck::all(&tables, 0).into_iter().zip(TargetCheck::all(&tables, 0)).map(finish).collect()
    }

    fn weeks(on_weekends: usize) -> Vec<i32> {
        let days = (0..70).flat_map(|day| {
            let is_weekend = Dimension::Dow.of(i64::from(day) * DAY_US) >= SATURDAY;
            std::iter::repeat_n(day, if is_weekend { on_weekends } else { 1 })
        });
        days.collect()
    }

    #[test]
    fn targets_that_are_hit_pass() {
        let results = check(&[0, 1, 2, 4], vec![2.0, 3.0], weeks(2));
        let names: Vec<&str> = results.iter().map(|result| result.name.as_str()).collect();
        assert_eq!(names, ["weekend_share:t.at", "mean_in_range:t.x", "composite_effect:t.day"]);
        for result in &results {
            assert!(result.passed && result.group == Group::Behavioral, "{}: {}", result.name, result.message);
        }
        assert!(results[0].details.contains(&("observed", Detail::Number(0.25))));
        assert!(results[1].details.contains(&("observed", Detail::Number(2.5))));
        assert!(results[2].details.contains(&("window_end", Detail::Text("1970-03-11T00:00:00Z".to_owned()))));
    }

    #[test]
    fn targets_that_are_missed_fail() {
        for result in check(&[0, 1, 4, 5], vec![2.0, 5.0], weeks(1)) {
            assert!(!result.passed, "{}: {}", result.name, result.message);
        }
    }

    #[test]
    fn no_values_hit_no_target() {
        for result in check(&[], vec![], vec![]) {
            assert!(!result.passed && result.message.contains("no "), "{}: {}", result.name, result.message);
        }
    }
}
