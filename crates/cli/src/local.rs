//! A local run: scheduler and workers in one process, over one store. The same plan, loop and commits as in a cluster.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use shardmill_scheduler::ScheduleError;
use shardmill_scheduler::accept::{self, Admit, Existing, Refusal, Spec, Wanted};
use shardmill_scheduler::dispatch::{self, Dispatch, Ended, Windows};
use shardmill_scheduler::{finish, version};
use shardmill_shared::job::{
    GivenUp, JobId, Layout, Manifest, NanoUsd, Plan, PlanError, Pool, Progress, Stage, StageId, Success,
};
use shardmill_shared::ledger::budget::{Budgets, Restored, Scope};
use shardmill_shared::ledger::{Epoch, Ledger, MemoryLedger, WorkerId};
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, Stop};
use shardmill_shared::queue::{MemoryQueue, Queue};
use shardmill_shared::store::{self, Place, Store};
use shardmill_worker::execute::Execute;
use shardmill_worker::{JobContext, OneJob, Worker};
use tokio::task::JoinSet;

/// How often the listener hears, and running attempts tell how far they are, in milliseconds: smooth for the eye.
const BEAT_MS: u64 = 100;

/// What a run stands on.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Where everything lasting goes.
    pub store: Arc<dyn Store>,
    /// Carries addresses of shards.
    pub queue: Arc<dyn Queue>,
    /// Keeps leases and progress.
    pub ledger: Arc<dyn Ledger>,
    /// Time.
    pub clock: Arc<dyn Clock>,
}

/// Where in the store the version goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// The store's root is the version's folder.
    Folder,
    /// The store's root holds datasets; the version gets the next number.
    Root,
}

/// A run to be done.
pub struct LocalJob {
    /// The canonical JSON of the spec. `plan.spec_digest` is its digest.
    pub spec: Bytes,
    /// What to do.
    pub plan: Plan,
    /// What runs shards.
    pub executor: Arc<dyn Execute>,
    /// What it stands on.
    pub ports: Ports,
    /// Where the version goes.
    pub target: Target,
    /// What to do with another version in a folder.
    pub existing: Existing,
    /// What it may spend on models, where it may.
    pub budget: Option<Budget>,
    /// Shards at a time.
    pub threads: usize,
    /// The order to stop.
    pub stop: Stop,
}

/// What a run may spend, and where that is kept.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The books: those that its executor pays from.
    pub books: Arc<dyn Budgets>,
    /// The most that all its attempts may spend together.
    pub cap: NanoUsd,
}

/// Hears how far a run has come.
pub trait ProgressListener: Send + Sync {
    /// Called about ten times a second, and once at the end of a run that made something.
    fn progress(&self, progress: &Progress);
}

/// A run that ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Whether it was finished before, so that nothing was done.
    pub was_complete: bool,
    /// Where in the store the version is.
    pub layout: Layout,
    /// What it consists of.
    pub manifest: Manifest,
    /// Its mark.
    pub success: Success,
}

/// Why a run ended without a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// The plan has no such stage.
    #[error("the plan has no stage `{0}`")]
    Unplanned(StageId),
    /// The plan is not one of the spec.
    #[error("the plan was made from another spec")]
    OtherSpec,
    /// What is there may not be touched.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Store, queue or ledger failed.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The budget is spent. What was paid for is kept, and the next run with a higher one goes on from there.
    #[error("paused: {0}")]
    Broke(String),
    /// Shards failed for good; the others are committed.
    #[error("{}", dispatch::describe(.0))]
    Failed(Vec<GivenUp>),
    /// It was told to stop. What is committed is kept, and the next run goes on from there.
    #[error("stopped; the next run goes on from here")]
    Stopped,
}

impl Ports {
    /// The local twins, over `store`.
    pub fn local(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        let ledger = Arc::new(MemoryLedger::new(Arc::clone(&clock)));
        Self { store, queue: Arc::new(MemoryQueue::default()), ledger, clock }
    }
}

/// Runs a job to its end. A folder is to be prepared (`FolderStore::prepare`) and its guard held meanwhile.
///
/// # Errors
/// As [`RunError`]. After any of them, and after a kill, the next run goes on with what is committed.
pub async fn run(job: LocalJob, listener: &dyn ProgressListener) -> Result<Finished, RunError> {
    let place = match admitted(&job).await? {
        Admitted::Run(place) => place,
        Admitted::Complete(finished) => return Ok(*finished),
    };
    match mill(&job, &place, listener).await? {
        Ended::Failed(given_up) => Err(RunError::Failed(given_up)),
        Ended::Broke(reason) => Err(RunError::Broke(reason)),
        Ended::Stopped | Ended::Forgotten => Err(RunError::Stopped),
        Ended::Committed => {
            let (manifest, success) = finish::prepare(&place, &job.plan).await?;
            finish::publish(&place, &success).await?;
            Ok(Finished { was_complete: false, layout: place.layout, manifest, success })
        }
    }
}

/// Makes what a stage needs before its own shards can be made, and returns it with its exact number of rows: the counting
/// stages among those that it needs run, and no other.
///
/// # Errors
/// As [`run`], and when the plan has no such stage.
pub async fn prepare(job: LocalJob, place: &Place, stage: &StageId) -> Result<Stage, RunError> {
    let unplanned = || RunError::Unplanned(stage.clone());
    let whole = job.plan.clone();
    let planned = whole.stage(stage).ok_or_else(unplanned)?;
    let mut needed = planned.needs.clone();
    let mut at = 0;
    while let Some(stage) = needed.get(at).and_then(|id| whole.stage(id)) {
        needed.extend(stage.needs.iter().filter(|id| !needed.contains(id)).cloned().collect::<Vec<_>>());
        at += 1;
    }
    let counts = |stage: &&Stage| stage.publishes().is_none() && needed.contains(&stage.id);
    let stages: Vec<Stage> = whole.stages.iter().filter(counts).cloned().collect();
    if !stages.is_empty() {
        let counting = LocalJob { plan: Plan { stages, ..whole.clone() }, ..job };
        match mill(&counting, place, &Unheard).await? {
            Ended::Committed => {}
            Ended::Failed(given_up) => return Err(RunError::Failed(given_up)),
            Ended::Broke(reason) => return Err(RunError::Broke(reason)),
            Ended::Stopped | Ended::Forgotten => return Err(RunError::Stopped),
        }
    }
    Ok(dispatch::prepare(place, &whole, planned).await?)
}

/// Nobody listens.
struct Unheard;

impl ProgressListener for Unheard {
    fn progress(&self, _: &Progress) {}
}

enum Admitted {
    Run(Place),
    Complete(Box<Finished>),
}

/// Decides what to do with what is there, and does it.
async fn admitted(job: &LocalJob) -> Result<Admitted, RunError> {
    job.plan.check().map_err(|error: PlanError| ScheduleError::from(error))?;
    let spec = Spec::of(&job.spec);
    if spec.digest != job.plan.spec_digest {
        return Err(RunError::OtherSpec);
    }
    let store = Arc::clone(&job.ports.store);
    let layout = match job.target {
        Target::Folder => Layout::Folder,
        Target::Root => version::claim(&store, &job.plan.name, spec.digest).await?,
    };
    let place = Place { store, layout };
    let found = accept::look(&place).await?;
    match accept::admit(&found, &Wanted { spec: &spec, plan: &job.plan, existing: job.existing }) {
        Admit::Refuse(refusal) => return Err(refusal.into()),
        Admit::AlreadyComplete(success) => {
            let manifest = finish::published(&place, &success).await?;
            let layout = place.layout;
            return Ok(Admitted::Complete(Box::new(Finished { was_complete: true, layout, manifest, success })));
        }
        Admit::Overwrite => accept::clear(&place).await?,
        Admit::Fresh | Admit::Resume => {}
    }
    accept::settle(&place, &job.spec, &job.plan).await?;
    Ok(Admitted::Run(place))
}

/// Runs the shards: scheduler, worker and listener side by side, until the scheduler has nothing more to do and the worker has
/// let go of everything.
async fn mill(job: &LocalJob, place: &Place, listener: &dyn ProgressListener) -> Result<Ended, RunError> {
    let id = id_of(place, &job.plan);
    open_budget(job, place, &id).await?;
    let Ports { queue, ledger, clock, .. } = job.ports.clone();
    let dispatch = Dispatch {
        job: id.clone(),
        plan: Arc::new(job.plan.clone()),
        place: place.clone(),
        queue: Arc::clone(&queue),
        ledger: Arc::clone(&ledger),
        clock: Arc::clone(&clock),
        stop: job.stop.clone(),
        windows: Arc::new(Windows::fixed(job.threads)),
        tenant: None,
        weight: Arc::new(AtomicU64::new(1)),
    };
    let halt = job.stop.child();
    let context = Arc::new(JobContext {
        id: id.clone(),
        tenant: None,
        plan: job.plan.clone(),
        spec: job.spec.clone(),
        place: place.clone(),
        executor: Arc::clone(&job.executor),
    });
    let worker = |pool| Worker {
        id: WorkerId("local".to_owned()),
        writer: job.plan.writer.clone(),
        pool,
        queue: Arc::clone(&queue),
        ledger: Arc::clone(&ledger),
        jobs: Arc::new(OneJob(Arc::clone(&context))),
        clock: Arc::clone(&clock),
        drain: Stop::default(),
        stop: halt.clone(),
        together: Arc::default(),
        beat_ms: BEAT_MS,
        metrics: Metrics::default(),
    };
    let pools: BTreeSet<Pool> = job.plan.stages.iter().map(|stage| stage.pool).collect();
    let workers = pools.into_iter().map(worker).collect();
    let schedule = async {
        let ended = loop {
            match dispatch.run().await {
                Ok(Ended::Forgotten) => {}
                ended => break ended,
            }
        };
        halt.set();
        ended
    };
    let ended = tokio::select! {
        (ended, ()) = async { tokio::join!(schedule, work(workers, job.threads)) } => ended?,
        never = listen(&*ledger, &*clock, &id, listener) => match never {},
    };
    if let Ok(progress) = ledger.progress(&id).await {
        listener.progress(&progress);
    }
    Ok(ended)
}

/// Opens the books with what earlier attempts have spent.
async fn open_budget(job: &LocalJob, place: &Place, id: &JobId) -> Result<(), RunError> {
    let Some(Budget { books, cap }) = &job.budget else { return Ok(()) };
    let mut spent = NanoUsd::ZERO;
    for stage in job.plan.stages.iter().filter(|stage| stage.pool == Pool::Llm) {
        // Whoever ran before is dead: this process has the folder.
        spent = spent.saturating_add(store::spent(place, &stage.id).await.map_err(ScheduleError::from)?.at_most());
    }
    let restored = Restored { epoch: Epoch(1), cap: *cap, spent, closed_ms: 0 };
    books.restore(None, &Scope::Job(id.clone()), &restored).await.map_err(ScheduleError::from)?;
    Ok(())
}

/// Runs a worker per pool until all are told to stop.
async fn work(workers: Vec<Worker>, threads: usize) {
    let mut running = JoinSet::new();
    for worker in workers {
        running.spawn(async move { worker.run(threads).await });
    }
    while running.join_next().await.is_some() {}
}

async fn listen(ledger: &dyn Ledger, clock: &dyn Clock, job: &JobId, listener: &dyn ProgressListener) -> Infallible {
    loop {
        clock.sleep_until(clock.now_ms().saturating_add(BEAT_MS)).await;
        // Until its first stage is opened, the ledger does not know the job.
        if let Ok(progress) = ledger.progress(job).await {
            listener.progress(&progress);
        }
    }
}

/// The id of the job in queue and ledger. A folder has one job only, so its id need not tell it from others.
fn id_of(place: &Place, plan: &Plan) -> JobId {
    match &place.layout {
        Layout::Root { job, .. } => job.clone(),
        Layout::Folder => {
            let digest = plan.spec_digest.to_string();
            JobId::new(&format!("local-{}", &digest[..16])).expect("hexadecimal digits are allowed in a name")
        }
    }
}
