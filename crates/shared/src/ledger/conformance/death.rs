//! Leases that end without a report.

use super::{MADE, failed, job, lease, runner, shard, view};
use crate::job::{Outcome, Scope};
use crate::ledger::{Beat, Begin, Company, DEATHS, LEASE_MS, Lease, Ledger, Runner, WaitingShard};

pub(super) async fn a_lease_without_heartbeats_ends(ledger: &dyn Ledger, advance: &(dyn Fn(u64) + Sync)) {
    let job = job(ledger, "expire", 2).await;
    let (silent, alive) = (lease(ledger, &job, 0, "a").await, lease(ledger, &job, 1, "b").await);
    advance(LEASE_MS - 1_000);
    ledger.heartbeat(&alive, MADE).await.expect("beats");
    assert_eq!(view(ledger, &job).await.leased, 2);
    advance(1_000);
    let seen = view(ledger, &job).await;
    assert_eq!((seen.leased, seen.failed.len()), (1, 0));
    assert_eq!(seen.waiting, [WaitingShard { index: 0, attempt: 2 }], "it waits again at once");
    assert_eq!(ledger.heartbeat(&silent, MADE).await, Ok(Beat::Stop));
    ledger.report(&silent, &failed("late")).await.expect("reports");
    assert_eq!(view(ledger, &job).await.failed, [], "the death counted already");
    ledger.report(&silent, &Outcome::Committed(MADE)).await.expect("a commit is a commit");
    let seen = view(ledger, &job).await;
    assert_eq!((seen.done, seen.waiting.len()), (1, 0));
}

pub(super) async fn a_shard_that_kills_runs_alone_and_then_no_more(
    ledger: &dyn Ledger,
    advance: &(dyn Fn(u64) + Sync),
) {
    let job = job(ledger, "poison", 1).await;
    let held = lease(ledger, &job, 0, "a").await;
    ledger.report(&held, &failed("broke")).await.expect("reports");
    ledger.reopen(&job, &shard(0)).await.expect("reopens");
    for death in 1..=DEATHS {
        lease(ledger, &job, 0, "a").await;
        advance(LEASE_MS);
        assert_eq!(view(ledger, &job).await.waiting, [WaitingShard { index: 0, attempt: death + 2 }]);
    }
    for _ in 0..2 {
        assert_eq!(
            ledger.begin(&job, &shard(0), &runner("b")).await,
            Ok(Begin::Alone),
            "no lease, so no death of another's"
        );
        assert_eq!(view(ledger, &job).await.leased, 0);
    }
    let alone = |name| Runner { company: Company::None, ..runner(name) };
    let Ok(Begin::Go(fence)) = ledger.begin(&job, &shard(0), &alone("b")).await else { panic!("no lease") };
    assert_eq!(ledger.begin(&job, &shard(0), &runner("b")).await, Ok(Begin::Mine(fence)));
    assert_eq!(ledger.begin(&job, &shard(0), &alone("c")).await, Ok(Begin::Busy));
    let drained = Lease { job: job.clone(), shard: shard(0), fence };
    ledger.report(&drained, &Outcome::Stopped).await.expect("reports");
    for tried in 0..2 {
        assert!(matches!(ledger.begin(&job, &shard(0), &alone("c")).await, Ok(Begin::Go(_))));
        advance(LEASE_MS);
        let mut seen = view(ledger, &job).await;
        let failed = seen.failed.pop().expect("it failed");
        assert_eq!((failed.attempts, failed.deaths, failed.failure.scope), (1, DEATHS + 1 + tried, Scope::Final));
        assert!(failed.failure.message.starts_with("it ended its worker three times"), "{}", failed.failure.message);
        assert_eq!((seen.waiting.len(), seen.leased), (0, 0));
        assert_eq!(ledger.begin(&job, &shard(0), &runner("d")).await, Ok(Begin::Busy));
        ledger.reopen(&job, &shard(0)).await.expect("reopens, should somebody ask for it");
    }
}
