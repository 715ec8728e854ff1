//! Workers that were built without what a spec needs, or before it: the job ends, and says why.

use std::sync::Arc;

use shardmill_shared::job::{JobState, PRIORITY_USUAL};
use shardmill_shared::ledger::MemoryLedger;
use shardmill_shared::process::Stop;
use shardmill_shared::queue::MemoryQueue;
use shardmill_shared::store::{JobRecords, MemoryStore, Store};
use shardmill_tests::sandbox::{Meeting, Release, clock, submission};

const SHARDS: u64 = 60;

#[tokio::test(start_paused = true)]
async fn a_spec_that_no_worker_can_run_fails_its_job() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let (queue, ledger) = (Arc::new(MemoryQueue::default()), Arc::new(MemoryLedger::new(clock())));
    let meeting = Meeting { store: Arc::clone(&store), queue, ledger };
    let release = Release { lacks: Some("column `zodiac` is unknown"), ..Release::new("w 1") };
    let stop = Stop::default();
    let (scheduler, worker) = (release.scheduler(&meeting, &stop), release.worker(&meeting, &stop));
    let scheduling = tokio::spawn(async move { scheduler.run().await });
    let working = tokio::spawn(async move { worker.run(2).await });
    let submission = submission("job-1", SHARDS, PRIORITY_USUAL);
    let records = JobRecords::of(&store, &submission.tenant);
    records.submit(&submission).await.expect("submits");
    let ending = loop {
        match records.ending(&submission.job, 0).await.expect("reads") {
            Some(ending) => break ending,
            None => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
        }
    };
    assert_eq!(ending.state, JobState::Failed);
    let message = ending.message.expect("says why");
    let reason = "after 3 attempts: job `job-1` cannot be run by this worker: column `zodiac` is unknown";
    assert!(message.starts_with(&format!("{SHARDS} shards failed; ")) && message.contains(reason), "{message}");
    stop.set();
    scheduling.await.expect("ends");
    working.await.expect("ends");
}
