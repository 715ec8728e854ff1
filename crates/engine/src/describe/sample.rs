//! Small specs around the examples of generators and modifiers, and the rows that they make. Pure.

use std::rc::Rc;

use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec, document};

use crate::compile::compile;
use crate::fanout::Scratch;
use crate::tables::Tables;

/// Rows that are shown of an example.
const ROWS: u64 = 3;

/// What an example needs around it.
struct Around {
    /// Other columns of its table, each as a line of YAML.
    columns: &'static str,
    /// Other tables, as YAML below `tables`.
    tables: &'static str,
    /// How its table gets its rows.
    rows: &'static str,
}

const USERS: &str = "  users: {rows: 500, columns: {id: {sequence: {start: 1000}}}}\n";
const ITEMS: &str = "  items:
    parent: examples
    fanout: {distribution: poisson, lambda: 3}
    columns: {amount: {type: 'decimal(8,2)', distribution: {type: uniform, low: 1, high: 50}}}\n";
const PROMOTIONS: &str = "  promotions:
    kind: vocab
    columns:
      first_day: {type: date, enum_list: ['2024-03-01', '2024-11-25']}
      last_day: {type: date, enum_list: ['2024-03-31', '2024-11-29']}
      factor: {enum_list: [1.2, 1.5]}\n";

fn around(name: &str) -> Around {
    let plain = Around { columns: "", tables: "", rows: "rows: 3" };
    let months = "      at: {type: date, datetime_series: {freq: M, order: ascending}}\n";
    let days = "      at: {type: date, datetime_series: {within: {start: 2024-11-28, end: 2024-11-30}, freq: D, order: ascending}}\n";
    match name {
        "lookup" => Around { tables: USERS, ..plain },
        "rollup" => Around { tables: ITEMS, ..plain },
        "enum_list" => Around { rows: "kind: vocab", ..plain },
        "effect" => Around { tables: PROMOTIONS, columns: days, ..plain },
        "trend" => Around { columns: months, ..plain },
        "anomaly" => Around { columns: days, ..plain },
        _ => plain,
    }
}

/// A whole spec around the example of a generator or modifier: the column `value` of the table `examples`.
pub fn spec_of(name: &str, example: &str) -> String {
    let Around { columns, tables, rows } = around(name);
    format!(
        "shardmill: 1\nname: example\ntimeframe: {{start: 2024-01-01, end: 2024-12-31}}\ntables:\n{tables}  examples:\n    {rows}\n    columns:\n{columns}      value: {example}\n"
    )
}

/// Compiles a spec.
///
/// # Errors
/// Its problems, one a line, each with its line.
pub(super) fn compiled(text: &str, known: &Known<'_>) -> Result<Tables, String> {
    let report = Report::strict();
    let tables = document::parse(text, &report)
        .and_then(|document| Spec::read(&document, known, &report))
        .and_then(|spec| compile(&spec, &report));
    let has_errors = report.has_errors();
    let problems: Vec<String> = report.into_problems().iter().map(|found| format!("{}: {found}", found.line)).collect();
    tables.filter(|_| !has_errors).ok_or_else(|| problems.join("\n"))
}

/// The first rows of the tables of a spec whose names are given; of all tables when none is.
///
/// # Errors
/// Its problems, or what went wrong in making the rows.
pub fn first_rows(spec: &str, names: &[&str], known: &Known<'_>) -> Result<String, String> {
    let tables = compiled(spec, known)?;
    tables.count_all().map_err(|error| error.to_string())?;
    if let Some(missing) = names.iter().find(|name| tables.find(name).is_none()) {
        return Err(format!("there is no table `{missing}`"));
    }
    let mut parts = Vec::new();
    for (at, table) in tables.list.iter().enumerate() {
        if names.is_empty() || names.contains(&table.name.as_str()) {
            let shown = shown(&tables, at)?;
            parts.push(if names.len() == 1 { shown } else { format!("{}\n{shown}", table.name) });
        }
    }
    Ok(parts.join("\n"))
}

fn shown(tables: &Tables, at: usize) -> Result<String, String> {
    let count = tables.rows(at).map_err(|error| error.to_string())?;
    let batch =
        tables.batch(at, 0..ROWS.min(count), &Rc::new(Scratch::default())).map_err(|error| error.to_string())?;
    table_of(&batch).map_err(|error| error.to_string())
}

/// A batch as lines of text: names, then rows, in columns. Nulls are `∅`.
///
/// # Errors
/// When a type cannot be shown.
pub fn table_of(batch: &RecordBatch) -> Result<String, arrow::error::ArrowError> {
    let options = FormatOptions::new().with_null("∅");
    let mut lines = vec![String::new(); batch.num_rows() + 1];
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let formatter = ArrayFormatter::try_new(array.as_ref(), &options)?;
        let mut cells = vec![field.name().clone()];
        cells.extend((0..array.len()).map(|row| formatter.value(row).to_string().replace('\n', " ")));
        let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
        for (line, cell) in lines.iter_mut().zip(&cells) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count()));
        }
    }
    Ok(lines.iter().map(|line| format!("{}\n", line.trim_end())).collect())
}
