//! The port to limits, call by call.

use async_trait::async_trait;

use super::link::Call;
use super::{LedgerError, RedisLedger};
use crate::job::Name;
use crate::ledger::limit::{
    AHEAD_NS, Claimant, Correction, DEPTH_NS, Dimension, GRACE_MS, LEAD_NS, Limits, Model, Need, Observed, Quota,
    SILENT_MS, SLICE_CALLS, SLOTS_MS, Slice, TURN_MS, Want,
};

/// What stands for no tenant: no name begins so.
const NOBODY: &str = "-";

fn tenant(claimant: &Claimant) -> &str {
    claimant.tenant.as_ref().map_or(NOBODY, Name::as_str)
}

fn listed(quota: &Quota) -> String {
    let Quota { requests, tokens, input_tokens, output_tokens, concurrency } = quota;
    let numbers = [requests, tokens, input_tokens, output_tokens, concurrency];
    numbers.map(|number| number.map_or(0, |number| number.get()).to_string()).join(" ")
}

fn with_need<'a>(call: Call<'a>, need: &Need) -> Call<'a> {
    call.arg(need.requests).arg(need.input_tokens).arg(need.output_tokens)
}

#[async_trait]
impl Limits for RedisLedger {
    async fn want(&self, model: &Model, want: &Want) -> Result<Slice, LedgerError> {
        let call = self.on_limit(&self.scripts.limit.want, model);
        let bounds = [AHEAD_NS, SLICE_CALLS, SILENT_MS, SLOTS_MS, TURN_MS, LEAD_NS, GRACE_MS];
        let call = bounds.iter().fold(call, |call, bound| call.arg(bound));
        let Claimant { job, weight, worker, .. } = &want.claimant;
        let call = call.arg(tenant(&want.claimant)).arg(job).arg(weight).arg(&worker.0).arg(listed(&want.quota));
        let call = with_need(call.arg(want.calls), &want.each).arg(want.slots).arg(want.running);
        let (calls, wait_ns, length_ns, slots) = self.link.run(&call).await?;
        Ok(Slice { calls, wait_ns, length_ns, slots })
    }

    async fn correct(&self, model: &Model, claimant: &Claimant, correction: &Correction) -> Result<(), LedgerError> {
        let call = self.on_limit(&self.scripts.limit.correct, model).arg(tenant(claimant)).arg(&claimant.job);
        self.link.run(&with_need(with_need(call, &correction.unused), &correction.overrun)).await
    }

    async fn leave(&self, model: &Model, claimant: &Claimant) -> Result<(), LedgerError> {
        let call = self.on_limit(&self.scripts.limit.leave, model).arg(tenant(claimant));
        self.link.run(&call.arg(&claimant.job).arg(&claimant.worker.0)).await
    }

    async fn set_quota(&self, model: &Model, quota: Option<&Quota>) -> Result<(), LedgerError> {
        let call = self.on_limit(&self.scripts.limit.set_quota, model);
        self.link.run(&quota.map(listed).iter().fold(call, |call, quota| call.arg(quota))).await
    }

    async fn observed(&self, model: &Model, dimension: Dimension, observed: &Observed) -> Result<(), LedgerError> {
        let place = Dimension::ALL.iter().take_while(|known| **known != dimension).count() + 1;
        let told = |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let call = self.on_limit(&self.scripts.limit.observed, model).arg(place);
        let per_minute = told(observed.per_minute.map(|per_minute| per_minute.get()));
        self.link.run(&call.arg(per_minute).arg(told(observed.remaining))).await
    }

    async fn pause(&self, model: &Model, for_ms: u64) -> Result<(), LedgerError> {
        self.link.run(&self.on_limit(&self.scripts.limit.pause, model).arg(for_ms)).await
    }
}

impl RedisLedger {
    /// A script on a model's limits, with what every one of them is given.
    fn on_limit<'a>(&self, script: &'a redis::Script, model: &Model) -> Call<'a> {
        Call::new(script, format!("{{{}:l:{model}}}", self.options.prefix))
            .arg(u64::from(self.options.keep_days) * super::DAY_S)
            .arg(self.ahead_ms())
            .arg(DEPTH_NS)
    }
}
