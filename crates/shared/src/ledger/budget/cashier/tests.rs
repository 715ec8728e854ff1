//! A cashier over the ledger in memory.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;

use super::super::{BudgetView, Declaration, Restored, Settled, World};
use super::*;
use crate::job::{JobId, ShardId, StageId};
use crate::ledger::{Epoch, Fence, MemoryLedger};
use crate::process::ManualClock;

/// Counts the calls that reach it, forgets everything when it is told to, and cannot be reached when it is cut off.
#[derive(Debug)]
struct Watched {
    ledger: Mutex<MemoryLedger>,
    clock: Arc<ManualClock>,
    reserves: AtomicU64,
    running: AtomicU64,
    is_cut_off: AtomicBool,
}

impl Watched {
    fn new() -> Arc<Self> {
        let clock = Arc::new(ManualClock::default());
        let ledger = Mutex::new(MemoryLedger::new(Arc::<ManualClock>::clone(&clock)));
        Arc::new(Self { ledger, clock, reserves: 0.into(), running: 0.into(), is_cut_off: false.into() })
    }

    fn now(&self) -> Result<MemoryLedger, LedgerError> {
        match self.is_cut_off.load(Ordering::SeqCst) {
            true => Err(LedgerError::Transient { reason: "cut off".to_owned() }),
            false => Ok(self.ledger.lock().expect("no panic").clone()),
        }
    }

    fn wipe(&self) {
        *self.ledger.lock().expect("no panic") = MemoryLedger::new(Arc::<ManualClock>::clone(&self.clock));
    }

    async fn open(&self, closed_ms: u64, spent: NanoUsd) {
        let restored = Restored { epoch: Epoch(1), cap: NanoUsd(100), spent, closed_ms };
        self.now().expect("reached").restore(None, &job(), &restored).await.expect("restores");
    }

    async fn figures(&self) -> (u64, u64) {
        let seen = self.now().expect("reached").view_budget(None, &job()).await.expect("sees").expect("is known");
        (seen.spent.0, seen.held.0)
    }

    /// Comes back once so much is spent and held; time passes meanwhile.
    async fn reach(&self, figures: (u64, u64)) {
        while self.figures().await != figures {
            self.clock.advance(10);
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Budgets for Watched {
    async fn reserve(&self, tenant: Option<&Name>, holds: &[Hold]) -> Result<Vec<Reserved>, LedgerError> {
        self.reserves.fetch_add(1, Ordering::SeqCst);
        assert_eq!(self.running.fetch_add(1, Ordering::SeqCst), 0, "one call at a time");
        tokio::task::yield_now().await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.now()?.reserve(tenant, holds).await
    }

    async fn settle(&self, tenant: Option<&Name>, settled: &[Settled]) -> Result<Vec<Noted>, LedgerError> {
        self.now()?.settle(tenant, settled).await
    }

    async fn declare(&self, tenant: Option<&Name>, open: &[Declaration]) -> Result<Vec<Noted>, LedgerError> {
        self.now()?.declare(tenant, open).await
    }

    async fn keep(&self, tenant: Option<&Name>, leases: &[Lease]) -> Result<World, LedgerError> {
        self.now()?.keep(tenant, leases).await
    }

    async fn end(&self, tenant: Option<&Name>, lease: &Lease) -> Result<(), LedgerError> {
        self.now()?.end(tenant, lease).await
    }

    async fn restore(&self, tenant: Option<&Name>, scope: &Scope, restored: &Restored) -> Result<(), LedgerError> {
        self.now()?.restore(tenant, scope, restored).await
    }

    async fn set_cap(&self, tenant: Option<&Name>, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
        self.now()?.set_cap(tenant, scope, cap).await
    }

    async fn view_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<Option<BudgetView>, LedgerError> {
        self.now()?.view_budget(tenant, scope).await
    }

    async fn forget_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<(), LedgerError> {
        self.now()?.forget_budget(tenant, scope).await
    }
}

fn job() -> Scope {
    Scope::Job(JobId::new("a").expect("allowed"))
}

fn lease(index: u64) -> Lease {
    let stage = StageId::new("users").expect("allowed");
    Lease { job: JobId::new("a").expect("allowed"), shard: ShardId { stage, index }, fence: Fence(1) }
}

fn purchase(id: &str, amount: u64) -> Purchase {
    let id = Name::new(id).expect("allowed");
    Purchase { id, lease: lease(0), amount: NanoUsd(amount), scopes: [job()].into() }
}

fn cashier(books: &Arc<Watched>) -> Arc<Cashier> {
    let frame = Frame { clock: Arc::<ManualClock>::clone(&books.clock), metrics: Metrics::default() };
    Arc::new(Cashier::start(Arc::<Watched>::clone(books), None, &WorkerId("w 1".to_owned()), frame))
}

async fn go(cashier: &Cashier, purchase: Purchase) -> Receipt {
    match cashier.reserve(purchase).await {
        Ok(Paid::Go(receipt)) => receipt,
        other => panic!("expected a receipt, got {other:?}"),
    }
}

#[tokio::test]
async fn what_many_want_at_once_goes_in_one_call() {
    let books = Watched::new();
    books.open(0, NanoUsd::ZERO).await;
    let cashier = cashier(&books);
    let wishes = (0..100).map(|at| cashier.reserve(purchase(&format!("x{at}"), 1)));
    let paid = futures::future::join_all(wishes).await;
    let tickets: BTreeSet<_> = paid.iter().map(|paid| matches!(paid, Ok(Paid::Go(_)))).collect();
    assert_eq!(tickets, BTreeSet::from([true]));
    assert_eq!(books.figures().await, (0, 100));
    assert!(books.reserves.load(Ordering::SeqCst) <= 2);
    assert!(matches!(cashier.reserve(purchase("more", 101)).await, Ok(Paid::Exhausted(_))));
    drop(paid);
    cashier.flush(&lease(0)).await;
    assert_eq!(books.figures().await, (100, 0), "a receipt that is dropped counts in full");
}

#[tokio::test]
async fn who_waits_is_woken_by_a_price_at_once() {
    let books = Watched::new();
    books.open(0, NanoUsd::ZERO).await;
    let cashier = cashier(&books);
    let first = go(&cashier, purchase("first", 90)).await;
    let other = Arc::clone(&cashier);
    let waiting = tokio::spawn(async move { go(&other, purchase("second", 20)).await });
    while books.reserves.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    first.settle(NanoUsd(80));
    waiting.await.expect("ends").settle(NanoUsd(20));
    cashier.flush(&lease(0)).await;
    assert_eq!((books.figures().await, books.clock.now_ms()), ((100, 0), 0), "no time had to pass");
}

#[tokio::test]
async fn who_waits_hears_of_other_processes_in_time() {
    let books = Watched::new();
    books.open(0, NanoUsd::ZERO).await;
    let (one, other) = (cashier(&books), cashier(&books));
    let first = go(&one, purchase("first", 90)).await;
    let its = Arc::clone(&other);
    let waiting = tokio::spawn(async move { go(&its, purchase("second", 20)).await.settle(NanoUsd(5)) });
    while books.reserves.load(Ordering::SeqCst) < 2 {
        tokio::task::yield_now().await;
    }
    first.settle(NanoUsd(10));
    books.reach((15, 0)).await;
    waiting.await.expect("ends");
    assert!(books.clock.now_ms() <= 1_000, "{} ms", books.clock.now_ms());
}

#[tokio::test]
async fn who_stops_waiting_holds_nothing() {
    let books = Watched::new();
    books.open(0, NanoUsd::ZERO).await;
    let cashier = cashier(&books);
    let first = go(&cashier, purchase("first", 90)).await;
    for id in ["second", "third"] {
        let asked = books.reserves.load(Ordering::SeqCst);
        let other = Arc::clone(&cashier);
        let waiting = tokio::spawn(async move { other.reserve(purchase(id, 20)).await });
        while books.reserves.load(Ordering::SeqCst) == asked {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.is_err(), "it waited");
    }
    first.settle(NanoUsd(10));
    books.reach((10, 0)).await;
}

#[tokio::test]
async fn lost_books_are_told_again_what_they_knew() {
    let books = Watched::new();
    books.open(0, NanoUsd::ZERO).await;
    let cashier = cashier(&books);
    let (settled, open) = (go(&cashier, purchase("settled", 10)).await, go(&cashier, purchase("open", 30)).await);
    settled.settle(NanoUsd(7));
    cashier.flush(&lease(0)).await;
    books.wipe();
    let other = Arc::clone(&cashier);
    let waiting = tokio::spawn(async move { go(&other, purchase("later", 50)).await });
    for _ in 0..100 {
        books.clock.advance(100);
        tokio::task::yield_now().await;
    }
    books.open(LEASE_MS, NanoUsd(3)).await;
    books.reach((10, 30)).await;
    assert!(!waiting.is_finished(), "a budget that is being rebuilt pays nothing");
    books.reach((10, 80)).await;
    open.settle(NanoUsd(20));
    waiting.await.expect("ends").settle(NanoUsd(50));
    cashier.flush(&lease(0)).await;
    assert_eq!(books.figures().await, (80, 0));
}

#[tokio::test]
async fn a_ledger_that_is_away_pays_nothing_and_loses_nothing() {
    let books = Watched::new();
    books.open(0, NanoUsd::ZERO).await;
    let cashier = cashier(&books);
    let first = go(&cashier, purchase("first", 10)).await;
    books.is_cut_off.store(true, Ordering::SeqCst);
    first.settle(NanoUsd(4));
    let other = Arc::clone(&cashier);
    let waiting = tokio::spawn(async move { go(&other, purchase("second", 20)).await });
    for _ in 0..10 {
        books.clock.advance(100);
        tokio::task::yield_now().await;
    }
    assert!(!waiting.is_finished());
    books.is_cut_off.store(false, Ordering::SeqCst);
    books.reach((4, 20)).await;
    cashier.end(&lease(0));
    books.reach((24, 0)).await;
    drop(waiting);
}
