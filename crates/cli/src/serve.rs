//! `shardmill serve`: one role of a cluster, or all of them in one process.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Result, bail};
use clap::ValueEnum;
use shardmill_scheduler::Scheduler;
use shardmill_shared::job::Pool;
use shardmill_shared::ledger::WorkerId;
use shardmill_shared::ledger::budget::Frame;
use shardmill_shared::process::Stop;
use shardmill_worker::execute::fill::Models;
use shardmill_worker::{StoredJobs, Worker};
use tokio::task::JoinSet;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::Config;
use crate::kinds::Kinds;
use crate::writing::WRITER;
use crate::{exit, say};

pub(crate) mod doors;
mod logs;
mod traces;
mod survey;
mod page;
mod ops;
mod rest;
pub(crate) mod signals;
mod webhooks;

use doors::Doors;

/// How often running attempts tell how far they are, in milliseconds.
const BEAT_MS: u64 = 1_000;

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// What this process does
    #[arg(long, value_enum, default_value_t = Role::All)]
    role: Role,
    /// Serve this pool only: generate, sql or llm (repeatable)
    #[arg(long, value_name = "POOL", value_parser = pool)]
    pool: Vec<Pool>,
    /// Shards at a time in each pool; the default is the number of processors
    #[arg(long, value_name = "N")]
    slots: Option<usize>,
    /// The configuration; the default is ./shardmill.toml, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// The REST API, the scheduler and workers
    All,
    /// The REST API
    Api,
    /// The scheduler: several may run, one leads
    Scheduler,
    /// Workers
    Worker,
}

impl Role {
    fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Api => "api",
            Self::Scheduler => "scheduler",
            Self::Worker => "worker",
        }
    }

    fn is(self, role: Self) -> bool {
        self == role || self == Self::All
    }
}

fn pool(text: &str) -> Result<Pool, String> {
    let pools = [Pool::Generate, Pool::Sql, Pool::Llm];
    let found = pools.into_iter().find(|pool| pool.as_str() == text);
    found.ok_or_else(|| format!("there is no pool `{text}`; expected generate, sql or llm"))
}

/// Runs the roles until a signal ends them.
pub(crate) fn serve(args: &ServeArgs) -> Result<ExitCode> {
    let mut config = Config::load(args.config.as_deref())?;
    config.worker.slots = args.slots.unwrap_or(config.worker.slots);
    if !args.pool.is_empty() {
        config.worker.pools.clone_from(&args.pool);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let _within = runtime.enter();
    let (traces, spans) = traces::start(args.role, &config.traces)?.unzip();
    let sinks: Vec<_> = [logs::sink(&config.log)?].into_iter().chain(spans).collect();
    tracing_subscriber::registry().with(sinks).init();
    let ended = runtime.block_on(run(args.role, config));
    if let Some(traces) = traces {
        traces.end();
    }
    ended
}

async fn run(role: Role, config: Config) -> Result<ExitCode> {
    let doors = Doors::open(role, &config).await?;
    let orders = signals::Orders::listen()?;
    let id = format!("{}-{}", doors::host(), uuid::Uuid::now_v7().simple());
    let mut serving = JoinSet::new();
    let mut milling = JoinSet::new();
    let (drain, stop) = (Stop::default(), Stop::default());
    let leads = Arc::<AtomicBool>::default();
    if role.is(Role::Scheduler) {
        let scheduler = Scheduler {
            id: WorkerId(id.clone()),
            root: Arc::clone(&doors.store),
            queue: Arc::clone(&doors.queue),
            ledger: Arc::clone(&doors.ledger),
            budgets: Arc::clone(&doors.budgets),
            planner: Arc::new(kinds(&config)),
            clock: Arc::clone(&doors.clock),
            stop: drain.clone(),
            leads: Arc::clone(&leads),
            metrics: doors.metrics.clone(),
            failed_ms: config.retention.failed_hours.saturating_mul(3_600_000),
            webhooks: webhooks::open(&config.webhooks)?,
        };
        serving.spawn(async move { scheduler.run().await });
    }
    if role.is(Role::Worker) {
        for worker in workers(&id, &config, &doors, (&drain, &stop))? {
            let slots = config.slots();
            milling.spawn(async move { worker.run(slots).await });
        }
    }
    let takes = if role.is(Role::Worker) { config.worker.pools.clone() } else { Vec::new() };
    let ops = ops::Ops::of(&doors, (takes, config.slots()), (&drain, &stop), &leads);
    let metrics = ops.start(&config.metrics.listen, &mut serving).await?;
    let mut up = format!("{}, metrics on {metrics}", describe(role, &config));
    if role.is(Role::Api) {
        let api = rest::start(&config, &doors, &drain, &mut serving).await?;
        up = format!("{up}, API on {api}");
    }
    say::result(&format!("shardmill {} is up: {up}", env!("CARGO_PKG_VERSION")));
    // A role that ends by itself has panicked: a process without it would only look alive.
    tokio::select! {
        () = orders.first() => {}
        Some(ended) = serving.join_next() => bail!("a role ended by itself: {ended:?}; start the process again"),
        Some(ended) = milling.join_next() => bail!("a worker ended by itself: {ended:?}; start the process again"),
    }
    tracing::info!("ends: what runs is finished within {} s", config.worker.grace_seconds);
    drain.set();
    let grace = std::time::Duration::from_secs(config.worker.grace_seconds);
    tokio::select! {
        () = async { while milling.join_next().await.is_some() {} } => {}
        () = tokio::time::sleep(grace) => tracing::warn!("the grace period is over: shards under way are given back"),
        () = orders.second() => {}
    }
    stop.set();
    while milling.join_next().await.is_some() {}
    while serving.join_next().await.is_some() {}
    Ok(exit::OK)
}

/// A worker for every pool.
fn workers(id: &str, config: &Config, doors: &Doors, (drain, stop): (&Stop, &Stop)) -> Result<Vec<Worker>> {
    if config.worker.pools.is_empty() {
        bail!("a worker without a pool takes nothing; expected worker.pools = [\"generate\"]");
    }
    let kinds = Kinds { models: models(id, config, doors)?, ..kinds(config) };
    let jobs = Arc::new(StoredJobs::new(Arc::clone(&doors.store), Arc::new(kinds)));
    let together = Arc::default();
    let worker = |pool: &Pool| Worker {
        id: WorkerId(format!("{id}/{}", pool.as_str())),
        writer: WRITER.to_owned(),
        pool: *pool,
        queue: Arc::clone(&doors.queue),
        ledger: Arc::clone(&doors.ledger),
        jobs: Arc::<StoredJobs>::clone(&jobs),
        clock: Arc::clone(&doors.clock),
        drain: drain.clone(),
        stop: stop.clone(),
        together: Arc::clone(&together),
        beat_ms: BEAT_MS,
        metrics: doors.metrics.clone(),
    };
    Ok(config.worker.pools.iter().map(worker).collect())
}

/// What this program can make, under the configuration.
fn kinds(config: &Config) -> Kinds {
    Kinds { default_job: config.budgets.default_job_usd, ..Kinds::default() }
}

/// Whom workers ask; nobody where none serves the pool of models.
fn models(id: &str, config: &Config, doors: &Doors) -> Result<Option<Arc<Models>>> {
    if !config.worker.pools.contains(&Pool::Llm) {
        return Ok(None);
    }
    let gateway = config.gateway(Arc::clone(&doors.clock))?;
    let frame = Frame { clock: Arc::clone(&doors.clock), metrics: doors.metrics.clone() };
    let books = (Arc::clone(&doors.budgets), Arc::clone(&doors.limits));
    Ok(Some(Arc::new(Models::new(gateway, books, WorkerId(id.to_owned()), frame))))
}

fn describe(role: Role, config: &Config) -> String {
    let slots = format!("{} slots", config.slots());
    match role {
        Role::All => format!("every role, {slots}"),
        Role::Api => "API".to_owned(),
        Role::Scheduler => "scheduler".to_owned(),
        Role::Worker => format!("worker, {slots}"),
    }
}
