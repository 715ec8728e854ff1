//! Calls in full flight while the server forgets: nothing is spent beyond the cap, and what is counted is what was paid.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shardmill_servers::redis::Fsync;
use shardmill_shared::job::{Name, NanoUsd};
use shardmill_shared::ledger::budget::{Cashier, Paid, Purchase};
use shardmill_shared::ledger::conformance::budget::House;
use shardmill_shared::ledger::{LEASE_MS, WorkerId};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{Real, frame, lease, scope};

const HELD: NanoUsd = NanoUsd(100_000_000);
/// Each call costs half of what is held for it.
const ACTUAL: NanoUsd = NanoUsd(50_000_000);
/// For so long the budget is closed: a little less than a lease lives that nobody keeps, for the ledger's time makes jumps here.
const CLOSED_MS: u64 = LEASE_MS - 5_000;
/// Calls that end before the server forgets.
const ENDED: u64 = 10;

/// What the calls cost.
#[derive(Default)]
struct Bill {
    calls: AtomicU64,
}

impl Bill {
    fn total(&self) -> NanoUsd {
        NanoUsd(self.calls.load(Ordering::SeqCst) * ACTUAL.0)
    }
}

/// Makes one call that ends when it may; a shard's worker tells all prices before it commits.
async fn call(cashier: &Cashier, id: String, process: u64, may_end: &Semaphore) -> Option<NanoUsd> {
    let id = Name::new(&id).expect("allowed");
    let purchase = Purchase { id, lease: lease(process), amount: HELD, scopes: [scope()].into() };
    let receipt = match cashier.reserve(purchase).await {
        Ok(Paid::Go(receipt)) => receipt,
        Ok(Paid::Exhausted(_)) => return None,
        other => panic!("{other:?}"),
    };
    may_end.acquire().await.expect("is open").forget();
    receipt.settle(ACTUAL);
    cashier.flush(&lease(process)).await;
    Some(ACTUAL)
}

/// Eight processes that want far more calls than can be paid.
async fn callers(real: &Real, bill: &Arc<Bill>, may_end: &Arc<Semaphore>) -> JoinSet<()> {
    let mut callers = JoinSet::new();
    for process in 0..8 {
        let worker = WorkerId(format!("w {process}"));
        let cashier = Arc::new(Cashier::start(Arc::new(real.another().await), None, &worker, frame()));
        for number in 0..40 {
            let (cashier, bill, may_end) = (Arc::clone(&cashier), Arc::clone(bill), Arc::clone(may_end));
            callers.spawn(async move {
                if call(&cashier, format!("{process}-{number}"), process, &may_end).await.is_some() {
                    bill.calls.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    }
    callers
}

/// Comes back once so much is spent and held.
async fn reach(real: &Real, figures: (NanoUsd, NanoUsd)) {
    while real.figures().await != figures {
        tokio::task::yield_now().await;
    }
}

async fn forgets(mut real: Real, forget: impl AsyncFnOnce(&mut Real)) {
    real.restore(0, NanoUsd::ZERO).await;
    let (bill, may_end) = (Arc::<Bill>::default(), Arc::new(Semaphore::new(usize::try_from(ENDED).expect("few"))));
    let mut callers = callers(&real, &bill, &may_end).await;
    let before = (NanoUsd(ENDED * ACTUAL.0), NanoUsd(45 * HELD.0));
    reach(&real, before).await;
    forget(&mut real).await;
    // Nothing is committed yet: all is told again by those who paid.
    real.restore(CLOSED_MS, NanoUsd::ZERO).await;
    reach(&real, before).await;
    real.advance(CLOSED_MS);
    may_end.add_permits(1_000);
    while let Some(end) = callers.join_next().await {
        end.expect("ends");
    }
    assert_eq!(real.figures().await, (bill.total(), NanoUsd::ZERO), "the ledger and the bill differ");
    let (least, most) = (NanoUsd(NanoUsd::dollars(5).0 - HELD.0), NanoUsd::dollars(5));
    assert!(least < bill.total() && bill.total() <= most, "{:?}", bill.total());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_redis_a_wipe_in_full_flight_costs_nothing() {
    forgets(Real::start(Fsync::EverySecond).await, async |real: &mut Real| real.wipe().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_redis_a_killed_server_in_full_flight_costs_nothing() {
    let restart = async |real: &mut Real| real.server.restart().expect("comes back");
    forgets(Real::start(Fsync::EverySecond).await, restart).await;
}
