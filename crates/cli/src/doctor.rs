//! `shardmill doctor`: tries store, ledger and queue from this machine, and says how to mend what it finds.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use shardmill_shared::job::Pool;
use shardmill_shared::ledger::{Finding, Ledger, Severity};
use shardmill_shared::process::{Clock, MonotonicClock};
use shardmill_shared::queue::Queue;
use shardmill_shared::store::{Conditional, probe};

use crate::config::{Config, MEMORY};
use crate::serve::Role;
use crate::serve::doors;
use crate::{exit, say};

/// How long one server may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How many looks a round trip is the median of.
const LOOKS: usize = 9;

#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// The configuration; the default is ./shardmill.toml, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

/// What was found of one server.
struct Patient {
    name: &'static str,
    findings: Vec<Finding>,
}

impl Patient {
    fn new(name: &'static str) -> Self {
        Self { name, findings: Vec::new() }
    }

    fn add(&mut self, severity: Severity, what: impl Into<String>, remedy: impl Into<String>) {
        self.findings.push(Finding { severity, what: what.into(), remedy: remedy.into() });
    }

    fn note(&mut self, what: String) {
        self.add(Severity::Note, what, "");
    }
}

/// Tries every server.
pub(crate) fn doctor(args: &DoctorArgs) -> Result<ExitCode> {
    let config = Config::load(args.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build()?;
    let patients = runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
        [store(&config, &*clock).await, ledger(&config, &clock).await, queue(&config, &*clock).await]
    });
    let mut worst = Severity::Note;
    for patient in &patients {
        for finding in &patient.findings {
            worst = worst.max(finding.severity);
            tell(patient.name, finding, args.json);
        }
    }
    // What was tried may leave tasks that wait for servers.
    runtime.shutdown_background();
    Ok(if worst == Severity::Error { exit::FAILED } else { exit::OK })
}

fn tell(name: &str, finding: &Finding, as_json: bool) {
    let Finding { severity, what, remedy } = finding;
    let word = match severity {
        Severity::Note => "ok",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    if as_json {
        return say::result(&json!({"server": name, "severity": word, "what": what, "remedy": remedy}).to_string());
    }
    let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
    say::result(&format!("{word:<8} {name:<7} {what}{remedy}"));
}

async fn store(config: &Config, clock: &dyn Clock) -> Patient {
    let mut patient = Patient::new("store");
    let url = &config.store.url;
    let opened = within(async { doors::store(Role::Worker, &config.store).await.map(|(store, _)| store) }).await;
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            patient.add(Severity::Error, error, "mend what it says, or give another store.url");
            return patient;
        }
    };
    let started = clock.now_ms();
    match within(async { Ok(probe(&*store).await?) }).await {
        Ok(probe) if probe.conditional == Conditional::Yes => {
            let took = clock.now_ms() - started;
            patient.note(format!(
                "{url}: written, listed and deleted, and of two creates the second is refused ({took} ms)"
            ));
        }
        Ok(_) => patient.add(
            Severity::Error,
            "the second of two creates is not refused",
            "use a store with conditional writes (`If-None-Match`), or one process with store.single_writer",
        ),
        Err(error) => patient.add(Severity::Error, error, "allow get, put, delete and list below store.url"),
    }
    patient
}

async fn ledger(config: &Config, clock: &Arc<dyn Clock>) -> Patient {
    let mut patient = Patient::new("ledger");
    if config.ledger.url == MEMORY {
        patient.note("in memory: for one process with every role".to_owned());
        return patient;
    }
    let ledger: Arc<dyn Ledger> = match within(doors::ledger(config, clock)).await {
        Ok(books) => books.ledger,
        Err(error) => {
            patient.add(Severity::Error, error, "look at ledger.url, at Redis, and at the network between");
            return patient;
        }
    };
    let mut trips = Vec::new();
    for _ in 0..LOOKS {
        let started = clock.now_ms();
        if let Err(error) = ledger.slots(Pool::Generate).await {
            patient.add(
                Severity::Error,
                error.to_string(),
                "allow the user every key and channel of ledger.prefix, and scripts",
            );
            return patient;
        }
        trips.push(clock.now_ms() - started);
    }
    patient.note(format!("answers in {} ms", median(trips)));
    patient.findings.extend(ledger.check().await);
    patient
}

async fn queue(config: &Config, clock: &dyn Clock) -> Patient {
    let mut patient = Patient::new("queue");
    if config.queue.url == MEMORY {
        patient.note("in memory: for one process with every role".to_owned());
        return patient;
    }
    let queue = match within(doors::rabbitmq(config)).await {
        Ok(queue) => queue,
        Err(error) => {
            patient.add(Severity::Error, error, "look at queue.url, at RabbitMQ, and at the network between");
            return patient;
        }
    };
    let server = queue.server();
    patient.note(format!("{} {}", server.product, server.version));
    if !server.is_rabbitmq(3, 10) {
        patient.add(Severity::Warning, "not a RabbitMQ from 3.10 on", "quorum queues with delivery limits are needed");
    }
    // A message to a pool nobody serves would stay; the queues themselves must be there, and confirm nothing.
    let started = clock.now_ms();
    match within(async { Ok(queue.depth(Pool::Generate).await?) }).await {
        Ok(depth) => {
            let took = clock.now_ms() - started;
            patient.note(format!("{depth} messages wait for `generate`; declared and counted in {took} ms"));
        }
        Err(error) => {
            patient.add(Severity::Error, error, "allow configure, write and read on the names of queue.prefix")
        }
    }
    patient
}

/// What comes of trying, within a bound.
async fn within<T>(trying: impl Future<Output = Result<T>>) -> Result<T, String> {
    match tokio::time::timeout(PATIENCE, trying).await {
        Ok(tried) => tried.map_err(|error| format!("{error:#}")),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}
