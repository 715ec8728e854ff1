//! What a survey finds, and the page that tells of it.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use shardmill_scheduler::{Planner, accept};
use shardmill_shared::job::{
    JobId, Made, Name, NanoUsd, ObjectPath, PRIORITY_USUAL, Placed, Pool, ShardId, Submission,
};
use shardmill_shared::ledger::{Company, MemoryLedger, Runner, WorkerId};
use shardmill_shared::metrics::{METRICS, MeasuredStore, Metrics};
use shardmill_shared::process::{ManualClock, Stop};
use shardmill_shared::queue::MemoryQueue;
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::store::{FolderStore, MemoryStore};

use super::super::ops::Ops;
use super::super::page;
use super::*;
use crate::kinds::Kinds;

const SPEC: &str = r#"{"shardmill":1,"name":"shop","output":{"format":"csv","shard_rows":10},
    "tables":{"a":{"rows":50,"columns":{"id":{"sequence":1}}}}}"#;

struct World {
    clock: Arc<ManualClock>,
    ledger: Arc<dyn Ledger>,
    store: Arc<dyn Store>,
    metrics: Metrics,
}

fn runner() -> Runner {
    Runner { worker: WorkerId("w".to_owned()), writer: "writer".to_owned(), company: Company::Others }
}

impl World {
    fn new() -> Self {
        let (clock, metrics) = (Arc::new(ManualClock::default()), Metrics::default());
        let store: Arc<dyn Store> = Arc::new(MeasuredStore::new(Arc::new(MemoryStore::default()), &metrics));
        let ledger = Arc::new(MemoryLedger::new(Arc::<ManualClock>::clone(&clock)));
        Self { clock, ledger, store, metrics }
    }

    fn survey(&self) -> Survey {
        let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(&self.clock);
        Survey::new(&self.store, &self.ledger, &clock)
    }

    async fn submit(&self, id: &str) -> JobId {
        let submission = Submission {
            job: JobId::new(id).expect("allowed"),
            tenant: Name::new("acme").expect("allowed"),
            dataset: Name::new("shop").expect("allowed"),
            spec: SPEC.to_owned(),
            priority: PRIORITY_USUAL,
            submitted_ms: self.clock.unix_ms(),
            by: "test".to_owned(),
            afterwards: Afterwards::default(),
            trace: None,
        };
        self.records().submit(&submission).await.expect("submits");
        submission.job
    }

    /// Submits a job, and plans it.
    async fn plan(&self, id: &str, version: u64) -> JobId {
        let job = self.submit(id).await;
        let placed = Placed { dataset: Name::new("shop").expect("allowed"), version };
        self.records().settle_place(&job, &placed).await.expect("places");
        let place = self.records().place(&job).await.expect("reads").expect("is placed");
        let plan = Kinds::default().plan(SPEC.as_bytes()).expect("plans");
        accept::settle(&place, &SPEC.into(), &plan).await.expect("settles");
        job
    }

    fn records(&self) -> JobRecords {
        JobRecords::of(&self.store, &Name::new("acme").expect("allowed"))
    }

    /// Objects read from the store until now.
    fn reads(&self) -> u64 {
        let (mut registry, mut text) = (Registry::default(), String::new());
        self.metrics.register(&mut registry);
        encode(&mut text, &registry).expect("encodes");
        value(&text, "shardmill_call_seconds_count{to=\"store\",operation=\"read\"}").unwrap_or_default()
    }

    fn ops(&self) -> Ops {
        Ops {
            survey: Arc::new(self.survey()),
            queue: Arc::new(MemoryQueue::default()),
            ledger: Arc::clone(&self.ledger),
            takes: Vec::new(),
            slots: 2,
            drain: Stop::default(),
            stop: Stop::default(),
            leads: Arc::new(AtomicBool::new(true)),
            metrics: self.metrics.clone(),
        }
    }
}

fn stage() -> StageId {
    StageId::new("a").expect("allowed")
}

fn shard(index: u64) -> ShardId {
    ShardId { stage: stage(), index }
}

/// The value of a line of a page.
fn value(page: &str, series: &str) -> Option<u64> {
    page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn workers_are_wanted_for_what_is_left_and_for_what_runs() {
    let wanted = |shards, leased, slots| Backlog { shards, leased }.workers_wanted(slots);
    assert_eq!([wanted(0, 0, 4), wanted(1, 0, 4), wanted(9, 2, 4), wanted(0, 5, 4)], [0, 1, 3, 2]);
}

#[tokio::test]
async fn the_page_tells_jobs_by_state_and_what_is_left() {
    let world = World::new();
    world.submit("queued").await;
    world.clock.advance(90_000);
    let running = world.plan("running", 1).await;
    let paused = world.plan("paused", 2).await;
    for job in [&running, &paused] {
        world.ledger.open(job, &stage(), 5).await.expect("opens");
        world.ledger.begin(job, &shard(0), &runner()).await.expect("begins");
    }
    world.ledger.mark_done(&running, &shard(4), Made::default()).await.expect("notes");
    world.ledger.set_run_state(&paused, RunState::Paused).await.expect("pauses");
    world.ledger.present(&runner().worker, "writer", Pool::Generate, 3).await.expect("is present");
    let page = page::page(&world.ops()).await;
    for (series, wanted) in [
        ("shardmill_jobs{state=\"queued\"}", 1),
        ("shardmill_jobs{state=\"planning\"}", 0),
        ("shardmill_jobs{state=\"running\"}", 1),
        ("shardmill_jobs{state=\"paused\"}", 1),
        ("shardmill_jobs_open", 3),
        ("shardmill_oldest_open_job_seconds", 90),
        // Four of the job that runs, and what the paused one has under way.
        ("shardmill_backlog_shards{pool=\"generate\"}", 5),
        ("shardmill_backlog_shards{pool=\"sql\"}", 0),
        ("shardmill_leases{pool=\"generate\"}", 2),
        ("shardmill_workers_wanted{pool=\"generate\"}", 3),
        ("shardmill_workers_live{pool=\"generate\"}", 2),
        ("shardmill_dead_letters", 0),
        ("shardmill_store_up", 1),
        ("shardmill_ledger_up", 1),
        ("shardmill_queue_up", 1),
        ("shardmill_leader", 1),
    ] {
        assert_eq!(value(&page, series), Some(wanted), "{series} in\n{page}");
    }
}

#[tokio::test]
async fn every_metric_there_is_has_an_entry_and_every_entry_a_metric() {
    let world = World::new();
    world.plan("job", 1).await;
    let metrics = &world.metrics;
    metrics.worker_begins(Pool::Generate);
    metrics.scheduler_begins();
    metrics.shard_done(Pool::Generate, Made::default(), Duration::ZERO);
    metrics.shard_failed(Pool::Generate, "store");
    metrics.answered(("GET", "/v1/jobs"), 200, Duration::ZERO);
    metrics.money_held(Pool::Llm, NanoUsd::dollars(1));
    metrics.money_settled(Pool::Llm, NanoUsd::dollars(1), NanoUsd::dollars(1));
    metrics.limiter_waited("cloud/small", Duration::ZERO);
    let failing = MeasuredStore::new(Arc::new(FolderStore::at("/dev/null")), metrics);
    let path = ObjectPath::new("a".to_owned()).expect("allowed");
    failing.put(&path, "".into()).await.expect_err("no file is a folder");
    let page = page::page(&world.ops()).await;
    let mut found: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let mut wanted: Vec<String> =
        METRICS.iter().map(|about| format!("{} {}", about.name.trim_end_matches("_total"), about.kind)).collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
    for about in METRICS {
        let series = [about.name.to_owned(), format!("{}_count", about.name)];
        let is_sample =
            |line: &&str| line.split(['{', ' ']).next().is_some_and(|name| series.iter().any(|of| of == name));
        let sample = page.lines().find(is_sample).unwrap_or_else(|| panic!("no {} in\n{page}", about.name));
        for label in about.labels {
            assert!(sample.contains(&format!("{label}=\"")), "{sample} has no {label}");
        }
    }
}

#[tokio::test]
async fn what_never_changes_is_read_once() {
    let world = World::new();
    let (job, other) = (world.plan("a", 1).await, world.plan("b", 2).await);
    let survey = world.survey();
    let before = world.reads();
    let first = survey.find().await.expect("finds");
    let cold = world.reads();
    assert_eq!(cold - before, 6, "place, plan and submission of two jobs");
    for _ in 0..3 {
        world.clock.advance(GOOD_MS);
        assert_eq!(survey.find().await.expect("finds").jobs, first.jobs);
    }
    assert_eq!(world.reads(), cold);
    world.records().close(&job, 0).await.expect("closes");
    world.clock.advance(GOOD_MS);
    assert_eq!(survey.find().await.expect("finds").jobs.values().sum::<u64>(), 1);
    assert_eq!(survey.lock().keys().map(|open| &open.job).collect::<Vec<_>>(), [&other], "a closed job is remembered");
}

#[tokio::test]
async fn what_is_not_known_is_absent() {
    let world = World::new();
    let job = world.plan("job", 1).await;
    let place = world.records().place(&job).await.expect("reads").expect("is placed");
    let plan = ObjectPath::new(format!("acme/{}", place.path(&Key::Plan))).expect("allowed");
    world.store.put(&plan, "{}".into()).await.expect("spoils the plan");
    let page = page::page(&world.ops()).await;
    for name in ["shardmill_backlog_shards", "shardmill_jobs", "shardmill_workers_wanted", "shardmill_oldest_open_job"]
    {
        assert!(!page.contains(name), "{name} in\n{page}");
    }
    assert_eq!(value(&page, "shardmill_store_up"), Some(1));
}
