//! The ledger in memory: the default, and what local runs use.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::watch;

use super::budget::Books;
use super::crew::Crew;
use super::limit::{Limit, Model};
use super::stage::StageState;
use super::{Beat, Begin, Epoch, Fence, Lease, Ledger, LedgerError, RunState, Runner, View, WorkerId};
use crate::job::{JobId, Made, Name, Outcome, Pool, Progress, ShardId, StageId};
use crate::process::Clock;

/// A ledger that is gone with its process. Clones share what they know.
#[derive(Clone, Debug)]
pub struct MemoryLedger {
    jobs: Arc<Mutex<HashMap<JobId, JobState>>>,
    crew: Arc<Mutex<Crew>>,
    /// How many changes of any job there were.
    changes: Arc<watch::Sender<u64>>,
    /// The last number of a lease, at least the time in microseconds. Jobs share it: one that was forgotten gives no number
    /// again, and neither does a later process that goes on with the same job.
    fence: Arc<AtomicU64>,
    pub(super) tenants: Arc<Mutex<HashMap<Option<Name>, Books>>>,
    pub(super) limits: Arc<Mutex<HashMap<Model, Limit>>>,
    pub(super) clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct JobState {
    stages: Vec<(StageId, StageState)>,
    run_state: RunState,
    writer: Option<String>,
    revision: watch::Sender<u64>,
}

impl JobState {
    /// A job without stages, whose revisions begin above `changes`.
    fn new(changes: u64) -> Self {
        Self { stages: Vec::new(), run_state: RunState::default(), writer: None, revision: watch::Sender::new(changes) }
    }

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
        Self {
            jobs: Arc::default(),
            crew: Arc::default(),
            changes: Arc::new(watch::Sender::new(0)),
            fence: Arc::default(),
            tenants: Arc::default(),
            limits: Arc::default(),
            clock,
        }
    }

    fn next_fence(&self) -> Fence {
        let now_us = self.clock.unix_ms().saturating_mul(1_000);
        let next = |last: u64| last.saturating_add(1).max(now_us);
        let last = self.fence.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)));
        let (Ok(last) | Err(last)) = last;
        Fence(next(last))
    }

    fn with<T>(
        &self,
        job: &JobId,
        act: impl FnOnce(&mut JobState) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut jobs = self.jobs.lock().expect("no holder of the lock panics");
        let state = jobs.get_mut(job).ok_or_else(|| LedgerError::Unknown(job.to_string()))?;
        let before = *state.revision.borrow();
        let end = act(state);
        let is_changed = *state.revision.borrow() != before;
        if is_changed {
            self.changes.send_modify(|changes| *changes += 1);
        }
        end
    }

    /// Makes the job known.
    fn know(&self, job: &JobId) {
        let mut jobs = self.jobs.lock().expect("no holder of the lock panics");
        jobs.entry(job.clone()).or_insert_with(|| JobState::new(*self.changes.borrow()));
    }

    fn crew<T>(&self, act: impl FnOnce(&mut Crew) -> T) -> T {
        act(&mut self.crew.lock().expect("no holder of the lock panics"))
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
        self.know(job);
        self.with(job, |state| {
            if state.stage(stage).is_err() {
                state.stages.push((stage.clone(), StageState::new(shards)));
                state.changed();
            }
            Ok(())
        })
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

    async fn set_run_state(&self, job: &JobId, state: RunState) -> Result<(), LedgerError> {
        self.know(job);
        self.change(job, |known| {
            known.run_state = state;
            Ok(())
        })
    }

    async fn pin(&self, job: &JobId, writer: &str) -> Result<(), LedgerError> {
        self.know(job);
        self.change(job, |known| {
            known.writer = Some(writer.to_owned());
            Ok(())
        })
    }

    async fn forget(&self, job: &JobId) -> Result<(), LedgerError> {
        if self.jobs.lock().expect("no holder of the lock panics").remove(job).is_some() {
            self.changes.send_modify(|changes| *changes += 1);
        }
        Ok(())
    }

    async fn begin(&self, job: &JobId, shard: &ShardId, runner: &Runner) -> Result<Begin, LedgerError> {
        let now_ms = self.clock.now_ms();
        let begun = self.with(job, |state| {
            if state.run_state != RunState::Running {
                return Ok(Begin::Stopped);
            }
            if let Some(refusal) = state.stage(&shard.stage)?.refusal(shard.index, &runner.worker) {
                return Ok(refusal);
            }
            if state.writer.as_ref().is_some_and(|writer| *writer != runner.writer) {
                return Ok(Begin::OtherWriter);
            }
            let next = self.next_fence();
            Ok(state.stage(&shard.stage)?.begin(shard.index, runner, next, now_ms))
        });
        match begun {
            Err(LedgerError::Unknown(_)) => Ok(Begin::Stopped),
            other => other,
        }
    }

    async fn heartbeat(&self, lease: &Lease, made: Made) -> Result<Beat, LedgerError> {
        let now_ms = self.clock.now_ms();
        self.with(&lease.job, |state| {
            let is_stopped = state.run_state == RunState::Stopped;
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
            Ok(View { revision: *state.revision.borrow(), now_ms, run_state: state.run_state, stages })
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
    async fn wait_any(&self, seen: u64) -> u64 {
        let mut changes = self.changes.subscribe();
        *changes.wait_for(|changes| *changes != seen).await.expect("the ledger keeps its own sender")
    }

    async fn present(&self, worker: &WorkerId, writer: &str, pool: Pool, slots: u32) -> Result<(), LedgerError> {
        self.crew(|crew| crew.present((worker, writer), pool, slots, self.clock.now_ms()));
        Ok(())
    }

    async fn gone(&self, worker: &WorkerId) -> Result<(), LedgerError> {
        self.crew(|crew| crew.gone(worker));
        Ok(())
    }

    async fn writers(&self, pool: Pool) -> Result<BTreeMap<String, u64>, LedgerError> {
        Ok(self.crew(|crew| crew.writers(pool, self.clock.now_ms())))
    }

    async fn lead(&self, name: &str, holder: &WorkerId) -> Result<Option<Epoch>, LedgerError> {
        Ok(self.crew(|crew| crew.lead(name, holder, self.clock.now_ms())))
    }

    async fn resign(&self, name: &str, holder: &WorkerId) -> Result<(), LedgerError> {
        self.crew(|crew| crew.resign(name, holder));
        Ok(())
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
        conformance::in_time(&ledger, &|by_ms| clock.advance(by_ms)).await;
    }

    #[test]
    fn a_later_process_gives_no_number_again() {
        let clock = Arc::new(ManualClock::default());
        clock.advance(1_793_000_000_000);
        let ledger = || MemoryLedger::new(Arc::<ManualClock>::clone(&clock));
        let first = ledger();
        let last = (0..900).map(|_| first.next_fence()).max();
        clock.advance(1);
        assert!(Some(ledger().next_fence()) > last);
    }
}
