//! Jobs, stages and the release of shards.

use super::{MADE, job, job_id, lease, runner, shard, stage, view};
use crate::job::{Made, Outcome};
use crate::ledger::{Begin, Ledger, LedgerError, WaitingShard};

pub(super) async fn an_unknown_job_is_told(ledger: &dyn Ledger) {
    let unknown = job_id("unknown");
    assert!(matches!(ledger.view(&unknown).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.release(&unknown, &stage(), 1).await, Err(LedgerError::Unknown(_))));
    let opened = job(ledger, "known", 1).await;
    let other = crate::job::StageId::new("orders").expect("the suite's names are allowed");
    assert_eq!(ledger.release(&opened, &other, 1).await, Err(LedgerError::Unknown("orders".to_owned())));
    assert_eq!(ledger.begin(&unknown, &shard(0), &runner("w")).await, Ok(Begin::Stopped));
}

pub(super) async fn shards_are_released_once(ledger: &dyn Ledger) {
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

pub(super) async fn a_shard_begun_early_is_not_released(ledger: &dyn Ledger) {
    let job = job(ledger, "early", 4).await;
    let held = lease(ledger, &job, 0, "a").await;
    let drained = lease(ledger, &job, 2, "a").await;
    ledger.report(&drained, &Outcome::Stopped).await.expect("reports");
    assert_eq!(ledger.release(&job, &stage(), 4).await, Ok(vec![1, 3]));
    let seen = view(ledger, &job).await;
    assert_eq!(seen.waiting, [1, 2, 3].map(|index| WaitingShard { index, attempt: 1 }));
    assert_eq!((seen.leased, seen.is_released), (1, true));
    ledger.report(&held, &Outcome::Committed(MADE)).await.expect("reports");
}

pub(super) async fn many_commits_are_noted_together(ledger: &dyn Ledger) {
    let job = job(ledger, "many", 3_000).await;
    let done: Vec<(u64, Made)> = (0..2_500).map(|index| (index, MADE)).collect();
    for _ in 0..2 {
        ledger.mark_all_done(&job, &stage(), &done).await.expect("marks");
    }
    ledger.mark_done(&job, &shard(3_000), MADE).await.expect("a shard that does not exist is passed over");
    assert_eq!(view(ledger, &job).await.done, 2_500);
    assert_eq!(ledger.progress(&job).await.expect("sees").made(), Made { rows: 25_000, bytes: 250_000 });
    assert_eq!(ledger.release(&job, &stage(), 1).await, Ok(vec![2_500]));
}
