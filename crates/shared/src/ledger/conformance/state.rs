//! Whether jobs run, who hears of it, and what people watch.

use std::time::Duration;

use tokio::time::timeout;

use super::{MADE, failed, job, job_id, lease, runner, shard, stage, view};
use crate::job::{Made, Outcome};
use crate::ledger::{Beat, Begin, Ledger, LedgerError, RunState};

/// Longer than any change takes to be heard of.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn a_stopped_job_gives_no_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "stop", 2).await;
    let held = lease(ledger, &job, 0, "a").await;
    assert_eq!(ledger.view(&job).await.expect("sees").run_state, RunState::Running);
    ledger.stop(&job).await.expect("stops");
    assert_eq!(ledger.view(&job).await.expect("sees").run_state, RunState::Stopped);
    assert_eq!(ledger.heartbeat(&held, MADE).await, Ok(Beat::Stop));
    assert_eq!(ledger.begin(&job, &shard(1), &runner("a")).await, Ok(Begin::Stopped));
    ledger.report(&held, &Outcome::Committed(MADE)).await.expect("a commit is a commit");
    assert_eq!(view(ledger, &job).await.done, 1);
}

pub(super) async fn a_paused_job_ends_what_runs(ledger: &dyn Ledger) {
    let job = job(ledger, "pause", 2).await;
    ledger.release(&job, &stage(), 2).await.expect("releases");
    let held = lease(ledger, &job, 0, "a").await;
    for _ in 0..2 {
        ledger.set_run_state(&job, RunState::Paused).await.expect("pauses");
    }
    assert_eq!(ledger.view(&job).await.expect("sees").run_state, RunState::Paused);
    assert_eq!(ledger.heartbeat(&held, MADE).await, Ok(Beat::Continue));
    assert_eq!(ledger.begin(&job, &shard(1), &runner("b")).await, Ok(Begin::Stopped));
    let seen = view(ledger, &job).await;
    assert_eq!((seen.leased, seen.waiting.len()), (1, 1), "a paused shard still waits");
    ledger.report(&held, &Outcome::Committed(MADE)).await.expect("reports");
    ledger.set_run_state(&job, RunState::Running).await.expect("resumes");
    lease(ledger, &job, 1, "b").await;
    assert_eq!(view(ledger, &job).await.done, 1);
}

pub(super) async fn a_job_may_be_stopped_before_it_is_open(ledger: &dyn Ledger) {
    let id = job_id("unborn");
    ledger.set_run_state(&id, RunState::Stopped).await.expect("stops");
    let seen = ledger.view(&id).await.expect("is known now");
    assert_eq!((seen.run_state, seen.stages.len()), (RunState::Stopped, 0));
    job(ledger, "unborn", 1).await;
    assert_eq!(ledger.begin(&id, &shard(0), &runner("a")).await, Ok(Begin::Stopped));
    assert_eq!(ledger.view(&id).await.expect("sees").stages.len(), 1);
}

pub(super) async fn a_forgotten_job_is_unknown(ledger: &dyn Ledger) {
    let job = job(ledger, "forget", 2).await;
    let held = lease(ledger, &job, 0, "a").await;
    ledger.mark_done(&job, &shard(1), MADE).await.expect("marks");
    for _ in 0..2 {
        ledger.forget(&job).await.expect("forgets");
    }
    assert!(matches!(ledger.view(&job).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.progress(&job).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.heartbeat(&held, MADE).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.report(&held, &Outcome::Stopped).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.wait_change(&job, 0).await, Err(LedgerError::Unknown(_))));
    ledger.open(&job, &stage(), 2).await.expect("opens anew");
    assert_eq!((view(ledger, &job).await.done, view(ledger, &job).await.leased), (0, 0));
    assert!(lease(ledger, &job, 0, "b").await.fence > held.fence);
    assert_eq!(ledger.heartbeat(&held, MADE).await, Ok(Beat::Stop), "no number of a lease comes twice");
}

pub(super) async fn a_change_wakes_who_waits(ledger: &dyn Ledger) {
    let job = job(ledger, "wake", 1).await;
    let seen = ledger.view(&job).await.expect("sees").revision;
    let (woken, ()) = tokio::join!(timeout(PATIENCE, ledger.wait_change(&job, seen)), async {
        ledger.mark_done(&job, &shard(0), MADE).await.expect("marks");
    });
    woken.expect("in time").expect("wakes");
    let woken = timeout(PATIENCE, ledger.wait_change(&job, seen)).await;
    woken.expect("in time").expect("a change that was missed wakes at once");
}

pub(super) async fn any_change_wakes_who_waits_for_any(ledger: &dyn Ledger) {
    let job = job(ledger, "any", 1).await;
    let seen = ledger.wait_any(0).await;
    let (next, ()) = tokio::join!(timeout(PATIENCE, ledger.wait_any(seen)), async {
        ledger.mark_done(&job, &shard(0), MADE).await.expect("marks");
    });
    assert_ne!(next.expect("in time"), seen);
}

pub(super) async fn progress_adds_running_attempts(ledger: &dyn Ledger) {
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
