//! How many shards may be released and not yet done, shared among the jobs that this scheduler drives.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use shardmill_shared::job::{JobId, Name, Pool};
use shardmill_shared::pacing::{Claim, Fair};
use tokio::sync::watch;

use crate::limits::WINDOW_LEAST;

/// The windows of all pools.
#[derive(Debug)]
pub struct Windows {
    pools: Mutex<BTreeMap<Pool, Window>>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Window {
    fair: Fair,
    /// How many shards may be released and not yet done.
    size: u64,
    /// How many of them the workers run at once.
    slots: u64,
    /// Shards released since the rate was last looked at.
    released: u64,
}

/// Whose job it is, and which.
#[derive(Clone, Copy, Debug)]
pub struct Whose<'a> {
    /// The tenant; nobody in a local run.
    pub tenant: Option<&'a Name>,
    /// The job.
    pub job: &'a JobId,
}

impl Default for Windows {
    fn default() -> Self {
        Self { pools: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Windows {
    /// Windows for so many slots in every pool, whatever the rate: for a process that has all workers itself.
    pub fn fixed(slots: usize) -> Self {
        let windows = Self::default();
        for pool in [Pool::Generate, Pool::Sql, Pool::Llm] {
            windows.set(pool, slots as u64, (2 * slots as u64).max(WINDOW_LOCAL));
        }
        windows
    }

    /// Adapts a pool's window to the live slots of its workers and to how many shards they end in a second: two for every
    /// slot, so that none waits for us, and a second's worth of small ones. Called once a second.
    pub fn adapt(&self, pool: Pool, slots: u64) {
        let released = std::mem::take(&mut self.lock().entry(pool).or_default().released);
        self.set(pool, slots, WINDOW_LEAST.max(2 * slots).max(released));
    }

    fn set(&self, pool: Pool, slots: u64, size: u64) {
        let mut pools = self.lock();
        let window = pools.entry(pool).or_default();
        (window.slots, window.size) = (slots, size);
        window.fair.set_window(size);
        drop(pools);
        self.changed.send_modify(|change| *change += 1);
    }

    /// Says what a job holds and wants, and answers how many shards it may release now.
    pub(crate) fn claim(&self, pool: Pool, whose: Whose<'_>, claim: Claim) -> u64 {
        let mut pools = self.lock();
        let window = pools.entry(pool).or_default();
        let granted = window.fair.claim(whose.tenant, whose.job, claim);
        window.released += granted;
        drop(pools);
        // What one does not take may be another's.
        self.changed.send_modify(|change| *change += 1);
        granted
    }

    /// How many shards may go to a worker in one message: where they are so small that a slot ends many in a second, a tenth
    /// of them, so that the queue has the less to do and every slot still finds messages waiting.
    pub(crate) fn run_length(&self, pool: Pool) -> u64 {
        let pools = self.lock();
        let length = pools.get(&pool).and_then(|window| window.size.checked_div(RUNS_WAITING * window.slots));
        length.unwrap_or(0).clamp(1, RUN_MOST)
    }

    /// Waits until a job has been granted shards that it has not taken.
    pub(crate) async fn granted(&self, whose: Whose<'_>) {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if self.lock().values().any(|window| window.fair.has_grant(whose.tenant, whose.job)) {
                return;
            }
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Forgets a job that is over.
    pub(crate) fn leave(&self, whose: Whose<'_>) {
        self.lock().values_mut().for_each(|window| window.fair.leave(whose.tenant, whose.job));
        self.changed.send_modify(|change| *change += 1);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Pool, Window>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Messages of a full window for each slot.
const RUNS_WAITING: u64 = 10;

/// The most shards of one message: with so many, what a message costs is next to nothing.
const RUN_MOST: u64 = 32;

/// The least window of a local run, where a queue costs nothing.
const WINDOW_LOCAL: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_come_in_runs_where_slots_end_many_in_a_second() {
        let windows = Windows::default();
        assert_eq!(windows.run_length(Pool::Generate), 1, "nothing is known yet");
        let ended = |slots: u64, in_a_second: u64| {
            windows.lock().entry(Pool::Generate).or_default().released = in_a_second;
            windows.adapt(Pool::Generate, slots);
            windows.run_length(Pool::Generate)
        };
        assert_eq!(ended(0, 100), 1, "no worker");
        assert_eq!(ended(16, 100), 1, "six in a second and slot");
        assert_eq!(ended(16, 2_000), 12);
        assert_eq!(ended(1, 2_000), RUN_MOST);
        assert_eq!(Windows::fixed(16).run_length(Pool::Generate), 1, "in memory a message costs nothing");
    }
}
