//! `shardmill run`: a build in one process, with no server.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use shardmill_engine::Tables;
use shardmill_scheduler::accept::Existing;
use shardmill_scheduler::plan::tables;
use shardmill_shared::job::{Layout, Name, NanoUsd, Plan, Pool};
use shardmill_shared::ledger::budget::{Budgets, Frame};
use shardmill_shared::ledger::limit::Limits;
use shardmill_shared::ledger::{MemoryLedger, WorkerId};
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, MonotonicClock, Stop};
use shardmill_shared::spec::Spec;
use shardmill_shared::store::{FolderStore, Store};

use shardmill_worker::execute::fill::Models;

use crate::args::SpecArgs;
use crate::config::Config;
use crate::progress::Bars;
use crate::writing::Writing;
use crate::{exit, input, kinds, say};
use shardmill_cli::local::{self, Budget, Finished, LocalJob, Ports, RunError, Target};

/// Where builds without `-o` go.
const DEFAULT_ROOT: &str = "shardmill-data";

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    spec: SpecArgs,
    /// The folder of this version; without it the build becomes a new version under ./shardmill-data
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write this format: parquet, csv, jsonl, json or arrow
    #[arg(long)]
    format: Option<String>,
    /// Rows of each file
    #[arg(long, value_name = "N")]
    shard_rows: Option<u64>,
    /// Shards at a time; the default is the number of processors
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// What the build may spend on models, in dollars, in place of the spec's budget
    #[arg(long, value_name = "USD")]
    budget: Option<NanoUsd>,
    /// Providers of models and their prices; the default is ./shardmill.toml, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Remove another version that is in DIR first
    #[arg(long)]
    overwrite: bool,
    /// Print events as JSON Lines instead of bars
    #[arg(long)]
    json: bool,
}

/// Runs a build to its end.
pub(crate) fn run(args: &RunArgs) -> anyhow::Result<ExitCode> {
    let mut assignments = Vec::new();
    assignments.extend(args.format.iter().map(|format| format!("output.format={format}")));
    assignments.extend(args.shard_rows.map(|rows| format!("output.shard_rows={rows}")));
    let input = input::read_with(&args.spec, &assignments)?;
    input::print_problems(&input);
    let Some((spec, compiled, writing)) = input.compiled else {
        say::error(&format!("{}: refused; nothing was written", input.file));
        return Ok(exit::bad_spec());
    };
    let threads = match args.threads {
        Some(0) => anyhow::bail!("--threads 0 would never end; expected at least 1"),
        Some(threads) => threads,
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let plan = tables::plan(&spec, &compiled, &writing.writer())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
    runtime.block_on(build(args, Build { spec, compiled, writing, plan, threads }))
}

struct Build {
    spec: Spec,
    compiled: Tables,
    writing: Writing,
    plan: Plan,
    threads: usize,
}

async fn build(args: &RunArgs, build: Build) -> anyhow::Result<ExitCode> {
    let (root, target) = match &args.output {
        Some(folder) => (folder.clone(), Target::Folder),
        None => (PathBuf::from(DEFAULT_ROOT), Target::Root),
    };
    let store = FolderStore::at(&root);
    let guard = match store.prepare().await {
        Ok(guard) => guard,
        Err(error) => {
            let folder = root.display();
            say::error(&format!(
                "error: the output folder {folder} cannot be used: {error}; expected a folder that can be made and written"
            ));
            return Ok(exit::bad_spec());
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
    let bars = Bars::new(&build.plan, Arc::clone(&clock), args.json);
    let ledger = Arc::new(MemoryLedger::new(Arc::clone(&clock)));
    let (models, budget) = models(args, &build, &ledger, &clock)?;
    let executor = kinds::executor(build.compiled, &build.writing, models);
    let stop = Stop::default();
    let job = LocalJob {
        spec: Bytes::from(build.spec.canonical()),
        plan: build.plan,
        executor,
        ports: Ports { ledger, ..Ports::local(Arc::new(store) as Arc<dyn Store>, Arc::clone(&clock)) },
        budget,
        target,
        existing: if args.overwrite { Existing::Overwrite } else { Existing::Keep },
        threads: build.threads,
        stop: stop.clone(),
    };
    let on_interrupt = tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            say::error(
                "stopping: shards under way are given up, finished ones are kept (Ctrl-C again to leave at once)",
            );
            stop.set();
            let _ = tokio::signal::ctrl_c().await;
            // What is on disk is whole at every moment, so leaving at once loses only what was under way.
            std::process::abort();
        }
    });
    let ended = local::run(job, &bars).await;
    on_interrupt.abort();
    bars.end();
    drop(guard);
    match ended {
        Ok(finished) => {
            summary(&finished, &root, clock.now_ms(), args.json);
            Ok(exit::OK)
        }
        Err(RunError::Stopped) => {
            say::error("stopped; the same command goes on from here");
            Ok(exit::interrupted())
        }
        Err(RunError::Broke(reason)) => {
            say::error(&format!("{reason}; what is paid for is kept: the same command with --budget USD goes on"));
            Ok(exit::paused_on_budget())
        }
        Err(RunError::Refused(refusal)) => {
            say::error(&format!("error: {}: {refusal}", root.display()));
            Ok(exit::bad_spec())
        }
        Err(error) => Err(error.into()),
    }
}

/// Whom a build asks and what it may spend, if it asks anybody.
fn models(args: &RunArgs, build: &Build, ledger: &Arc<MemoryLedger>, clock: &Arc<dyn Clock>) -> anyhow::Result<Paying> {
    if build.plan.stages.iter().all(|stage| stage.pool != Pool::Llm) {
        return Ok((None, None));
    }
    let config = Config::load(args.config.as_deref())?;
    let cap = args.budget.or(build.spec.budget).unwrap_or(config.budgets.default_job_usd);
    anyhow::ensure!(
        cap > NanoUsd::ZERO,
        "the build would ask models and may spend nothing; give it a budget: --budget USD, or `budget: {{usd: 5}}` in the spec"
    );
    let gateway = config.gateway(Arc::clone(clock))?;
    kinds::check(&gateway, &build.compiled, &Name::new("default")?)?;
    let books = Arc::<MemoryLedger>::clone(ledger) as Arc<dyn Budgets>;
    let frame = Frame { clock: Arc::clone(clock), metrics: Metrics::default() };
    let doors = (Arc::clone(&books), Arc::<MemoryLedger>::clone(ledger) as Arc<dyn Limits>);
    let models = Models::new(gateway, doors, WorkerId("local".to_owned()), frame);
    Ok((Some(Arc::new(models)), Some(Budget { books, cap })))
}

type Paying = (Option<Arc<Models>>, Option<Budget>);

fn summary(finished: &Finished, root: &Path, elapsed_ms: u64, as_json: bool) {
    let folder = match &finished.layout {
        Layout::Folder => root.to_owned(),
        Layout::Root { dataset, version, .. } => root.join("datasets").join(dataset.as_str()).join(version.to_string()),
    };
    let made = finished.manifest.made();
    let seconds = (elapsed_ms as f64 / 1e3).max(0.001);
    if as_json {
        let event = json!({
            "event": "finished", "already_complete": finished.was_complete, "folder": folder, "rows": made.rows,
            "bytes": made.bytes, "seconds": seconds, "manifest": finished.success,
        });
        say::result(&event.to_string());
        return;
    }
    if finished.was_complete {
        say::result(&format!("{}: already complete, {} rows", folder.display(), say::count(made.rows)));
        return;
    }
    for table in &finished.manifest.tables {
        let files = if table.files == 1 { "1 file".to_owned() } else { format!("{} files", table.files) };
        let (rows, bytes) = (say::count(table.account.written), say::bytes(table.bytes));
        say::result(&format!("  {:<24} {rows:>15} rows  {bytes:>11}  {files}", table.table.as_str()));
    }
    let rate = say::count((made.rows as f64 / seconds) as u64);
    say::result(&format!(
        "{} rows, {}, in {seconds:.2} s ({rate} rows/s) → {}",
        say::count(made.rows),
        say::bytes(made.bytes),
        folder.display()
    ));
    if let Some(table) = finished.manifest.tables.iter().max_by_key(|table| table.account.written) {
        say::result(&format!("  duckdb -c \"select * from '{}/{}/*' limit 10\"", folder.display(), table.table));
    }
}
