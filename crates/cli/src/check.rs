//! `shardmill check`: every problem at once, and the columns as they will be made.

use std::process::ExitCode;

use serde_json::json;
use shardmill_engine::{Size, Tables};
use shardmill_shared::spec::{Problem, Severity};

use crate::args::SpecArgs;
use crate::{exit, input, say, table};

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// Print findings and columns as JSON
    #[arg(long)]
    json: bool,
}

/// Checks a spec; exit code 2 when it is refused.
pub(crate) fn check(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let input = input::read(&args.spec)?;
    if args.json {
        let columns = input.compiled.as_ref().map(|(_, tables, _)| columns(tables));
        let findings: Vec<_> = input.problems.iter().map(|problem| finding(&input.file, problem)).collect();
        say::result(&serde_json::to_string_pretty(&json!({ "findings": findings, "columns": columns }))?);
    } else {
        input::print_problems(&input);
    }
    let Some((_, tables, _)) = &input.compiled else {
        let errors = input.problems.iter().filter(|problem| problem.severity == Severity::Error).count();
        say::error(&format!("{}: refused, {errors} error{}", input.file, if errors == 1 { "" } else { "s" }));
        return Ok(exit::bad_spec());
    };
    if !args.json {
        let rows = columns(tables).into_iter().map(|column| {
            ["table", "rows", "column", "type", "made_by"]
                .map(|key| column[key].as_str().unwrap_or_default().to_owned())
        });
        say::result(&table::render(&["table", "rows", "column", "type", "made by"], rows));
    }
    Ok(exit::OK)
}

fn finding(file: &str, problem: &Problem) -> serde_json::Value {
    json!({
        "severity": input::severity(problem), "file": file, "line": problem.line, "path": problem.path,
        "message": problem.message, "expected": problem.expected, "nearest": problem.nearest,
    })
}

fn columns(tables: &Tables) -> Vec<serde_json::Value> {
    let mut list = Vec::new();
    for (at, table) in tables.list.iter().enumerate() {
        let rows = match tables.size(at) {
            Size::Exact(rows) => rows.to_string(),
            Size::Between { least, most } => format!("{least} to {most}"),
        };
        for column in &table.columns {
            let null = if column.nullable { ", nullable" } else { "" };
            list.push(json!({
                "table": table.name, "rows": rows, "column": column.name,
                "type": format!("{}{null}", column.kind), "made_by": column.made_by,
            }));
        }
    }
    list
}
