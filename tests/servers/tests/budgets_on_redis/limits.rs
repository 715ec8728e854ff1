//! Limits on a real Redis: their law, and a provider that is used to the brim.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use shardmill_servers::redis::Fsync;
use shardmill_shared::ledger::RedisLedger;
use shardmill_shared::ledger::conformance::limit::{self, House};
use shardmill_shared::ledger::limit::Limits;

use super::Real;

/// Seconds for which a provider is simulated.
const SECONDS: u64 = 20;

#[async_trait]
impl House for Real {
    fn limits(&self) -> Arc<dyn Limits> {
        Arc::<RedisLedger>::clone(&self.ledger)
    }

    fn advance(&self, by_ms: u64) {
        self.pass(by_ms);
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    async fn wipe(&self) {
        self.server.flush_all().expect("wipes");
    }
}

#[tokio::test]
async fn needs_redis_keeps_the_law_of_limits() {
    limit::all(&Real::start(Fsync::EverySecond).await, SECONDS).await;
}
