//! `shardmill plan`: what a build would do, without doing it.

use std::process::ExitCode;

use shardmill_scheduler::plan::tables;
use shardmill_shared::job::{Plan, Rows, Work};

use crate::args::SpecArgs;
use crate::{exit, input, say, table};

#[derive(Debug, clap::Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// Print the plan as JSON
    #[arg(long)]
    json: bool,
}

/// Prints the plan.
pub(crate) fn plan(args: &PlanArgs) -> anyhow::Result<ExitCode> {
    let input = input::read(&args.spec)?;
    input::print_problems(&input);
    let Some((spec, compiled, writing)) = &input.compiled else { return Ok(exit::bad_spec()) };
    let plan = tables::plan(spec, compiled, &writing.writer())?;
    if args.json {
        say::result(&serde_json::to_string_pretty(&plan)?);
        return Ok(exit::OK);
    }
    let (format, compression) = (writing.format.name(), writing.options.compression);
    let how = format!("seed {}, engine {}, written by {} as {format}", plan.seed, plan.engine, plan.writer);
    say::result(&format!("{}: {how}, compression {compression}", plan.name));
    say::result(&table::render(&["stage", "needs", "rows", "shards", "bytes, about"], lines(&plan)));
    Ok(exit::OK)
}

fn lines(plan: &Plan) -> Vec<Vec<String>> {
    let needs =
        |ids: &[shardmill_shared::job::StageId]| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    plan.stages
        .iter()
        .map(|stage| {
            let (rows, bytes) = match &stage.work {
                Work::Count { .. } => (String::new(), String::new()),
                _ => (between(stage.rows), say::bytes(stage.bytes())),
            };
            vec![stage.id.to_string(), needs(&stage.needs), rows, between(stage.shards()), bytes]
        })
        .collect()
}

fn between(rows: Rows) -> String {
    match rows {
        Rows::Exact(rows) => say::count(rows),
        Rows::Between { least, most } => format!("{} to {}", say::count(least), say::count(most)),
    }
}
