//! The ledger in memory: the default, and what local runs use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::watch;

use super::stage::StageState;
use super::{Beat, Begin, Fence, Lease, Ledger, LedgerError, View, WorkerId};
use crate::job::{JobId, Made, Outcome, Progress, ShardId, StageId};
use crate::process::Clock;

/// A ledger that is gone with its process. Clones share what they know.
#[derive(Clone, Debug)]
pub struct MemoryLedger {
    jobs: Arc<Mutex<HashMap<JobId, JobState>>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct JobState {
    stages: Vec<(StageId, StageState)>,
    fence: u64,
    is_stopped: bool,
    revision: watch::Sender<u64>,
}

impl Default for JobState {
    fn default() -> Self {
        Self { stages: Vec::new(), fence: 0, is_stopped: false, revision: watch::Sender::new(0) }
    }
}

impl JobState {
    fn stage(&mut self, id: &StageId) -> Result<&mut StageState, LedgerError> {
        let found = self.stages.iter_mut().find(|(stage, _)| stage == id);
        found.map(|(_, state)| state).ok_or_else(|| LedgerError::Unknown(id.to_string()))
    }

    fn changed(&self) {
        self.revision.send_modify(|revision| *revision += 1);
    }
}

impl MemoryLedger {
    /// A ledger that knows nothing yet; `clock` is its time.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { jobs: Arc::default(), clock }
    }

    fn with<T>(
        &self,
        job: &JobId,
        act: impl FnOnce(&mut JobState) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut jobs = self.jobs.lock().expect("no holder of the lock panics");
        act(jobs.get_mut(job).ok_or_else(|| LedgerError::Unknown(job.to_string()))?)
    }

    /// As `with`, for what could matter to the scheduler.
    fn change<T>(
        &self,
        job: &JobId,
        act: impl FnOnce(&mut JobState) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        self.with(job, |state| act(state).inspect(|_| state.changed()))
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn open(&self, job: &JobId, stage: &StageId, shards: u64) -> Result<(), LedgerError> {
        let mut jobs = self.jobs.lock().expect("no holder of the lock panics");
        let state = jobs.entry(job.clone()).or_default();
        if state.stage(stage).is_err() {
            state.stages.push((stage.clone(), StageState::new(shards)));
            state.changed();
        }
        Ok(())
    }

    async fn mark_done(&self, job: &JobId, shard: &ShardId, made: Made) -> Result<(), LedgerError> {
        self.change(job, |state| state.stage(&shard.stage).map(|stage| stage.mark_done(shard.index, made)))
    }

    async fn release(&self, job: &JobId, stage: &StageId, most: u64) -> Result<Vec<u64>, LedgerError> {
        self.change(job, |state| state.stage(stage).map(|stage| stage.release(most)))
    }

    async fn reopen(&self, job: &JobId, shard: &ShardId) -> Result<(), LedgerError> {
        self.change(job, |state| state.stage(&shard.stage).map(|stage| stage.reopen(shard.index)))
    }

    async fn stop(&self, job: &JobId) -> Result<(), LedgerError> {
        self.change(job, |state| {
            state.is_stopped = true;
            Ok(())
        })
    }

    async fn begin(&self, job: &JobId, shard: &ShardId, worker: &WorkerId) -> Result<Begin, LedgerError> {
        let now_ms = self.clock.now_ms();
        let begun = self.with(job, |state| {
            if state.is_stopped {
                return Ok(Begin::Stopped);
            }
            let next = Fence(state.fence + 1);
            let begin = state.stage(&shard.stage)?.begin(shard.index, worker, next, now_ms);
            if begin == Begin::Go(next) {
                state.fence = next.0;
                state.changed();
            }
            Ok(begin)
        });
        match begun {
            Err(LedgerError::Unknown(_)) => Ok(Begin::Stopped),
            other => other,
        }
    }

    async fn heartbeat(&self, lease: &Lease, made: Made) -> Result<Beat, LedgerError> {
        let now_ms = self.clock.now_ms();
        self.with(&lease.job, |state| {
            let is_stopped = state.is_stopped;
            let beat = state.stage(&lease.shard.stage)?.heartbeat(lease.shard.index, lease.fence, made, now_ms);
            Ok(if is_stopped { Beat::Stop } else { beat })
        })
    }

    async fn report(&self, lease: &Lease, outcome: &Outcome) -> Result<(), LedgerError> {
        let now_ms = self.clock.now_ms();
        self.change(&lease.job, |state| {
            let stage = state.stage(&lease.shard.stage)?;
            stage.report(lease.shard.index, lease.fence, outcome, now_ms);
            Ok(())
        })
    }

    async fn view(&self, job: &JobId) -> Result<View, LedgerError> {
        let now_ms = self.clock.now_ms();
        self.with(job, |state| {
            let ended = state.stages.iter_mut().fold(false, |any, (_, stage)| stage.expire(now_ms) || any);
            if ended {
                state.changed();
            }
            let stages = state.stages.iter().map(|(id, stage)| stage.view(id)).collect();
            Ok(View { revision: *state.revision.borrow(), now_ms, is_stopped: state.is_stopped, stages })
        })
    }

    async fn progress(&self, job: &JobId) -> Result<Progress, LedgerError> {
        self.with(job, |state| {
            Ok(Progress { stages: state.stages.iter().map(|(id, stage)| stage.progress(id)).collect() })
        })
    }

    async fn wait_change(&self, job: &JobId, seen: u64) -> Result<(), LedgerError> {
        let mut revision = self.with(job, |state| Ok(state.revision.subscribe()))?;
        let gone = |_| LedgerError::Unknown(job.to_string());
        revision.wait_for(|revision| *revision != seen).await.map(|_| ()).map_err(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::super::conformance;
    use super::*;
    use crate::process::ManualClock;

    #[tokio::test]
    async fn keeps_the_law_of_ledgers() {
        let clock = Arc::new(ManualClock::default());
        let ledger = MemoryLedger::new(Arc::<ManualClock>::clone(&clock));
        conformance::all(&ledger).await;
        conformance::a_lease_without_heartbeats_ends(&ledger, &|by_ms| clock.advance(by_ms)).await;
    }
}
