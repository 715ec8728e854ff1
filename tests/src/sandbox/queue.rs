//! Queues that repeat and lose.

use std::collections::BTreeSet;
use std::sync::Mutex;

use async_trait::async_trait;
use shardmill_shared::job::{Pool, ShardId};
use shardmill_shared::queue::{Delivery, MemoryQueue, Message, Queue, QueueError};

/// Delivers every message three times.
#[derive(Debug, Default)]
pub struct Doubling(MemoryQueue);

#[async_trait]
impl Queue for Doubling {
    async fn publish(&self, pool: Pool, message: &Message) -> Result<(), QueueError> {
        for _ in 0..3 {
            self.0.publish(pool, message).await?;
        }
        Ok(())
    }

    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError> {
        self.0.take(pool).await
    }

    async fn depth(&self, pool: Pool) -> Result<u64, QueueError> {
        self.0.depth(pool).await
    }

    fn is_consuming(&self) -> bool {
        self.0.is_consuming()
    }
}

/// Loses the first message of every shard.
#[derive(Debug, Default)]
pub struct Forgetful {
    queue: MemoryQueue,
    lost: Mutex<BTreeSet<ShardId>>,
}

impl Forgetful {
    /// How many messages were lost.
    pub fn lost(&self) -> usize {
        self.lost.lock().expect("no holder of the lock panics").len()
    }
}

#[async_trait]
impl Queue for Forgetful {
    async fn publish(&self, pool: Pool, message: &Message) -> Result<(), QueueError> {
        let is_first = self.lost.lock().expect("no holder of the lock panics").insert(message.shard.clone());
        if is_first { Ok(()) } else { self.queue.publish(pool, message).await }
    }

    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError> {
        self.queue.take(pool).await
    }

    async fn depth(&self, pool: Pool) -> Result<u64, QueueError> {
        self.queue.depth(pool).await
    }

    fn is_consuming(&self) -> bool {
        self.queue.is_consuming()
    }
}
