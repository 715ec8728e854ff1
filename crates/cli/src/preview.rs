//! `shardmill preview`: the first rows of the build, in the terminal.

use std::process::ExitCode;
use std::rc::Rc;

use anyhow::Context;
use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::json;
use shardmill_engine::{Scratch, Tables};

use crate::args::SpecArgs;
use crate::{exit, input, say, table};

/// The widest cell that is shown whole, in characters.
const CELL_WIDTH_MAX: usize = 40;

#[derive(Debug, clap::Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// Rows of each table
    #[arg(short = 'n', long, default_value_t = 10, value_name = "ROWS")]
    rows: u64,
    /// Only this table
    #[arg(long)]
    table: Option<String>,
    /// Print rows as JSON Lines, each with its table
    #[arg(long)]
    json: bool,
}

/// Shows the first rows.
pub(crate) fn preview(args: &PreviewArgs) -> anyhow::Result<ExitCode> {
    let input = input::read(&args.spec)?;
    input::print_problems(&input);
    let Some((_, tables, _)) = &input.compiled else { return Ok(exit::bad_spec()) };
    if let Some(name) = &args.table
        && tables.find(name).is_none()
    {
        let names: Vec<&str> = tables.list.iter().map(|table| table.name.as_str()).collect();
        let near = shardmill_shared::spec::problem::nearest(name, names.iter().copied());
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        say::error(&format!("error: there is no table `{name}`; expected one of {}{hint}", names.join(", ")));
        return Ok(exit::bad_spec());
    }
    tables.count_all()?;
    let scratch = Rc::new(Scratch::default());
    for (at, described) in tables.list.iter().enumerate() {
        if args.table.as_ref().is_some_and(|name| *name != described.name) {
            continue;
        }
        let count = tables.rows(at)?;
        let batch = tables.batch(at, 0..args.rows.min(count), &scratch)?;
        if args.json { print_json(tables, at, &batch)? } else { print_table(&described.name, count, &batch)? }
    }
    Ok(exit::OK)
}

fn cells(batch: &RecordBatch) -> anyhow::Result<Vec<Vec<Option<String>>>> {
    let options = FormatOptions::new();
    let mut rows = vec![Vec::new(); batch.num_rows()];
    for array in batch.columns() {
        let formatter = ArrayFormatter::try_new(array.as_ref(), &options).context("a column cannot be shown")?;
        for (row, cells) in rows.iter_mut().enumerate() {
            cells.push((!array.is_null(row)).then(|| formatter.value(row).to_string()));
        }
    }
    Ok(rows)
}

fn print_table(name: &str, count: u64, batch: &RecordBatch) -> anyhow::Result<()> {
    let schema = batch.schema();
    let heading: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let rows = cells(batch)?.into_iter().map(|row| row.into_iter().map(shorten).collect::<Vec<_>>());
    say::result(&format!("{name}: {} of {count} rows", batch.num_rows()));
    say::result(&table::render(&heading, rows));
    Ok(())
}

/// Nulls are shown as `∅`; text of many lines or characters is cut.
fn shorten(cell: Option<String>) -> String {
    let Some(cell) = cell else { return "∅".to_owned() };
    let cell = cell.replace(['\n', '\r', '\t'], " ");
    if cell.chars().count() <= CELL_WIDTH_MAX {
        return cell;
    }
    cell.chars().take(CELL_WIDTH_MAX - 1).chain(['…']).collect()
}

fn print_json(tables: &Tables, at: usize, batch: &RecordBatch) -> anyhow::Result<()> {
    let described = tables.table(at);
    for row in cells(batch)? {
        let values: serde_json::Map<String, serde_json::Value> = described
            .columns
            .iter()
            .zip(row)
            .map(|(column, cell)| {
                (column.name.clone(), cell.map_or(serde_json::Value::Null, |cell| json_cell(column.kind, cell)))
            })
            .collect();
        say::result(&json!({ "table": described.name, "row": values }).to_string());
    }
    Ok(())
}

/// Numbers and booleans as JSON has them; decimals, times and text as text.
fn json_cell(kind: shardmill_engine::Type, cell: String) -> serde_json::Value {
    use shardmill_engine::Type;
    match kind {
        Type::Int | Type::Float | Type::Bool => serde_json::from_str(&cell).unwrap_or(json!(cell)),
        _ => json!(cell),
    }
}
