//! Since when released shards wait unseen: how a lost message is noticed. Pure.

use std::collections::BTreeMap;

use shardmill_shared::job::ShardId;
use shardmill_shared::ledger::View;

use super::Action;

/// When each waiting shard was last published, as far as this process knows. No larger than the window.
#[derive(Clone, Debug, Default)]
pub struct Silence {
    since_ms: BTreeMap<ShardId, u64>,
    now_ms: u64,
}

impl Silence {
    /// Takes in what the ledger says: forgets who waits no more, begins to count for who is new.
    pub fn update(&mut self, view: &View) {
        self.now_ms = view.now_ms;
        let mut before = std::mem::take(&mut self.since_ms);
        for stage in &view.stages {
            for waiting in &stage.waiting {
                let shard = ShardId { stage: stage.stage.clone(), index: waiting.index };
                let since_ms = before.remove(&shard).unwrap_or(view.now_ms);
                self.since_ms.insert(shard, since_ms);
            }
        }
    }

    /// Takes in that a message was published again.
    pub fn heard(&mut self, action: &Action) {
        if let Action::Repeat { shard, .. } = action {
            self.since_ms.insert(shard.clone(), self.now_ms);
        }
    }

    /// For how long the shard waits, in milliseconds.
    pub fn of(&self, shard: &ShardId) -> u64 {
        self.since_ms.get(shard).map_or(0, |since_ms| self.now_ms.saturating_sub(*since_ms))
    }
}
