//! A shard whose workers died twice is leased only to a worker that runs nothing else, so that its next death is its own.

use std::sync::Arc;
use std::time::Duration;

use shardmill_shared::job::{JobState, PRIORITY_USUAL, ShardId, StageId};
use shardmill_shared::ledger::{Begin, Company, DEATHS, LEASE_MS, Ledger, MemoryLedger, Runner, StageView, WorkerId};
use shardmill_shared::process::{ManualClock, Stop};
use shardmill_shared::queue::MemoryQueue;
use shardmill_shared::store::{JobRecords, MemoryStore, Store};
use shardmill_tests::sandbox::{Meeting, Release, submission};

const SHARDS: u64 = 12;
const SLOTS: usize = 4;

async fn until<F: Future<Output = bool>>(mut is_so: impl FnMut() -> F) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("comes to be");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspect_shard_runs_alone() {
    let clock = Arc::new(ManualClock::default());
    let ledger = Arc::new(MemoryLedger::new(Arc::<ManualClock>::clone(&clock)));
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let (queue, the_ledger) = (Arc::new(MemoryQueue::default()), Arc::<MemoryLedger>::clone(&ledger));
    let at = Meeting { store: Arc::clone(&store), queue, ledger: the_ledger };
    let (release, stop) = (Release::new("w 1"), Stop::default());
    let submission = submission("job-1", SHARDS, PRIORITY_USUAL);
    let records = JobRecords::of(&store, &submission.tenant);
    records.submit(&submission).await.expect("submits");
    let scheduler = release.scheduler(&at, &stop);
    let scheduling = tokio::spawn(async move { scheduler.run().await });
    let job = &submission.job;
    let seen = async || -> Option<StageView> { ledger.view(job).await.ok()?.stages.pop() };
    let is = async |what: fn(&StageView) -> bool| seen().await.is_some_and(|stage| what(&stage));
    until(|| is(|stage| stage.waiting.len() == SLOTS)).await;

    // The first shard ends two workers.
    let suspect = ShardId { stage: StageId::new("users").expect("allowed"), index: 0 };
    for death in 0..DEATHS {
        let worker = WorkerId(format!("dead {death}"));
        let runner = Runner { worker, writer: "w 1".to_owned(), company: Company::Others };
        assert!(matches!(ledger.begin(job, &suspect, &runner).await, Ok(Begin::Go(_))));
        clock.advance(LEASE_MS);
        until(|| is(|stage| stage.leased == 0)).await;
    }

    let worker = release.worker(&at, &stop);
    let working = tokio::spawn(async move { worker.run(SLOTS).await });
    let mut ran_alone = false;
    for passed in 0..SHARDS as usize {
        until(|| is(|stage| stage.leased > 0)).await;
        let stage = seen().await.expect("is open");
        let waits = stage.waiting.iter().any(|shard| shard.index == suspect.index);
        let has_passed = release.gate.passed().iter().any(|(_, index)| *index == suspect.index);
        if !waits && !has_passed {
            // The messages of others are taken meanwhile, and none of them is begun.
            for _ in 0..50 {
                assert_eq!(seen().await.map(|stage| stage.leased), Some(1));
                tokio::task::yield_now().await;
            }
            ran_alone = true;
        }
        release.gate.open(1);
        until(async || release.gate.passed().len() > passed).await;
    }
    assert!(ran_alone);

    let ended = async || records.ending(job, 0).await.expect("reads");
    until(async || ended().await.is_some()).await;
    assert_eq!(ended().await.map(|ending| ending.state), Some(JobState::Succeeded));
    stop.set();
    scheduling.await.expect("ends");
    working.await.expect("ends");
}
