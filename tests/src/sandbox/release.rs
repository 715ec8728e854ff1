//! A release of the program, in the process of the test: what it calls itself as a writer, and what it can make. A spec is a
//! number of shards.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use shardmill_scheduler::herald::Webhooks;
use shardmill_scheduler::{Planner, Scheduler};
use shardmill_shared::job::{Account, Digest, JobId, Plan, Pool, Rows, Submission};
use shardmill_shared::ledger::{Ledger, MemoryLedger, WorkerId};
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, Stop};
use shardmill_shared::queue::Queue;
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::store::Store;
use shardmill_worker::execute::{Assignment, Execute, ExecuteError, Executed, ShardSink};
use shardmill_worker::{Compile, StoredJobs, Worker};

use super::{clock, name, stage, table};

/// Rows of a shard of a release's job.
pub const SHARD_ROWS: u64 = 5;

/// A release.
#[derive(Clone, Debug)]
pub struct Release {
    /// Its writer: it stands in every row.
    pub writer: &'static str,
    /// Why it can run no spec, if it cannot.
    pub lacks: Option<&'static str>,
    /// Lets its shards through.
    pub gate: Arc<Gate>,
    /// The clock of its roles.
    pub clock: Arc<dyn Clock>,
}

/// Lets so many shards through, and the others wait.
#[derive(Debug, Default)]
pub struct Gate {
    state: Mutex<GateState>,
    opened: Condvar,
}

#[derive(Debug, Default)]
struct GateState {
    /// How many shards came, and may pass: first come, first let through.
    arrived: u64,
    open_to: u64,
    passed: Vec<(JobId, u64)>,
}

/// Longer than a test waits for anything; then a shard passes unseen, or it would keep a test that failed from its end.
const LONGEST: Duration = Duration::from_secs(150);

/// What the roles of a release meet in.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// The store of all tenants.
    pub store: Arc<dyn Store>,
    /// The queue, a connection of the role's own.
    pub queue: Arc<dyn Queue>,
    /// The ledger.
    pub ledger: Arc<dyn Ledger>,
}

impl Gate {
    /// Lets so many more shards through.
    pub fn open(&self, shards: u64) {
        self.lock().open_to += shards;
        self.opened.notify_all();
    }

    /// Which shards passed, in that order: the job of each, and its index.
    pub fn passed(&self) -> Vec<(JobId, u64)> {
        self.lock().passed.clone()
    }

    fn pass(&self, job: &JobId, index: u64) {
        let mut state = self.lock();
        let ticket = state.arrived;
        state.arrived += 1;
        let is_shut = |state: &mut GateState| state.open_to <= ticket;
        let (mut state, waited) = self.opened.wait_timeout_while(state, LONGEST, is_shut).expect("no holder panics");
        if !waited.timed_out() {
            state.passed.push((job.clone(), index));
        }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.state.lock().expect("no holder of the lock panics")
    }
}

/// Asks for a job of so many shards.
pub fn submission(job: &str, shards: u64, priority: u8) -> Submission {
    Submission {
        job: JobId::new(job).expect("allowed"),
        tenant: name("default"),
        dataset: name(job),
        spec: shards.to_string(),
        priority,
        submitted_ms: 1,
        by: "test".to_owned(),
        afterwards: Afterwards::default(),
        trace: None,
    }
}

impl Release {
    /// A release that can make everything, whose shards wait at its gate.
    pub fn new(writer: &'static str) -> Self {
        Self { writer, lacks: None, gate: Arc::default(), clock: clock() }
    }

    /// A scheduler of this release, which runs until `stop`.
    pub fn scheduler(&self, meeting: &Meeting, stop: &Stop) -> Scheduler {
        Scheduler {
            id: WorkerId(format!("scheduler of {}", self.writer)),
            root: Arc::clone(&meeting.store),
            queue: Arc::clone(&meeting.queue),
            ledger: Arc::clone(&meeting.ledger),
            // Its jobs ask no models.
            budgets: Arc::new(MemoryLedger::new(Arc::clone(&self.clock))),
            planner: Arc::new(self.clone()),
            clock: Arc::clone(&self.clock),
            stop: stop.clone(),
            leads: Arc::<AtomicBool>::default(),
            metrics: Metrics::default(),
            failed_ms: 1_000,
            webhooks: Webhooks::default(),
        }
    }

    /// A worker of this release, which takes shards until `drain`.
    pub fn worker(&self, meeting: &Meeting, drain: &Stop) -> Worker {
        Worker {
            id: WorkerId(format!("worker of {}", self.writer)),
            writer: self.writer.to_owned(),
            pool: Pool::Generate,
            queue: Arc::clone(&meeting.queue),
            ledger: Arc::clone(&meeting.ledger),
            jobs: Arc::new(StoredJobs::new(Arc::clone(&meeting.store), Arc::new(self.clone()))),
            clock: Arc::clone(&self.clock),
            drain: drain.clone(),
            stop: Stop::default(),
            together: Arc::default(),
            beat_ms: 1_000,
            metrics: Metrics::default(),
        }
    }
}

impl Planner for Release {
    fn plan(&self, spec: &[u8]) -> Result<Plan, String> {
        let shards: u64 =
            String::from_utf8_lossy(spec).parse().map_err(|error| format!("no number of shards: {error}"))?;
        let stages = vec![stage("users", &[], table("users"), (Rows::Exact(shards * SHARD_ROWS), SHARD_ROWS))];
        let (spec_digest, writer) = (Digest::of(spec), self.writer.to_owned());
        Ok(Plan { spec_digest, name: name("shop"), seed: 1, engine: 1, writer, stages, budget: None })
    }
}

impl Compile for Release {
    fn executor(&self, _: &[u8]) -> Result<Arc<dyn Execute>, String> {
        self.lacks.map_or_else(|| Ok(Arc::new(self.clone()) as Arc<dyn Execute>), |lacks| Err(lacks.to_owned()))
    }
}

impl Execute for Release {
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        self.gate.pass(&work.job.id, work.shard.id.index);
        let mut file = sink.file()?;
        for row in work.shard.rows.clone() {
            writeln!(file, "{row},{}", self.writer)?;
            sink.made(1)?;
        }
        Ok(Executed { account: Account::written(work.shard.rows.end - work.shard.rows.start), counted: None })
    }
}
