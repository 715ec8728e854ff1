//! The limits of the ledger in memory.

use async_trait::async_trait;

use super::{Claimant, Correction, Dimension, Limit, Limits, Model, Observed, Quota, Slice, Want};
use crate::ledger::{LedgerError, MemoryLedger};

impl MemoryLedger {
    fn limit<T>(&self, model: &Model, act: impl FnOnce(&mut Limit, u64) -> T) -> T {
        let now_ns = self.clock.now_ms().saturating_mul(1_000_000);
        let mut limits = self.limits.lock().expect("no holder of the lock panics");
        act(limits.entry(model.clone()).or_insert_with(|| Limit::empty(now_ns)), now_ns)
    }
}

#[async_trait]
impl Limits for MemoryLedger {
    async fn want(&self, model: &Model, want: &Want) -> Result<Slice, LedgerError> {
        Ok(self.limit(model, |limit, now_ns| limit.want(want, now_ns)))
    }

    async fn correct(&self, model: &Model, claimant: &Claimant, correction: &Correction) -> Result<(), LedgerError> {
        self.limit(model, |limit, now_ns| limit.correct(claimant, correction, now_ns));
        Ok(())
    }

    async fn leave(&self, model: &Model, claimant: &Claimant) -> Result<(), LedgerError> {
        self.limit(model, |limit, _| limit.leave(claimant));
        Ok(())
    }

    async fn set_quota(&self, model: &Model, quota: Option<&Quota>) -> Result<(), LedgerError> {
        self.limit(model, |limit, _| limit.set_quota(quota));
        Ok(())
    }

    async fn observed(&self, model: &Model, dimension: Dimension, observed: &Observed) -> Result<(), LedgerError> {
        self.limit(model, |limit, now_ns| limit.observed(dimension, observed, now_ns));
        Ok(())
    }

    async fn pause(&self, model: &Model, for_ms: u64) -> Result<(), LedgerError> {
        self.limit(model, |limit, now_ns| limit.pause(for_ms, now_ns));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::ledger::conformance::limit::{self, House};
    use crate::process::{Clock, ManualClock};

    struct Twin {
        clock: Arc<ManualClock>,
        ledger: Mutex<MemoryLedger>,
    }

    fn ledger(clock: &Arc<ManualClock>) -> MemoryLedger {
        MemoryLedger::new(Arc::<ManualClock>::clone(clock))
    }

    #[async_trait]
    impl House for Twin {
        fn limits(&self) -> Arc<dyn Limits> {
            Arc::new(self.ledger.lock().expect("no panic").clone())
        }

        fn advance(&self, by_ms: u64) {
            self.clock.advance(by_ms);
        }

        fn now_ms(&self) -> u64 {
            self.clock.now_ms()
        }

        async fn wipe(&self) {
            *self.ledger.lock().expect("no panic") = ledger(&self.clock);
        }
    }

    #[tokio::test]
    async fn keeps_the_law_of_limits() {
        let clock = Arc::default();
        let ledger = Mutex::new(ledger(&clock));
        limit::all(&Twin { clock, ledger }, 60).await;
    }
}
