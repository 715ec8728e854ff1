//! A scheduler that dies between `_SUCCESS` and the job's ending, while a release rolls out: the next one finds it done.

use std::sync::Arc;

use shardmill_shared::job::{Ending, JobId, JobState, Key, Layout, Manifest, PRIORITY_USUAL};
use shardmill_shared::ledger::MemoryLedger;
use shardmill_shared::process::Stop;
use shardmill_shared::queue::MemoryQueue;
use shardmill_shared::store::{JobRecords, MemoryStore, Store};
use shardmill_tests::sandbox::{Meeting, Release, clock, submission};

const SHARDS: u64 = 3;

/// Runs the roles of a release over a store until the job has ended.
async fn ended(release: &Release, store: &Arc<dyn Store>, (records, job): (&JobRecords, &JobId)) -> Ending {
    let (queue, ledger) = (Arc::new(MemoryQueue::default()), Arc::new(MemoryLedger::new(clock())));
    let at = Meeting { store: Arc::clone(store), queue, ledger };
    let stop = Stop::default();
    let (scheduler, worker) = (release.scheduler(&at, &stop), release.worker(&at, &stop));
    let working = tokio::spawn(async move { worker.run(1).await });
    let scheduling = tokio::spawn(async move { scheduler.run().await });
    let ending = loop {
        match records.ending(job, 0).await.expect("reads") {
            Some(ending) => break ending,
            None => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
    };
    stop.set();
    scheduling.await.expect("ends");
    working.await.expect("ends");
    ending
}

#[tokio::test]
async fn what_is_published_stays_whoever_ends_the_job() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let submission = submission("job-1", SHARDS, PRIORITY_USUAL);
    let (records, job) = (JobRecords::of(&store, &submission.tenant), &submission.job);
    records.submit(&submission).await.expect("submits");
    let (old, new) = (Release::new("old"), Release::new("new"));
    old.gate.open(SHARDS);
    assert_eq!(ended(&old, &store, (&records, job)).await.state, JobState::Succeeded);
    let place = records.place(job).await.expect("reads").expect("is placed");
    let manifest: Manifest = place.read(&Key::Manifest).await.expect("reads");

    records.store().delete(&Layout::Folder.path(&Key::Ending(job.clone(), 0))).await.expect("deletes");
    records.open(job, 0).await.expect("opens");
    let ending = ended(&new, &store, (&records, job)).await;
    assert_eq!(ending.state, JobState::Succeeded, "{ending:?}");
    assert_eq!(place.read::<Manifest>(&Key::Manifest).await.expect("reads"), manifest);
    assert_eq!(manifest.writer, "old");
}
