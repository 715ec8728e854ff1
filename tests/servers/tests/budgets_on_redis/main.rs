//! Budgets on a real Redis: their law, and what becomes of money when the server forgets.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use shardmill_servers::redis::{Fsync, Redis};
use shardmill_shared::job::{JobId, Name, NanoUsd, ShardId, StageId};
use shardmill_shared::ledger::budget::{
    Budgets, Cashier, Frame, Hold, Noted, Paid, Purchase, Reserved, Restored, Scope, Settled,
};
use shardmill_shared::ledger::conformance::budget::{self, House};
use shardmill_shared::ledger::{Epoch, Fence, LEASE_MS, Lease, RedisLedger, RedisOptions, WorkerId};
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::MonotonicClock;
use tokio::task::AbortHandle;
use tokio::time::Instant;

mod limits;
mod lost;

const RUNS: u64 = 24;

/// The ledger's time at the start, ahead of the server's: it can stand still for so long, in milliseconds.
const AHEAD_MS: u64 = 1_000_000_000;
/// How often the ledger's time is put back to where it stands.
const TICK: Duration = Duration::from_millis(5);
/// More than it goes on meanwhile: so much is added wherever time passes, in milliseconds.
const MARGIN_MS: u64 = 400;

/// A private server that may be wiped, and a ledger on it whose time stands still but for `advance`: a slow machine changes
/// nothing.
struct Real {
    server: Redis,
    ledger: Arc<RedisLedger>,
    ahead_ms: Arc<AtomicU64>,
    now_ms: Arc<AtomicU64>,
    ticker: AbortHandle,
}

impl Drop for Real {
    fn drop(&mut self) {
        self.ticker.abort();
    }
}

/// Lets the ledger's time stand at `now_ms`.
async fn stand_still(now_ms: Arc<AtomicU64>, ahead_ms: Arc<AtomicU64>) {
    let begun = Instant::now();
    loop {
        let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let ahead = AHEAD_MS + now_ms.load(Ordering::SeqCst);
        ahead_ms.store(ahead.saturating_sub(elapsed_ms), Ordering::SeqCst);
        tokio::time::sleep(TICK).await;
    }
}

impl Real {
    async fn start(fsync: Fsync) -> Self {
        let server = Redis::start_with(fsync).expect("redis-server starts");
        let (ahead_ms, now_ms) = (Arc::new(AtomicU64::new(AHEAD_MS)), Arc::<AtomicU64>::default());
        let options = RedisOptions { ahead_ms: Arc::clone(&ahead_ms), ..RedisOptions::default() };
        let ledger = Arc::new(RedisLedger::connect(&server.url(), options).await.expect("connects"));
        let ticker = tokio::spawn(stand_still(Arc::clone(&now_ms), Arc::clone(&ahead_ms))).abort_handle();
        Self { server, ledger, ahead_ms, now_ms, ticker }
    }

    /// The ledger of another process.
    async fn another(&self) -> RedisLedger {
        let options = RedisOptions { ahead_ms: Arc::clone(&self.ahead_ms), ..RedisOptions::default() };
        RedisLedger::connect(&self.server.url(), options).await.expect("connects")
    }

    fn pass(&self, by_ms: u64) {
        self.now_ms.fetch_add(by_ms, Ordering::SeqCst);
        self.ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    async fn restore(&self, closed_ms: u64, spent: NanoUsd) {
        let restored = Restored { epoch: Epoch(1), cap: NanoUsd::dollars(5), spent, closed_ms };
        self.ledger.restore(None, &scope(), &restored).await.expect("restores");
    }

    async fn figures(&self) -> (NanoUsd, NanoUsd) {
        let seen = self.ledger.view_budget(None, &scope()).await.expect("sees").expect("is known");
        (seen.spent, seen.held)
    }
}

#[async_trait]
impl House for Real {
    fn budgets(&self) -> Arc<dyn Budgets> {
        Arc::<RedisLedger>::clone(&self.ledger)
    }

    fn advance(&self, by_ms: u64) {
        self.pass(by_ms + MARGIN_MS);
    }

    async fn wipe(&self) {
        self.server.flush_all().expect("wipes");
    }
}

fn job() -> JobId {
    JobId::new("a").expect("allowed")
}

fn scope() -> Scope {
    Scope::Job(job())
}

fn lease(index: u64) -> Lease {
    Lease { job: job(), shard: ShardId { stage: StageId::new("users").expect("allowed"), index }, fence: Fence(1) }
}

fn frame() -> Frame {
    Frame { clock: Arc::new(MonotonicClock::start()), metrics: Metrics::default() }
}

fn hold(id: &str) -> Hold {
    let name = |text: &str| Name::new(text).expect("allowed");
    let amount = NanoUsd::dollars(1);
    Hold { id: name(id), request: name(&format!("r-{id}")), lease: lease(0), amount, scopes: [scope()].into() }
}

#[tokio::test]
async fn needs_redis_keeps_the_law_of_budgets() {
    budget::all(&Real::start(Fsync::EverySecond).await, RUNS).await;
}

#[tokio::test]
async fn needs_redis_a_server_that_came_back_without_its_last_second_pays_nothing() {
    let mut real = Real::start(Fsync::Always).await;
    real.restore(0, NanoUsd::ZERO).await;
    let answers = real.ledger.reserve(None, &[hold("before")]).await.expect("answers");
    let Reserved::Go(before) = answers[0] else { panic!("{answers:?}") };
    let copy = real.server.copy().expect("copies");
    let answers = real.ledger.reserve(None, &[hold("lost")]).await.expect("answers");
    let Reserved::Go(lost) = answers[0] else { panic!("{answers:?}") };
    real.server.restart_with(&copy).expect("comes back");
    assert_eq!(real.ledger.reserve(None, &[hold("after")]).await, Ok(vec![Reserved::Closed]));
    assert_eq!(real.ledger.view_budget(None, &scope()).await, Ok(None), "what it had is not believed");
    real.restore(LEASE_MS, NanoUsd::ZERO).await;
    for (id, ticket) in [("before", before), ("lost", lost), ("lost", lost)] {
        let settled = Settled { hold: hold(id), ticket, actual: NanoUsd(7) };
        assert_eq!(real.ledger.settle(None, &[settled]).await, Ok(vec![Noted::Done]));
    }
    assert_eq!(real.figures().await, (NanoUsd(14), NanoUsd::ZERO));
    real.advance(LEASE_MS);
    let answers = real.ledger.reserve(None, &[hold("after")]).await.expect("answers");
    assert!(matches!(answers[0], Reserved::Go(after) if after > lost), "{answers:?}");
}

#[tokio::test]
async fn needs_redis_a_settled_hold_leaves_nothing_but_figures() {
    let real = Real::start(Fsync::EverySecond).await;
    real.restore(0, NanoUsd::ZERO).await;
    let bytes = || {
        let sum = "local sum = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
                   assert(redis.call('TTL', key) > 600000, key) \
                   sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end return sum";
        real.server.command(&["EVAL", sum, "0"]).expect("every key dies some day")[1..].parse::<u64>().expect("bytes")
    };
    let mut least = 0;
    for round in 0..20 {
        let wishes: Vec<Hold> =
            (0..100).map(|at| Hold { amount: NanoUsd(1), ..hold(&format!("{round}-{at}")) }).collect();
        let answers = real.ledger.reserve(None, &wishes).await.expect("answers");
        let settled = wishes.into_iter().zip(answers).map(|(hold, answer)| match answer {
            Reserved::Go(ticket) => Settled { hold, ticket, actual: NanoUsd(1) },
            other => panic!("{other:?}"),
        });
        real.ledger.settle(None, &settled.collect::<Vec<_>>()).await.expect("settles");
        if round == 0 {
            least = bytes();
        }
    }
    assert_eq!(real.figures().await, (NanoUsd(2_000), NanoUsd::ZERO));
    assert!(bytes() <= least + 64, "{} bytes after {least}", bytes());
    real.ledger.forget_budget(None, &scope()).await.expect("forgets");
}

/// Eight processes want a thousand calls of ten cents from five dollars.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_redis_a_thousand_calls_at_once_spend_five_dollars_and_no_more() {
    let real = Real::start(Fsync::EverySecond).await;
    real.restore(0, NanoUsd::ZERO).await;
    let made = Arc::new(AtomicU64::new(0));
    let mut callers = tokio::task::JoinSet::new();
    for process in 0..8 {
        let ledger = real.another().await;
        let worker = WorkerId(format!("w {process}"));
        let cashier = Arc::new(Cashier::start(Arc::new(ledger), None, &worker, frame()));
        for call in 0..125 {
            let (cashier, made) = (Arc::clone(&cashier), Arc::clone(&made));
            callers.spawn(async move {
                let id = Name::new(&format!("{process}-{call}")).expect("allowed");
                let (amount, scopes) = (NanoUsd(100_000_000), [scope()].into());
                let lease = lease(process);
                match cashier.reserve(Purchase { id, lease: lease.clone(), amount, scopes }).await {
                    Ok(Paid::Go(receipt)) => {
                        made.fetch_add(1, Ordering::SeqCst);
                        tokio::task::yield_now().await;
                        receipt.settle(amount);
                        cashier.flush(&lease).await;
                    }
                    Ok(Paid::Exhausted(_)) => {}
                    other => panic!("{other:?}"),
                }
            });
        }
    }
    while let Some(end) = callers.join_next().await {
        end.expect("ends");
    }
    assert_eq!(made.load(Ordering::SeqCst), 50, "all of it is used, and not one call more");
    assert_eq!(real.figures().await, (NanoUsd::dollars(5), NanoUsd::ZERO));
}
