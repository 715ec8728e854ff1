//! A queue whose calls are measured. Waiting for a message is no call.

use std::sync::Arc;

use async_trait::async_trait;

use super::Metrics;
use super::calls::Calls;
use crate::job::Pool;
use crate::queue::{Delivery, Message, Queue, QueueError};

const QUEUE: &str = "queue";

/// Another queue, measured.
#[derive(Clone, Debug)]
pub struct MeasuredQueue {
    queue: Arc<dyn Queue>,
    calls: Calls,
}

impl MeasuredQueue {
    /// Measures the calls of `queue`.
    pub fn new(queue: Arc<dyn Queue>, metrics: &Metrics) -> Self {
        Self { queue, calls: metrics.calls.clone() }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Queue for MeasuredQueue {
    async fn publish(&self, pool: Pool, message: &Message) -> Result<(), QueueError> {
        self.calls.measured(QUEUE, "publish", self.queue.publish(pool, message)).await
    }

    async fn publish_all(&self, pool: Pool, messages: &[Message]) -> Result<(), QueueError> {
        self.calls.measured(QUEUE, "publish_all", self.queue.publish_all(pool, messages)).await
    }

    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError> {
        self.queue.take(pool).await
    }

    async fn depth(&self, pool: Pool) -> Result<u64, QueueError> {
        self.calls.measured(QUEUE, "depth", self.queue.depth(pool)).await
    }

    async fn dead_letters(&self) -> Result<u64, QueueError> {
        self.calls.measured(QUEUE, "dead_letters", self.queue.dead_letters()).await
    }

    fn is_consuming(&self) -> bool {
        self.queue.is_consuming()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{MemoryQueue, conformance};

    #[tokio::test]
    async fn keeps_the_law_of_queues() {
        conformance::all(&MeasuredQueue::new(Arc::new(MemoryQueue::default()), &Metrics::default())).await;
    }
}
