//! A ledger whose calls are measured. Waiting for a change is no call.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::Metrics;
use super::calls::Calls;
use crate::job::{JobId, Made, Outcome, Pool, Progress, ShardId, StageId};
use crate::ledger::{Beat, Begin, Epoch, Finding, Lease, Ledger, LedgerError, RunState, Runner, View, WorkerId};

const LEDGER: &str = "ledger";

/// Another ledger, measured.
#[derive(Clone, Debug)]
pub struct MeasuredLedger {
    ledger: Arc<dyn Ledger>,
    calls: Calls,
}

impl MeasuredLedger {
    /// Measures the calls of `ledger`.
    pub fn new(ledger: Arc<dyn Ledger>, metrics: &Metrics) -> Self {
        Self { ledger, calls: metrics.calls.clone() }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Ledger for MeasuredLedger {
    async fn open(&self, job: &JobId, stage: &StageId, shards: u64) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "open", self.ledger.open(job, stage, shards)).await
    }

    async fn mark_done(&self, job: &JobId, shard: &ShardId, made: Made) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "mark_done", self.ledger.mark_done(job, shard, made)).await
    }

    async fn mark_all_done(&self, job: &JobId, stage: &StageId, done: &[(u64, Made)]) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "mark_all_done", self.ledger.mark_all_done(job, stage, done)).await
    }

    async fn release(&self, job: &JobId, stage: &StageId, most: u64) -> Result<Vec<u64>, LedgerError> {
        self.calls.measured(LEDGER, "release", self.ledger.release(job, stage, most)).await
    }

    async fn reopen(&self, job: &JobId, shard: &ShardId) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "reopen", self.ledger.reopen(job, shard)).await
    }

    async fn set_run_state(&self, job: &JobId, state: RunState) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "set_run_state", self.ledger.set_run_state(job, state)).await
    }

    async fn stop(&self, job: &JobId) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "stop", self.ledger.stop(job)).await
    }

    async fn forget(&self, job: &JobId) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "forget", self.ledger.forget(job)).await
    }

    async fn begin(&self, job: &JobId, shard: &ShardId, runner: &Runner) -> Result<Begin, LedgerError> {
        self.calls.measured(LEDGER, "begin", self.ledger.begin(job, shard, runner)).await
    }

    async fn heartbeat(&self, lease: &Lease, made: Made) -> Result<Beat, LedgerError> {
        self.calls.measured(LEDGER, "heartbeat", self.ledger.heartbeat(lease, made)).await
    }

    async fn report(&self, lease: &Lease, outcome: &Outcome) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "report", self.ledger.report(lease, outcome)).await
    }

    async fn view(&self, job: &JobId) -> Result<View, LedgerError> {
        self.calls.measured(LEDGER, "view", self.ledger.view(job)).await
    }

    async fn progress(&self, job: &JobId) -> Result<Progress, LedgerError> {
        self.calls.measured(LEDGER, "progress", self.ledger.progress(job)).await
    }

    async fn wait_change(&self, job: &JobId, seen: u64) -> Result<(), LedgerError> {
        self.ledger.wait_change(job, seen).await
    }

    async fn wait_any(&self, seen: u64) -> u64 {
        self.ledger.wait_any(seen).await
    }

    async fn present(&self, worker: &WorkerId, writer: &str, pool: Pool, slots: u32) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "present", self.ledger.present(worker, writer, pool, slots)).await
    }

    async fn gone(&self, worker: &WorkerId) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "gone", self.ledger.gone(worker)).await
    }

    async fn writers(&self, pool: Pool) -> Result<BTreeMap<String, u64>, LedgerError> {
        self.calls.measured(LEDGER, "writers", self.ledger.writers(pool)).await
    }

    async fn pin(&self, job: &JobId, writer: &str) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "pin", self.ledger.pin(job, writer)).await
    }

    async fn slots(&self, pool: Pool) -> Result<u64, LedgerError> {
        self.calls.measured(LEDGER, "slots", self.ledger.slots(pool)).await
    }

    async fn lead(&self, name: &str, holder: &WorkerId) -> Result<Option<Epoch>, LedgerError> {
        self.calls.measured(LEDGER, "lead", self.ledger.lead(name, holder)).await
    }

    async fn resign(&self, name: &str, holder: &WorkerId) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "resign", self.ledger.resign(name, holder)).await
    }

    async fn check(&self) -> Vec<Finding> {
        self.ledger.check().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{MemoryLedger, conformance};
    use crate::process::MonotonicClock;

    #[tokio::test]
    async fn keeps_the_law_of_ledgers() {
        let ledger = MemoryLedger::new(Arc::new(MonotonicClock::start()));
        conformance::all(&MeasuredLedger::new(Arc::new(ledger), &Metrics::default())).await;
    }
}
