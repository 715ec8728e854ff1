//! The law of ledgers: what every adapter must do, run against each. It panics where the law is broken.

use super::{Beat, Begin, Fence, LEASE_MS, Lease, Ledger, LedgerError, StageView, WaitingShard, WorkerId};
use crate::job::{Failure, JobId, Made, Outcome, Scope, ShardId, StageId};

/// Runs the whole suite, but for what needs time to pass, against a ledger that knows no job.
pub async fn all(ledger: &dyn Ledger) {
    an_unknown_job_is_told(ledger).await;
    shards_are_released_once(ledger).await;
    a_shard_has_one_lease(ledger).await;
    a_commit_counts_whatever_became_of_its_lease(ledger).await;
    a_failure_counts_under_its_own_lease(ledger).await;
    a_stopped_attempt_does_not_count(ledger).await;
    a_stopped_job_gives_no_lease(ledger).await;
    a_change_wakes_who_waits(ledger).await;
    progress_adds_running_attempts(ledger).await;
}

const MADE: Made = Made { rows: 10, bytes: 100 };

fn worker(name: &str) -> WorkerId {
    WorkerId(name.to_owned())
}

fn stage() -> StageId {
    StageId::new("users").expect("the suite's names are allowed")
}

fn shard(index: u64) -> ShardId {
    ShardId { stage: stage(), index }
}

async fn job(ledger: &dyn Ledger, name: &str, shards: u64) -> JobId {
    let job = JobId::new(name).expect("the suite's names are allowed");
    ledger.open(&job, &stage(), shards).await.expect("opens");
    job
}

async fn view(ledger: &dyn Ledger, job: &JobId) -> StageView {
    ledger.view(job).await.expect("sees").stages.remove(0)
}

async fn lease(ledger: &dyn Ledger, job: &JobId, index: u64, name: &str) -> Lease {
    match ledger.begin(job, &shard(index), &worker(name)).await.expect("begins") {
        Begin::Go(fence) => Lease { job: job.clone(), shard: shard(index), fence },
        other => panic!("expected a lease, got {other:?}"),
    }
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed(Failure { scope: Scope::Shard, message: message.to_owned() })
}

async fn an_unknown_job_is_told(ledger: &dyn Ledger) {
    let job = JobId::new("unknown").expect("the suite's names are allowed");
    assert!(matches!(ledger.view(&job).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.release(&job, &stage(), 1).await, Err(LedgerError::Unknown(_))));
    assert_eq!(ledger.begin(&job, &shard(0), &worker("w")).await, Ok(Begin::Stopped));
}

async fn shards_are_released_once(ledger: &dyn Ledger) {
    let job = job(ledger, "release", 5).await;
    for done in [0, 3] {
        ledger.mark_done(&job, &shard(done), MADE).await.expect("marks");
    }
    assert_eq!(ledger.release(&job, &stage(), 2).await, Ok(vec![1, 2]));
    ledger.open(&job, &stage(), 5).await.expect("is open already");
    let before = view(ledger, &job).await;
    assert!(!before.is_released);
    assert_eq!(before.waiting, [1, 2].map(|index| WaitingShard { index, attempt: 1 }));
    assert_eq!(ledger.release(&job, &stage(), 9).await, Ok(vec![4]));
    assert_eq!(ledger.release(&job, &stage(), 9).await, Ok(vec![]));
    let after = view(ledger, &job).await;
    assert!(after.is_released);
    assert_eq!((after.done, after.shards, after.waiting.len()), (2, 5, 3));
}

async fn a_shard_has_one_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "lease", 2).await;
    let first = lease(ledger, &job, 0, "a").await;
    assert_eq!(ledger.begin(&job, &shard(0), &worker("a")).await, Ok(Begin::Mine(first.fence)));
    assert_eq!(ledger.begin(&job, &shard(0), &worker("b")).await, Ok(Begin::Busy));
    assert_eq!(ledger.begin(&job, &shard(2), &worker("b")).await, Ok(Begin::Stopped), "there is no such shard");
    assert_eq!(ledger.heartbeat(&first, MADE).await, Ok(Beat::Continue));
    let forged = Lease { fence: Fence(first.fence.0 + 1), ..first.clone() };
    assert_eq!(ledger.heartbeat(&forged, MADE).await, Ok(Beat::Stop));
    assert!(lease(ledger, &job, 1, "b").await.fence > first.fence);
    assert_eq!(view(ledger, &job).await.leased, 2);
}

async fn a_commit_counts_whatever_became_of_its_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "commit", 1).await;
    let held = lease(ledger, &job, 0, "a").await;
    let lost = Lease { fence: Fence(0), ..held };
    for _ in 0..2 {
        ledger.report(&lost, &Outcome::Committed(MADE)).await.expect("reports");
    }
    let seen = view(ledger, &job).await;
    assert_eq!((seen.done, seen.leased), (1, 0));
    assert_eq!(ledger.begin(&job, &shard(0), &worker("b")).await, Ok(Begin::Done));
    assert_eq!(ledger.progress(&job).await.expect("sees").made(), MADE, "a repeated report counts once");
}

async fn a_failure_counts_under_its_own_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "failure", 1).await;
    ledger.release(&job, &stage(), 1).await.expect("releases");
    for attempts in 1..=2 {
        let held = lease(ledger, &job, 0, "a").await;
        for _ in 0..2 {
            ledger.report(&held, &failed("broke")).await.expect("reports");
        }
        let seen = view(ledger, &job).await;
        assert_eq!((seen.failed[0].attempts, seen.leased, seen.waiting.len()), (attempts, 0, 0));
        assert_eq!(seen.failed[0].failure.message, "broke");
        assert_eq!(ledger.begin(&job, &shard(0), &worker("b")).await, Ok(Begin::Busy), "it rests until it is reopened");
        for _ in 0..2 {
            ledger.reopen(&job, &shard(0)).await.expect("reopens");
        }
        let seen = view(ledger, &job).await;
        assert_eq!(seen.waiting, [WaitingShard { index: 0, attempt: attempts + 1 }]);
        assert_eq!(seen.failed, []);
    }
    let held = lease(ledger, &job, 0, "a").await;
    ledger.report(&held, &Outcome::Committed(MADE)).await.expect("reports");
    assert_eq!(view(ledger, &job).await.done, 1);
}

async fn a_stopped_attempt_does_not_count(ledger: &dyn Ledger) {
    let job = job(ledger, "drain", 1).await;
    let held = lease(ledger, &job, 0, "a").await;
    ledger.report(&held, &Outcome::Stopped).await.expect("reports");
    let seen = view(ledger, &job).await;
    assert_eq!((seen.waiting.as_slice(), seen.leased), (&[WaitingShard { index: 0, attempt: 1 }][..], 0));
}

async fn a_stopped_job_gives_no_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "stop", 2).await;
    let held = lease(ledger, &job, 0, "a").await;
    assert!(!ledger.view(&job).await.expect("sees").is_stopped);
    ledger.stop(&job).await.expect("stops");
    assert!(ledger.view(&job).await.expect("sees").is_stopped);
    assert_eq!(ledger.heartbeat(&held, MADE).await, Ok(Beat::Stop));
    assert_eq!(ledger.begin(&job, &shard(1), &worker("a")).await, Ok(Begin::Stopped));
    ledger.report(&held, &Outcome::Committed(MADE)).await.expect("a commit is a commit");
    assert_eq!(view(ledger, &job).await.done, 1);
}

async fn a_change_wakes_who_waits(ledger: &dyn Ledger) {
    let job = job(ledger, "wake", 1).await;
    let seen = ledger.view(&job).await.expect("sees").revision;
    let (woken, ()) = tokio::join!(ledger.wait_change(&job, seen), async {
        ledger.mark_done(&job, &shard(0), MADE).await.expect("marks");
    });
    woken.expect("wakes");
    ledger.wait_change(&job, seen).await.expect("a change that was missed wakes at once");
}

async fn progress_adds_running_attempts(ledger: &dyn Ledger) {
    let job = job(ledger, "progress", 3).await;
    ledger.mark_done(&job, &shard(2), MADE).await.expect("marks");
    let held = lease(ledger, &job, 0, "a").await;
    ledger.heartbeat(&held, Made { rows: 3, bytes: 30 }).await.expect("beats");
    let progress = ledger.progress(&job).await.expect("sees");
    assert_eq!(progress.made(), Made { rows: 13, bytes: 130 });
    assert_eq!((progress.stages[0].shards_done, progress.stages[0].shards_total), (1, Some(3)));
    ledger.report(&held, &failed("broke")).await.expect("reports");
    let progress = ledger.progress(&job).await.expect("sees");
    assert_eq!((progress.made(), progress.stages[0].shards_failed), (MADE, 1));
}

/// Runs the part of the suite that needs time to pass; `advance` lets so many milliseconds pass for the ledger.
pub async fn a_lease_without_heartbeats_ends(ledger: &dyn Ledger, advance: &(dyn Fn(u64) + Sync)) {
    let job = job(ledger, "expire", 2).await;
    let (silent, alive) = (lease(ledger, &job, 0, "a").await, lease(ledger, &job, 1, "b").await);
    advance(LEASE_MS - 1);
    ledger.heartbeat(&alive, MADE).await.expect("beats");
    assert_eq!(view(ledger, &job).await.leased, 2);
    advance(1);
    let seen = view(ledger, &job).await;
    assert_eq!((seen.leased, seen.failed.len()), (1, 1));
    assert_eq!((seen.failed[0].index, seen.failed[0].attempts), (0, 1));
    assert_eq!(ledger.heartbeat(&silent, MADE).await, Ok(Beat::Stop));
    ledger.report(&silent, &failed("late")).await.expect("reports");
    assert_eq!(view(ledger, &job).await.failed[0].attempts, 1, "the death counted already");
}
