//! A ledger that cannot be reached, or never answers.

use std::collections::BTreeMap;
use std::future::pending;

use async_trait::async_trait;
use shardmill_shared::job::{JobId, Made, Outcome, Pool, Progress, ShardId, StageId};
use shardmill_shared::ledger::{Beat, Begin, Epoch, Lease, Ledger, LedgerError, RunState, Runner, View, WorkerId};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Away {
    Refusing,
    Silent,
}

type Answer<T> = Result<T, LedgerError>;

impl Away {
    async fn answer<T>(self) -> Answer<T> {
        match self {
            Self::Refusing => Err(LedgerError::Transient { reason: "connection refused".to_owned() }),
            Self::Silent => pending().await,
        }
    }
}

#[async_trait]
impl Ledger for Away {
    async fn open(&self, _: &JobId, _: &StageId, _: u64) -> Answer<()> {
        self.answer().await
    }
    async fn mark_done(&self, _: &JobId, _: &ShardId, _: Made) -> Answer<()> {
        self.answer().await
    }
    async fn release(&self, _: &JobId, _: &StageId, _: u64) -> Answer<Vec<u64>> {
        self.answer().await
    }
    async fn reopen(&self, _: &JobId, _: &ShardId) -> Answer<()> {
        self.answer().await
    }
    async fn set_run_state(&self, _: &JobId, _: RunState) -> Answer<()> {
        self.answer().await
    }
    async fn pin(&self, _: &JobId, _: &str) -> Answer<()> {
        self.answer().await
    }
    async fn forget(&self, _: &JobId) -> Answer<()> {
        self.answer().await
    }
    async fn begin(&self, _: &JobId, _: &ShardId, _: &Runner) -> Answer<Begin> {
        self.answer().await
    }
    async fn heartbeat(&self, _: &Lease, _: Made) -> Answer<Beat> {
        self.answer().await
    }
    async fn report(&self, _: &Lease, _: &Outcome) -> Answer<()> {
        self.answer().await
    }
    async fn view(&self, _: &JobId) -> Answer<View> {
        self.answer().await
    }
    async fn progress(&self, _: &JobId) -> Answer<Progress> {
        self.answer().await
    }
    async fn wait_change(&self, _: &JobId, _: u64) -> Answer<()> {
        self.answer().await
    }
    async fn wait_any(&self, _: u64) -> u64 {
        pending().await
    }
    async fn present(&self, _: &WorkerId, _: &str, _: Pool, _: u32) -> Answer<()> {
        self.answer().await
    }
    async fn gone(&self, _: &WorkerId) -> Answer<()> {
        self.answer().await
    }
    async fn writers(&self, _: Pool) -> Answer<BTreeMap<String, u64>> {
        self.answer().await
    }
    async fn lead(&self, _: &str, _: &WorkerId) -> Answer<Option<Epoch>> {
        self.answer().await
    }
    async fn resign(&self, _: &str, _: &WorkerId) -> Answer<()> {
        self.answer().await
    }
}
