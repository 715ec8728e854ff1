//! What the ledger in memory knows of one stage. Pure.
//!
//! Its size is a bit per shard plus an entry per shard that waits, runs or failed: bounded by the window, not the stage.

use std::collections::{BTreeMap, BTreeSet};

use super::bitmap::Bitmap;
use super::{Beat, Begin, FailedShard, Fence, LEASE_MS, StageView, WaitingShard, WorkerId};
use crate::job::{Failure, Made, Outcome, Scope, StageId, StageProgress};

#[derive(Debug)]
pub(super) struct StageState {
    shards: u64,
    done: Bitmap,
    /// Every shard below was released, or was done before its turn.
    cursor: u64,
    waiting: BTreeSet<u64>,
    leases: BTreeMap<u64, Held>,
    failed: BTreeMap<u64, Failed>,
    made: Made,
}

#[derive(Debug)]
struct Held {
    worker: WorkerId,
    fence: Fence,
    until_ms: u64,
    made: Made,
}

/// The failures of a shard; kept while it is tried again, so that attempts stay counted.
#[derive(Debug)]
struct Failed {
    attempts: u32,
    failed_ms: u64,
    failure: Failure,
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
            made: Made::default(),
        }
    }

    pub(super) fn mark_done(&mut self, index: u64, made: Made) {
        if self.done.insert(index) {
            self.made = self.made.plus(made);
            self.waiting.remove(&index);
            self.leases.remove(&index);
            self.failed.remove(&index);
        }
    }

    pub(super) fn release(&mut self, most: u64) -> Vec<u64> {
        let mut released = Vec::new();
        while (released.len() as u64) < most && self.skip_done() < self.shards {
            released.push(self.cursor);
            self.waiting.insert(self.cursor);
            self.cursor += 1;
        }
        self.skip_done();
        released
    }

    /// Moves the cursor to the next shard that is not done.
    fn skip_done(&mut self) -> u64 {
        while self.cursor < self.shards && self.done.contains(self.cursor) {
            self.cursor += 1;
        }
        self.cursor
    }

    pub(super) fn reopen(&mut self, index: u64) {
        if self.is_resting(index) {
            self.waiting.insert(index);
        }
    }

    /// Whether the last attempt failed and the next was not yet asked for.
    fn is_resting(&self, index: u64) -> bool {
        self.failed.contains_key(&index) && !self.waiting.contains(&index) && !self.leases.contains_key(&index)
    }

    /// Answers who asks for the lease of `index`; a lease that is given has the number `next`.
    pub(super) fn begin(&mut self, index: u64, worker: &WorkerId, next: Fence, now_ms: u64) -> Begin {
        if index >= self.shards {
            return Begin::Stopped;
        }
        if self.done.contains(index) {
            return Begin::Done;
        }
        if let Some(held) = self.leases.get(&index) {
            return if held.worker == *worker { Begin::Mine(held.fence) } else { Begin::Busy };
        }
        if self.is_resting(index) {
            return Begin::Busy;
        }
        self.waiting.remove(&index);
        let until_ms = now_ms.saturating_add(LEASE_MS);
        self.leases.insert(index, Held { worker: worker.clone(), fence: next, until_ms, made: Made::default() });
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
            Outcome::Failed(failure) => self.fail(index, failure.clone(), now_ms),
            Outcome::Committed(_) | Outcome::Stopped => {
                self.waiting.insert(index);
            }
        }
    }

    fn fail(&mut self, index: u64, failure: Failure, failed_ms: u64) {
        let attempts = self.failed.get(&index).map_or(0, |before| before.attempts).saturating_add(1);
        self.failed.insert(index, Failed { attempts, failed_ms, failure });
    }

    /// Ends the leases whose heartbeats ceased; whether there were any.
    pub(super) fn expire(&mut self, now_ms: u64) -> bool {
        let over = self.leases.iter().filter(|(_, held)| held.until_ms <= now_ms);
        let over: Vec<u64> = over.map(|(index, _)| *index).collect();
        for index in &over {
            self.leases.remove(index);
            let message = format!("the worker gave no sign of life for {} s", LEASE_MS / 1_000);
            self.fail(*index, Failure { scope: Scope::Shard, message }, now_ms);
        }
        !over.is_empty()
    }

    pub(super) fn view(&self, stage: &StageId) -> StageView {
        let resting = self.failed.iter().filter(|(index, _)| self.is_resting(**index));
        StageView {
            stage: stage.clone(),
            shards: self.shards,
            done: self.done.count(),
            leased: self.leases.len() as u64,
            is_released: self.cursor >= self.shards,
            waiting: self.waiting.iter().map(|index| self.waiting_shard(*index)).collect(),
            failed: resting
                .map(|(index, failed)| FailedShard {
                    index: *index,
                    attempts: failed.attempts,
                    failed_ms: failed.failed_ms,
                    failure: failed.failure.clone(),
                })
                .collect(),
        }
    }

    fn waiting_shard(&self, index: u64) -> WaitingShard {
        let failed = self.failed.get(&index).map_or(0, |failed| failed.attempts);
        WaitingShard { index, attempt: failed.saturating_add(1) }
    }

    pub(super) fn progress(&self, stage: &StageId) -> StageProgress {
        StageProgress {
            stage: stage.clone(),
            shards_done: self.done.count(),
            shards_total: Some(self.shards),
            shards_failed: self.failed.keys().filter(|index| self.is_resting(**index)).count() as u64,
            made: self.leases.values().map(|held| held.made).fold(self.made, Made::plus),
        }
    }
}
