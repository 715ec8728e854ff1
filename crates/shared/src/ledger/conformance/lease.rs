//! Leases and how they end.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::{MADE, failed, job, job_id, lease, runner, shard, stage, view};
use crate::job::{Failure, Made, Outcome, Scope};
use crate::ledger::{Beat, Begin, Fence, Lease, Ledger, Runner, WaitingShard};

pub(super) async fn a_shard_has_one_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "lease", 2).await;
    let first = lease(ledger, &job, 0, "a").await;
    assert_eq!(ledger.begin(&job, &shard(0), &runner("a")).await, Ok(Begin::Mine(first.fence)));
    assert_eq!(ledger.begin(&job, &shard(0), &runner("b")).await, Ok(Begin::Busy));
    assert_eq!(ledger.begin(&job, &shard(2), &runner("b")).await, Ok(Begin::Stopped), "there is no such shard");
    assert_eq!(ledger.heartbeat(&first, MADE).await, Ok(Beat::Continue));
    let forged = Lease { fence: Fence(first.fence.0 + 1), ..first.clone() };
    assert_eq!(ledger.heartbeat(&forged, MADE).await, Ok(Beat::Stop));
    assert!(lease(ledger, &job, 1, "b").await.fence > first.fence);
    assert_eq!(view(ledger, &job).await.leased, 2);
}

pub(super) async fn a_commit_counts_whatever_became_of_its_lease(ledger: &dyn Ledger) {
    let job = job(ledger, "commit", 1).await;
    let held = lease(ledger, &job, 0, "a").await;
    let lost = Lease { fence: Fence(0), ..held };
    for _ in 0..2 {
        ledger.report(&lost, &Outcome::Committed(MADE)).await.expect("reports");
    }
    let seen = view(ledger, &job).await;
    assert_eq!((seen.done, seen.leased), (1, 0));
    assert_eq!(ledger.begin(&job, &shard(0), &runner("b")).await, Ok(Begin::Done));
    assert_eq!(ledger.progress(&job).await.expect("sees").made(), MADE, "a repeated report counts once");
}

pub(super) async fn a_pinned_job_is_left_to_its_writer(ledger: &dyn Ledger) {
    let pinned = job_id("pinned");
    ledger.pin(&pinned, "w 1").await.expect("may be pinned before it is open");
    job(ledger, "pinned", 3).await;
    let held = lease(ledger, &pinned, 0, "a").await;
    ledger.mark_done(&pinned, &shard(1), MADE).await.expect("marks");
    let other = Runner { writer: "w 2".to_owned(), ..runner("b") };
    for (index, answer) in [(0, Begin::Busy), (1, Begin::Done), (2, Begin::OtherWriter)] {
        assert_eq!(ledger.begin(&pinned, &shard(index), &other).await, Ok(answer));
    }
    assert_eq!(view(ledger, &pinned).await.leased, 1);
    for _ in 0..2 {
        ledger.pin(&pinned, "w 2").await.expect("pins anew");
    }
    assert_eq!(ledger.begin(&pinned, &shard(2), &runner("a")).await, Ok(Begin::OtherWriter));
    assert!(matches!(ledger.begin(&pinned, &shard(2), &other).await, Ok(Begin::Go(_))));
    assert_eq!(ledger.heartbeat(&held, MADE).await, Ok(Beat::Continue), "what runs goes on to its end");
    ledger.report(&held, &Outcome::Committed(MADE)).await.expect("reports");
    assert_eq!(view(ledger, &pinned).await.done, 2);
}

pub(super) async fn a_failure_counts_under_its_own_lease(ledger: &dyn Ledger) {
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
        assert_eq!(ledger.begin(&job, &shard(0), &runner("b")).await, Ok(Begin::Busy), "it rests until it is reopened");
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

pub(super) async fn a_failure_is_told_as_it_was(ledger: &dyn Ledger) {
    let scopes = [Scope::Shard, Scope::Later, Scope::Final, Scope::Job];
    let job = job(ledger, "told", scopes.len() as u64).await;
    for (index, scope) in (0..).zip(scopes) {
        let held = lease(ledger, &job, index, "a").await;
        let failure = Failure::new(scope, format!("brøke\n\"{index}\" 9 "));
        ledger.report(&held, &Outcome::Failed(failure.clone())).await.expect("reports");
        let seen = view(ledger, &job).await.failed.pop().expect("one failed");
        let attempts = u32::from(scope != Scope::Later);
        assert_eq!((seen.index, seen.attempts, seen.deaths, seen.failure), (index, attempts, 0, failure));
    }
}

pub(super) async fn a_stopped_attempt_does_not_count(ledger: &dyn Ledger) {
    let job = job(ledger, "drain", 1).await;
    let held = lease(ledger, &job, 0, "a").await;
    ledger.report(&held, &Outcome::Stopped).await.expect("reports");
    let seen = view(ledger, &job).await;
    assert_eq!((seen.waiting.as_slice(), seen.leased), (&[WaitingShard { index: 0, attempt: 1 }][..], 0));
}

pub(super) async fn many_leases_are_asked_for_and_reported_at_once(ledger: &dyn Ledger) {
    let job = job(ledger, "batch", 4).await;
    // The last one does not exist; a shard that is asked for twice is begun once.
    let asked = [0_u64, 1, 2, 2, 4];
    let (of_a, of_b) = (runner("a"), runner("b"));
    let begin = async |index: u64| ledger.begin(&job, &shard(index), if index == 1 { &of_b } else { &of_a }).await;
    let begun: Vec<Begin> = join_all(asked.map(begin)).await.into_iter().map(|begun| begun.expect("begins")).collect();
    let mut ended = Vec::new();
    for (index, begun) in asked.into_iter().zip(&begun) {
        if let Begin::Go(fence) = *begun {
            let held = Lease { job: job.clone(), shard: shard(index), fence };
            let made = Made { rows: index, bytes: 1 };
            ended.push((held, if index == 2 { failed("broke") } else { Outcome::Committed(made) }));
        }
    }
    let fences: BTreeSet<u64> = ended.iter().map(|(held, _)| held.fence.0).collect();
    assert_eq!((ended.len(), fences.len(), begun[4]), (3, 3, Begin::Stopped), "{begun:?}");
    assert!(begun[2..4].iter().any(|begun| matches!(begun, Begin::Mine(_))), "{begun:?}");
    for _ in 0..2 {
        let reports = join_all(ended.iter().map(|(lease, outcome)| ledger.report(lease, outcome))).await;
        assert!(reports.iter().all(Result::is_ok), "{reports:?}");
    }
    let seen = view(ledger, &job).await;
    assert_eq!((seen.done, seen.leased, seen.failed.len()), (2, 0, 1));
    assert_eq!(ledger.progress(&job).await.expect("sees").made(), Made { rows: 1, bytes: 2 });
}
