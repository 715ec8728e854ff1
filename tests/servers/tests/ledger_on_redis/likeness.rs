//! Whatever is asked of them in whatever order, the ledger in memory and the one on Redis know the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use shardmill_shared::job::{Failure, JobId, Made, Outcome, Scope, ShardId, StageId};
use shardmill_shared::ledger::{
    Begin, Company, Lease, Ledger, LedgerError, MemoryLedger, RedisLedger, RedisOptions, RunState, Runner, View,
};
use shardmill_shared::process::ManualClock;
use tokio::runtime::{Builder, Runtime};

use super::{Place, options, worker};

const SHARDS: u64 = 20;
/// A third of a lease: what is left of every lease is far more than the time a case takes by itself.
const STEP_MS: u64 = 5_000;
const CASES: u32 = 128;

#[derive(Clone, Debug)]
enum Step {
    Open(bool),
    MarkDone(ShardId),
    Release(bool, u64),
    Reopen(ShardId),
    Run(RunState),
    /// By which of three workers; the third is of another writer.
    Begin(ShardId, u8, Company),
    Pin(bool),
    /// Of the lease that was given so many leases ago.
    Beat(usize, Made),
    End(usize, Outcome),
    Pass,
    Forget,
}

fn stage(is_first: bool) -> StageId {
    StageId::new(if is_first { "users" } else { "orders" }).expect("allowed")
}

fn shard() -> impl Strategy<Value = ShardId> {
    (any::<bool>(), 0..SHARDS + 2).prop_map(|(is_first, index)| ShardId { stage: stage(is_first), index })
}

fn made() -> impl Strategy<Value = Made> {
    (0_u64..1_000, 0_u64..1 << 40).prop_map(|(rows, bytes)| Made { rows, bytes })
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let failed = |scope| Outcome::Failed(Failure::new(scope, "broke"));
    prop_oneof![
        3 => made().prop_map(Outcome::Committed),
        2 => Just(failed(Scope::Shard)),
        1 => Just(failed(Scope::Job)),
        1 => Just(Outcome::Stopped),
    ]
}

fn company() -> impl Strategy<Value = Company> {
    prop::sample::select(vec![Company::Others, Company::None])
}

fn writer(is_first: bool) -> String {
    if is_first { "w 1".to_owned() } else { "w 2".to_owned() }
}

fn step() -> impl Strategy<Value = Step> {
    let states = [RunState::Running, RunState::Running, RunState::Paused, RunState::Stopped];
    prop_oneof![
        2 => any::<bool>().prop_map(Step::Open),
        2 => shard().prop_map(Step::MarkDone),
        4 => (any::<bool>(), 0_u64..6).prop_map(|(is_first, most)| Step::Release(is_first, most)),
        4 => shard().prop_map(Step::Reopen),
        1 => prop::sample::select(states.to_vec()).prop_map(Step::Run),
        12 => (shard(), 0_u8..3, company()).prop_map(|(shard, worker, company)| Step::Begin(shard, worker, company)),
        1 => any::<bool>().prop_map(Step::Pin),
        3 => (0_usize..6, made()).prop_map(|(back, made)| Step::Beat(back, made)),
        6 => (0_usize..6, outcome()).prop_map(|(back, outcome)| Step::End(back, outcome)),
        5 => Just(Step::Pass),
        1 => prop::bool::weighted(0.1).prop_map(|is_over| if is_over { Step::Forget } else { Step::Pass }),
    ]
}

/// One ledger, and the leases it gave.
struct Side<'a> {
    ledger: &'a dyn Ledger,
    job: JobId,
    leases: Vec<Lease>,
    revision: u64,
}

/// What a step answered, without the numbers that differ between ledgers.
type Answer = Result<String, LedgerError>;

impl Side<'_> {
    async fn take(&mut self, step: &Step) -> Answer {
        let (ledger, job) = (self.ledger, &self.job);
        match step {
            Step::Open(is_first) => ledger.open(job, &stage(*is_first), SHARDS).await.map(told),
            Step::MarkDone(shard) => ledger.mark_done(job, shard, Made { rows: 1, bytes: 2 }).await.map(told),
            Step::Release(is_first, most) => ledger.release(job, &stage(*is_first), *most).await.map(told),
            Step::Reopen(shard) => ledger.reopen(job, shard).await.map(told),
            Step::Run(state) => ledger.set_run_state(job, *state).await.map(told),
            Step::Pin(is_first) => ledger.pin(job, &writer(*is_first)).await.map(told),
            Step::Begin(shard, name, company) => {
                let (worker, writer) = (worker(&name.to_string()), writer(*name < 2));
                let begun = ledger.begin(job, shard, &Runner { worker, writer, company: *company }).await?;
                if let Begin::Go(fence) = begun {
                    self.leases.push(Lease { job: job.clone(), shard: shard.clone(), fence });
                }
                Ok(told(begun).chars().filter(char::is_ascii_alphabetic).collect())
            }
            Step::Beat(back, made) => match self.leases.iter().rev().nth(*back) {
                Some(lease) => ledger.heartbeat(lease, *made).await.map(told),
                None => Ok(String::new()),
            },
            Step::End(back, outcome) => match self.leases.iter().rev().nth(*back) {
                Some(lease) => ledger.report(lease, outcome).await.map(told),
                None => Ok(String::new()),
            },
            Step::Pass => Ok(String::new()),
            Step::Forget => ledger.forget(job).await.map(told),
        }
    }

    /// What it knows, and whether its revision says that something changed.
    async fn look(&mut self) -> (Result<View, LedgerError>, String, bool) {
        let view = self.ledger.view(&self.job).await;
        let progress = told(self.ledger.progress(&self.job).await);
        let revision = view.as_ref().map_or(0, |view| view.revision);
        let has_moved = std::mem::replace(&mut self.revision, revision) != revision;
        (view.map(plain), progress, has_moved)
    }
}

fn told(answer: impl std::fmt::Debug) -> String {
    format!("{answer:?}")
}

/// A view without what differs between ledgers.
fn plain(mut view: View) -> View {
    (view.revision, view.now_ms) = (0, 0);
    for failed in view.stages.iter_mut().flat_map(|stage| &mut stage.failed) {
        failed.failed_ms = 0;
    }
    view
}

async fn alike(redis: &RedisLedger, ahead_ms: &AtomicU64, job: JobId, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let clock = Arc::new(ManualClock::default());
    let memory = MemoryLedger::new(Arc::<ManualClock>::clone(&clock));
    let side = |ledger| Side { ledger, job: job.clone(), leases: Vec::new(), revision: 0 };
    let (mut twin, mut real) = (side(&memory), side(redis));
    let mut before = None;
    for step in steps {
        if let Step::Pass = step {
            clock.advance(STEP_MS);
            ahead_ms.fetch_add(STEP_MS, Ordering::Relaxed);
        }
        prop_assert_eq!(twin.take(&step).await, real.take(&step).await, "{:?}", step);
        let ((twin_view, twin_progress, _), (view, progress, has_moved)) = (twin.look().await, real.look().await);
        prop_assert_eq!(&twin_view, &view, "after {:?}", step);
        prop_assert_eq!(twin_progress, progress, "after {:?}", step);
        let is_news = before.replace(view.clone()).is_some_and(|before| before != view);
        // A shard that begins is nothing that the scheduler decides by.
        let may_sleep = matches!(step, Step::Begin(..));
        prop_assert!(has_moved || !is_news || may_sleep, "a change that wakes nobody: {:?}", step);
    }
    redis.forget(&job).await.expect("forgets");
    Ok(())
}

#[test]
fn needs_redis_memory_and_redis_know_the_same() {
    let place = Place::find();
    let ahead_ms = Arc::<AtomicU64>::default();
    let options = RedisOptions { ahead_ms: Arc::clone(&ahead_ms), ..options("alike") };
    let runtime: Runtime = Builder::new_current_thread().enable_all().build().expect("builds");
    let redis = runtime.block_on(RedisLedger::connect(&place.url, options)).expect("connects");
    let cases = AtomicU64::new(0);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let end = runner.run(&prop::collection::vec(step(), 1..120), |steps| {
        let number = cases.fetch_add(1, Ordering::Relaxed);
        let job = JobId::new(&format!("case-{number}")).expect("allowed");
        runtime.block_on(alike(&redis, &ahead_ms, job, steps))
    });
    end.unwrap_or_else(|error| panic!("{error}"));
}
