//! What a job was told stays so: whatever the ledger has lost of it, and whoever leads when it is done.

use std::sync::Arc;
use std::time::Duration;

use shardmill_shared::job::{Control, Ending, JobId, JobState, Key, Layout, PRIORITY_USUAL, Success, Verdict};
use shardmill_shared::ledger::{MemoryLedger, RunState};
use shardmill_shared::process::Stop;
use shardmill_shared::queue::MemoryQueue;
use shardmill_shared::store::{JobRecords, MemoryStore, Place, Store};
use shardmill_tests::sandbox::{Meeting, Release, clock, submission};

const SHARDS: u64 = 3;

/// A job of three shards, and where the roles meet.
struct Scene {
    at: Meeting,
    records: JobRecords,
    job: JobId,
}

impl Scene {
    async fn new() -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let submission = submission("job-1", SHARDS, PRIORITY_USUAL);
        let records = JobRecords::of(&store, &submission.tenant);
        records.submit(&submission).await.expect("submits");
        let (queue, ledger) = (Arc::new(MemoryQueue::default()), Arc::new(MemoryLedger::new(clock())));
        Self { at: Meeting { store, queue, ledger }, records, job: submission.job }
    }

    /// Runs a scheduler and a worker until the job has ended.
    async fn ended(&self) -> Ending {
        let (release, stop) = (Release::new("w 1"), Stop::default());
        release.gate.open(SHARDS);
        let (scheduler, worker) = (release.scheduler(&self.at, &stop), release.worker(&self.at, &stop));
        let working = tokio::spawn(async move { worker.run(1).await });
        let scheduling = tokio::spawn(async move { scheduler.run().await });
        until("the job ends", async || self.records.ending(&self.job, 0).await.expect("reads").is_some()).await;
        stop.set();
        scheduling.await.expect("ends");
        working.await.expect("ends");
        self.records.ending(&self.job, 0).await.expect("reads").expect("has ended")
    }

    async fn place(&self) -> Place {
        self.records.place(&self.job).await.expect("reads").expect("is placed")
    }

    /// Takes the records of the job's last steps away, as if its leader had died before them.
    async fn undo(&self, lost: &[Key]) {
        let place = self.place().await;
        for key in lost {
            let path = if *key == Key::Success { place.path(key) } else { Layout::Folder.path(key) };
            self.records.store().delete(&path).await.expect("deletes");
        }
        self.records.open(&self.job, 0).await.expect("opens");
    }
}

async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), waiting).await.is_ok(), "not within a minute: {what}");
}

#[tokio::test]
async fn a_paused_job_stays_paused_whatever_the_ledger_loses() {
    let scene = Scene::new().await;
    scene.records.command(&scene.job, &Control::Pause).await.expect("pauses");
    let (release, stop) = (Release::new("w 1"), Stop::default());
    let scheduler = release.scheduler(&scene.at, &stop);
    let scheduling = tokio::spawn(async move { scheduler.run().await });
    let ledger = Arc::clone(&scene.at.ledger);
    let is_paused = async || ledger.view(&scene.job).await.is_ok_and(|view| view.run_state == RunState::Paused);
    until("the ledger is told", is_paused).await;
    ledger.set_run_state(&scene.job, RunState::Running).await.expect("is as it was before its last second");
    until("the ledger is told again", is_paused).await;
    ledger.forget(&scene.job).await.expect("forgets");
    until("the ledger is told anew", is_paused).await;
    stop.set();
    scheduling.await.expect("ends");
}

#[tokio::test]
async fn a_cancel_that_comes_before_the_verdict_leaves_no_version() {
    let scene = Scene::new().await;
    assert_eq!(scene.ended().await.state, JobState::Succeeded);
    let job = &scene.job;
    scene.undo(&[Key::Success, Key::Verdict(job.clone(), 0), Key::Ending(job.clone(), 0)]).await;
    scene.records.command(job, &Control::Cancel).await.expect("cancels");
    assert_eq!(scene.ended().await.state, JobState::Cancelled);
    let success: Option<Success> = scene.place().await.find(&Key::Success).await.expect("reads");
    assert_eq!(success, None);
    // Whoever still thinks that it leads may not publish any more.
    assert_eq!(scene.records.decide(job, 0, Verdict::Publish).await.expect("reads"), Verdict::Cancel);
}

#[tokio::test]
async fn a_cancel_that_comes_after_the_verdict_comes_too_late() {
    let scene = Scene::new().await;
    let first = scene.ended().await;
    scene.undo(&[Key::Success, Key::Ending(scene.job.clone(), 0)]).await;
    scene.records.command(&scene.job, &Control::Cancel).await.expect("cancels");
    let ending = scene.ended().await;
    assert_eq!((ending.state, ending.manifest), (JobState::Succeeded, first.manifest));
    let success: Option<Success> = scene.place().await.find(&Key::Success).await.expect("reads");
    assert_eq!(success.map(|success| success.manifest), first.manifest);
}
