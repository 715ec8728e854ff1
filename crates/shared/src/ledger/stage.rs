//! What the ledger in memory knows of one stage. Pure.
//!
//! Its size is a bit per shard plus an entry per shard that waits, runs or failed: bounded by the window, not the stage.

use std::collections::{BTreeMap, BTreeSet};

use super::bitmap::Bitmap;
use super::limits::VIEW_WAITING;
use super::{Beat, Begin, Company, DEATHS, FailedShard, Fence, LEASE_MS, Runner, StageView, WaitingShard, WorkerId};
use crate::job::{Failure, FailureClass, Made, Outcome, Scope, StageId, StageProgress};

#[derive(Debug)]
pub(super) struct StageState {
    shards: u64,
    done: Bitmap,
    /// Every shard below was released, or was done before its turn.
    cursor: u64,
    waiting: BTreeSet<u64>,
    leases: BTreeMap<u64, Held>,
    /// Shards whose last attempt failed, until they are reopened.
    failed: BTreeMap<u64, FailedShard>,
    /// What befell shards that are not done.
    tries: BTreeMap<u64, Tries>,
    made: Made,
}

#[derive(Debug)]
struct Held {
    worker: WorkerId,
    fence: Fence,
    until_ms: u64,
    made: Made,
    is_alone: bool,
}

/// How often a shard was tried in vain.
#[derive(Clone, Copy, Debug, Default)]
struct Tries {
    attempts: u32,
    deaths: u32,
}

impl StageState {
    pub(super) fn new(shards: u64) -> Self {
        Self {
            shards,
            done: Bitmap::new(shards),
            cursor: 0,
            waiting: BTreeSet::new(),
            leases: BTreeMap::new(),
            failed: BTreeMap::new(),
            tries: BTreeMap::new(),
            made: Made::default(),
        }
    }

    pub(super) fn mark_done(&mut self, index: u64, made: Made) {
        if index < self.shards && self.done.insert(index) {
            self.made = self.made.plus(made);
            self.waiting.remove(&index);
            self.leases.remove(&index);
            self.failed.remove(&index);
            self.tries.remove(&index);
        }
    }

    pub(super) fn release(&mut self, most: u64) -> Vec<u64> {
        let mut released = Vec::new();
        while (released.len() as u64) < most && self.skip_known() < self.shards {
            released.push(self.cursor);
            self.waiting.insert(self.cursor);
            self.cursor += 1;
        }
        self.skip_known();
        released
    }

    /// Moves the cursor to the next shard of which nothing is known. One that is known was begun by an old message, before the
    /// ledger was wiped.
    fn skip_known(&mut self) -> u64 {
        while self.cursor < self.shards && self.is_known(self.cursor) {
            self.cursor += 1;
        }
        self.cursor
    }

    fn is_known(&self, index: u64) -> bool {
        self.done.contains(index)
            || self.waiting.contains(&index)
            || self.leases.contains_key(&index)
            || self.failed.contains_key(&index)
    }

    pub(super) fn reopen(&mut self, index: u64) {
        if self.failed.remove(&index).is_some() {
            self.waiting.insert(index);
        }
    }

    /// Why the shard cannot be begun, whoever asks.
    pub(super) fn refusal(&self, index: u64, worker: &WorkerId) -> Option<Begin> {
        if index >= self.shards {
            return Some(Begin::Stopped);
        }
        if self.done.contains(index) {
            return Some(Begin::Done);
        }
        if let Some(held) = self.leases.get(&index) {
            return Some(if held.worker == *worker { Begin::Mine(held.fence) } else { Begin::Busy });
        }
        self.failed.contains_key(&index).then_some(Begin::Busy)
    }

    /// Gives the lease of a shard that nothing refuses; it has the number `next`.
    pub(super) fn begin(&mut self, index: u64, runner: &Runner, next: Fence, now_ms: u64) -> Begin {
        let is_suspect = self.tries(index).deaths >= DEATHS;
        if is_suspect && runner.company == Company::Others {
            return Begin::Alone;
        }
        self.waiting.remove(&index);
        let until_ms = now_ms.saturating_add(LEASE_MS);
        let worker = runner.worker.clone();
        let held = Held { worker, fence: next, until_ms, made: Made::default(), is_alone: is_suspect };
        self.leases.insert(index, held);
        Begin::Go(next)
    }

    pub(super) fn heartbeat(&mut self, index: u64, fence: Fence, made: Made, now_ms: u64) -> Beat {
        match self.leases.get_mut(&index).filter(|held| held.fence == fence) {
            None => Beat::Stop,
            Some(held) => {
                held.until_ms = now_ms.saturating_add(LEASE_MS);
                held.made = made;
                Beat::Continue
            }
        }
    }

    pub(super) fn report(&mut self, index: u64, fence: Fence, outcome: &Outcome, now_ms: u64) {
        if let Outcome::Committed(made) = outcome {
            return self.mark_done(index, *made);
        }
        if self.leases.get(&index).is_none_or(|held| held.fence != fence) {
            return;
        }
        self.leases.remove(&index);
        match outcome {
            Outcome::Failed(failure) => {
                self.tries.entry(index).or_default().attempts += u32::from(failure.scope.counts());
                self.fail(index, failure.clone(), now_ms);
            }
            Outcome::Committed(_) | Outcome::Stopped => {
                self.waiting.insert(index);
            }
        }
    }

    fn fail(&mut self, index: u64, failure: Failure, failed_ms: u64) {
        let Tries { attempts, deaths } = self.tries(index);
        self.failed.insert(index, FailedShard { index, attempts, deaths, failed_ms, failure });
    }

    fn tries(&self, index: u64) -> Tries {
        self.tries.get(&index).copied().unwrap_or_default()
    }

    /// Ends the leases whose heartbeats ceased; whether there were any.
    pub(super) fn expire(&mut self, now_ms: u64) -> bool {
        let over = self.leases.iter().filter(|(_, held)| held.until_ms <= now_ms);
        let over: Vec<(u64, bool)> = over.map(|(index, held)| (*index, held.is_alone)).collect();
        for (index, is_alone) in &over {
            self.leases.remove(index);
            self.tries.entry(*index).or_default().deaths += 1;
            if *is_alone {
                self.fail(*index, deadly(), now_ms);
            } else {
                self.waiting.insert(*index);
            }
        }
        !over.is_empty()
    }

    pub(super) fn view(&self, stage: &StageId) -> StageView {
        StageView {
            stage: stage.clone(),
            shards: self.shards,
            done: self.done.count(),
            leased: self.leases.len() as u64,
            is_released: self.cursor >= self.shards,
            waiting: self.waiting.iter().take(VIEW_WAITING).map(|index| self.waiting_shard(*index)).collect(),
            failed: self.failed.values().cloned().collect(),
        }
    }

    fn waiting_shard(&self, index: u64) -> WaitingShard {
        let Tries { attempts, deaths } = self.tries(index);
        WaitingShard { index, attempt: attempts.saturating_add(deaths).saturating_add(1) }
    }

    pub(super) fn progress(&self, stage: &StageId) -> StageProgress {
        StageProgress {
            stage: stage.clone(),
            shards_done: self.done.count(),
            shards_total: Some(self.shards),
            shards_failed: self.failed.len() as u64,
            made: self.leases.values().map(|held| held.made).fold(self.made, Made::plus),
        }
    }
}

/// Why a shard failed whose worker died while it ran alone. Whoever tries it again loses a worker again.
pub(super) fn deadly() -> Failure {
    let message = "it ended its worker three times, the last time alone: see the worker's log and its memory limit";
    Failure { class: FailureClass::Death, ..Failure::new(Scope::Final, message) }
}
