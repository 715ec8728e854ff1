//! A ledger that forgets everything in the middle of a job.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use shardmill_shared::job::{JobId, Made, Outcome, Pool, Progress, ShardId, StageId};
use shardmill_shared::ledger::{
    Beat, Begin, Epoch, Lease, Ledger, LedgerError, MemoryLedger, RunState, Runner, View, WorkerId,
};
use shardmill_shared::process::Clock;

/// Forgets everything at one of its calls.
#[derive(Debug)]
pub struct Wiped {
    ledger: Mutex<MemoryLedger>,
    clock: Arc<dyn Clock>,
    calls: AtomicU64,
    at: u64,
}

impl Wiped {
    /// A ledger that forgets everything at call number `at`.
    pub fn at(at: u64, clock: Arc<dyn Clock>) -> Self {
        Self { ledger: Mutex::new(MemoryLedger::new(Arc::clone(&clock))), clock, calls: AtomicU64::new(0), at }
    }

    /// Whether it did.
    pub fn is_wiped(&self) -> bool {
        self.calls.load(Ordering::SeqCst) > self.at
    }

    fn now(&self) -> MemoryLedger {
        let mut ledger = self.ledger.lock().expect("no holder of the lock panics");
        if self.calls.fetch_add(1, Ordering::SeqCst) == self.at {
            *ledger = MemoryLedger::new(Arc::clone(&self.clock));
        }
        ledger.clone()
    }
}

#[async_trait]
impl Ledger for Wiped {
    async fn open(&self, job: &JobId, stage: &StageId, shards: u64) -> Result<(), LedgerError> {
        self.now().open(job, stage, shards).await
    }

    async fn mark_done(&self, job: &JobId, shard: &ShardId, made: Made) -> Result<(), LedgerError> {
        self.now().mark_done(job, shard, made).await
    }

    async fn release(&self, job: &JobId, stage: &StageId, most: u64) -> Result<Vec<u64>, LedgerError> {
        self.now().release(job, stage, most).await
    }

    async fn reopen(&self, job: &JobId, shard: &ShardId) -> Result<(), LedgerError> {
        self.now().reopen(job, shard).await
    }

    async fn set_run_state(&self, job: &JobId, state: RunState) -> Result<(), LedgerError> {
        self.now().set_run_state(job, state).await
    }

    async fn pin(&self, job: &JobId, writer: &str) -> Result<(), LedgerError> {
        self.now().pin(job, writer).await
    }

    async fn forget(&self, job: &JobId) -> Result<(), LedgerError> {
        self.now().forget(job).await
    }

    async fn begin(&self, job: &JobId, shard: &ShardId, runner: &Runner) -> Result<Begin, LedgerError> {
        self.now().begin(job, shard, runner).await
    }

    async fn heartbeat(&self, lease: &Lease, made: Made) -> Result<Beat, LedgerError> {
        self.now().heartbeat(lease, made).await
    }

    async fn report(&self, lease: &Lease, outcome: &Outcome) -> Result<(), LedgerError> {
        self.now().report(lease, outcome).await
    }

    async fn view(&self, job: &JobId) -> Result<View, LedgerError> {
        self.now().view(job).await
    }

    async fn progress(&self, job: &JobId) -> Result<Progress, LedgerError> {
        self.now().progress(job).await
    }

    async fn wait_change(&self, job: &JobId, seen: u64) -> Result<(), LedgerError> {
        let ledger = self.now();
        ledger.wait_change(job, seen).await
    }

    async fn wait_any(&self, seen: u64) -> u64 {
        let ledger = self.now();
        ledger.wait_any(seen).await
    }

    async fn present(&self, worker: &WorkerId, writer: &str, pool: Pool, slots: u32) -> Result<(), LedgerError> {
        self.now().present(worker, writer, pool, slots).await
    }

    async fn gone(&self, worker: &WorkerId) -> Result<(), LedgerError> {
        self.now().gone(worker).await
    }

    async fn writers(&self, pool: Pool) -> Result<BTreeMap<String, u64>, LedgerError> {
        self.now().writers(pool).await
    }

    async fn lead(&self, name: &str, holder: &WorkerId) -> Result<Option<Epoch>, LedgerError> {
        self.now().lead(name, holder).await
    }

    async fn resign(&self, name: &str, holder: &WorkerId) -> Result<(), LedgerError> {
        self.now().resign(name, holder).await
    }
}
