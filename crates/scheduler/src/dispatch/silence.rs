//! Since when released shards wait unseen: how a message that was lost, or is owed, is noticed. Pure.

use std::collections::{BTreeMap, HashMap};

use shardmill_shared::job::StageId;
use shardmill_shared::ledger::{RunState, View, WaitingShard};

use super::Action;

/// When each waiting shard was last published, as far as this process knows: by stage and index. No larger than the window.
#[derive(Clone, Debug, Default)]
pub struct Silence {
    published: BTreeMap<StageId, HashMap<u64, Published>>,
    now_ms: u64,
    was_paused: bool,
    /// Committed shards, as the ledger said last.
    done: u64,
    has_looked: bool,
}

#[derive(Clone, Copy, Debug)]
struct Published {
    attempt: u32,
    /// Nothing when no message of this attempt was ever published.
    at_ms: Option<u64>,
}

impl Silence {
    /// Takes in what the ledger says: forgets who waits no more, begins to count for who is new.
    pub fn update(&mut self, view: &View) {
        self.now_ms = view.now_ms;
        // Workers forget the messages of a job that is paused.
        let is_resumed =
            std::mem::replace(&mut self.was_paused, view.run_state == RunState::Paused) && !self.was_paused;
        // A ledger that came back without its last seconds: what waits again may have been taken, and its message be gone.
        let done = view.stages.iter().map(|stage| stage.done).sum();
        let is_set_back = done < std::mem::replace(&mut self.done, done);
        let is_owed = is_resumed || is_set_back;
        let mut before = std::mem::take(&mut self.published);
        for stage in &view.stages {
            let mut before = before.remove(&stage.stage).unwrap_or_default();
            let published = stage.waiting.iter().map(|waiting| {
                let known = before.remove(&waiting.index);
                let known = known.filter(|known| known.attempt >= waiting.attempt && !is_owed);
                (waiting.index, known.unwrap_or_else(|| self.guess(*waiting, is_owed)))
            });
            let published = published.collect();
            self.published.insert(stage.stage.clone(), published);
        }
        self.has_looked = true;
    }

    /// A first attempt was published when it was released, unless that was by a scheduler before, which may have died over
    /// it. A later one that was not heard of follows from a worker's death.
    fn guess(&self, waiting: WaitingShard, is_owed: bool) -> Published {
        let is_owed = waiting.attempt > 1 || is_owed || !self.has_looked;
        Published { attempt: waiting.attempt, at_ms: (!is_owed).then_some(self.now_ms) }
    }

    /// Takes in that a message was published.
    pub fn heard(&mut self, action: &Action) {
        if let Action::Repeat { shard, attempt } | Action::Retry { shard, attempt } = action {
            let published = Published { attempt: *attempt, at_ms: Some(self.now_ms) };
            self.published.entry(shard.stage.clone()).or_default().insert(shard.index, published);
        }
    }

    /// For how long the shard waits, in milliseconds; for ever, when nobody has told a worker.
    pub fn of(&self, stage: &StageId, index: u64) -> u64 {
        let waits = |published: &Published| published.at_ms.map_or(u64::MAX, |at_ms| self.now_ms.saturating_sub(at_ms));
        self.published.get(stage).and_then(|stage| stage.get(&index)).map_or(0, waits)
    }
}
