//! A limiter over the ledger in memory.

use std::num::NonZeroU64;

use super::*;
use crate::job::{JobId, Name};
use crate::ledger::{MemoryLedger, WorkerId};
use crate::metrics::Metrics;
use crate::process::{Clock, ManualClock};

const CALL: Need = Need { requests: 1, input_tokens: 10, output_tokens: 0 };

struct House {
    clock: Arc<ManualClock>,
    ledger: MemoryLedger,
}

impl House {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::default());
        let ledger = MemoryLedger::new(Arc::<ManualClock>::clone(&clock));
        Self { clock, ledger }
    }

    fn limiter(&self, name: &str, quota: Quota) -> Arc<Limiter> {
        let provider = Name::new("cloud").expect("allowed");
        let claimant = Claimant {
            tenant: None,
            job: JobId::new("a").expect("allowed"),
            weight: 5,
            worker: WorkerId(name.to_owned()),
        };
        let frame = Frame { clock: Arc::<ManualClock>::clone(&self.clock), metrics: Metrics::default() };
        let (limits, model) = (Arc::new(self.ledger.clone()), Model::new(&provider, "small"));
        Arc::new(Limiter::start(limits, model, claimant, quota, frame))
    }

    /// Lets time pass until `is_over`; how long that took.
    async fn until(&self, is_over: impl Fn() -> bool) -> u64 {
        let begun_ms = self.clock.now_ms();
        while !is_over() {
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            if !is_over() {
                self.clock.advance(5);
            }
        }
        self.clock.now_ms() - begun_ms
    }
}

async fn permit(limiter: &Limiter) -> Permit {
    limiter.acquire(CALL).await.expect("is given")
}

#[tokio::test]
async fn calls_leave_at_the_pace_of_the_limit() {
    let house = House::new();
    let limiter = house.limiter("w 1", Quota { requests: NonZeroU64::new(600), ..Quota::default() });
    let calls = tokio::spawn(async move {
        for _ in 0..50 {
            drop(permit(&limiter).await);
        }
    });
    let took_ms = house.until(|| calls.is_finished()).await;
    assert!(
        (4_400..=5_700).contains(&took_ms),
        "ten calls a second, of which the first half second is free: {took_ms}"
    );
}

#[tokio::test]
async fn without_limits_nobody_waits() {
    let house = House::new();
    let limiter = house.limiter("w 1", Quota::default());
    let permits = futures::future::join_all((0..500).map(|_| permit(&limiter))).await;
    assert_eq!((permits.len(), house.clock.now_ms()), (500, 0));
}

#[tokio::test]
async fn a_permit_takes_a_slot_until_it_is_dropped() {
    let house = House::new();
    let quota = Quota { concurrency: NonZeroU64::new(2), ..Quota::default() };
    let limiter = house.limiter("w 1", quota);
    let (first, _second) = (permit(&limiter).await, permit(&limiter).await);
    let other = Arc::clone(&limiter);
    let third = tokio::spawn(async move { permit(&other).await });
    for _ in 0..100 {
        house.clock.advance(100);
        tokio::task::yield_now().await;
    }
    assert!(!third.is_finished(), "no slot is free, however long it takes");
    first.used(CALL);
    house.until(|| third.is_finished()).await;
    third.await.expect("ends").used(CALL);
}

#[tokio::test]
async fn who_leaves_gives_back_what_it_did_not_use() {
    let house = House::new();
    let quota = Quota { concurrency: NonZeroU64::new(2), ..Quota::default() };
    let (one, other) = (house.limiter("w 1", quota), house.limiter("w 2", quota));
    let (first, second) = (permit(&one).await, permit(&one).await);
    let third = tokio::spawn(async move { permit(&other).await });
    for _ in 0..10 {
        house.clock.advance(100);
        tokio::task::yield_now().await;
    }
    assert!(!third.is_finished());
    drop((first, second));
    let took_ms = house.until(|| third.is_finished()).await;
    assert!(took_ms <= 2_000, "its slots are given back once its slice is over: {took_ms}");
}

#[tokio::test]
async fn a_pause_holds_calls_back() {
    let house = House::new();
    let limiter = house.limiter("w 1", Quota { requests: NonZeroU64::new(60_000), ..Quota::default() });
    let other = Arc::clone(&limiter);
    let first = tokio::spawn(async move { permit(&other).await });
    house.until(|| first.is_finished()).await;
    limiter.pause(10_000);
    let other = Arc::clone(&limiter);
    let next = tokio::spawn(async move { permit(&other).await });
    let took_ms = house.until(|| next.is_finished()).await;
    assert!((9_900..=11_500).contains(&took_ms), "{took_ms}");
}
