//! Limits whose calls are measured.

use std::sync::Arc;

use async_trait::async_trait;

use super::Metrics;
use super::calls::Calls;
use crate::ledger::LedgerError;
use crate::ledger::limit::{Claimant, Correction, Dimension, Limits, Model, Observed, Quota, Slice, Want};

const LEDGER: &str = "ledger";

/// Other limits, measured.
#[derive(Clone, Debug)]
pub struct MeasuredLimits {
    limits: Arc<dyn Limits>,
    calls: Calls,
}

impl MeasuredLimits {
    /// Measures the calls of `limits`.
    pub fn new(limits: Arc<dyn Limits>, metrics: &Metrics) -> Self {
        Self { limits, calls: metrics.calls.clone() }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Limits for MeasuredLimits {
    async fn want(&self, model: &Model, want: &Want) -> Result<Slice, LedgerError> {
        self.calls.measured(LEDGER, "want", self.limits.want(model, want)).await
    }

    async fn correct(&self, model: &Model, claimant: &Claimant, correction: &Correction) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "correct", self.limits.correct(model, claimant, correction)).await
    }

    async fn leave(&self, model: &Model, claimant: &Claimant) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "leave", self.limits.leave(model, claimant)).await
    }

    async fn set_quota(&self, model: &Model, quota: Option<&Quota>) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "set_quota", self.limits.set_quota(model, quota)).await
    }

    async fn observed(&self, model: &Model, dimension: Dimension, observed: &Observed) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "observed", self.limits.observed(model, dimension, observed)).await
    }

    async fn pause(&self, model: &Model, for_ms: u64) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "pause", self.limits.pause(model, for_ms)).await
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use super::*;
    use crate::job::{JobId, Name};
    use crate::ledger::limit::Need;
    use crate::ledger::{MemoryLedger, WorkerId};
    use crate::process::ManualClock;

    #[tokio::test]
    async fn what_is_asked_is_measured() {
        let metrics = Metrics::default();
        let limits = MeasuredLimits::new(Arc::new(MemoryLedger::new(Arc::<ManualClock>::default())), &metrics);
        let model = Model::new(&Name::new("cloud").expect("allowed"), "small");
        let (job, worker) = (JobId::new("a").expect("allowed"), WorkerId("w 1".to_owned()));
        let claimant = Claimant { tenant: None, job, weight: 5, worker };
        let each = Need { requests: 1, ..Need::default() };
        let want = Want { claimant, quota: Quota::default(), calls: 2, each, slots: 2, running: 0 };
        assert_eq!(limits.want(&model, &want).await.expect("answers").calls, 2);
        limits.leave(&model, &want.claimant).await.expect("leaves");
        let (mut registry, mut text) = (Registry::default(), String::new());
        metrics.register(&mut registry);
        encode(&mut text, &registry).expect("encodes");
        for operation in ["want", "leave"] {
            let line = format!("shardmill_call_seconds_count{{to=\"ledger\",operation=\"{operation}\"}} 1");
            assert!(text.contains(&line), "no {line} in\n{text}");
        }
    }
}
