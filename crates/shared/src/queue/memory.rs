//! The queue in memory: the default, and what local runs use.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{Acked, Acknowledge, Delivery, Message, Queue, QueueError};
use crate::job::Pool;

/// A queue that is gone with its process. Clones share their messages.
#[derive(Clone, Debug, Default)]
pub struct MemoryQueue {
    lines: Arc<Lines>,
}

#[derive(Debug, Default)]
struct Lines {
    waiting: Mutex<BTreeMap<Pool, VecDeque<Message>>>,
    came: Notify,
}

impl Lines {
    fn change<T>(&self, pool: Pool, change: impl FnOnce(&mut VecDeque<Message>) -> T) -> T {
        let mut waiting = self.waiting.lock().expect("no holder of the lock panics");
        change(waiting.entry(pool).or_default())
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, pool: Pool, message: &Message) -> Result<(), QueueError> {
        self.lines.change(pool, |line| line.push_back(message.clone()));
        self.lines.came.notify_waiters();
        Ok(())
    }

    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError> {
        loop {
            let came = self.lines.came.notified();
            tokio::pin!(came);
            // The wait begins before the look, or a message that comes in between would wake nobody.
            came.as_mut().enable();
            if let Some(message) = self.lines.change(pool, VecDeque::pop_front) {
                let held = Held { lines: Arc::clone(&self.lines), pool, message: Some(message.clone()) };
                return Ok(Delivery::new(message, Box::new(held)));
            }
            came.await;
        }
    }

    async fn depth(&self, pool: Pool) -> Result<u64, QueueError> {
        Ok(self.lines.change(pool, |line| line.len() as u64))
    }

    fn is_consuming(&self) -> bool {
        true
    }
}

/// A message that was taken; put back in front when it is dropped.
struct Held {
    lines: Arc<Lines>,
    pool: Pool,
    message: Option<Message>,
}

#[async_trait]
impl Acknowledge for Held {
    async fn ack(mut self: Box<Self>) -> Result<Acked, QueueError> {
        self.message = None;
        Ok(Acked::Yes)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(message) = self.message.take() {
            self.lines.change(self.pool, |line| line.push_front(message));
            self.lines.came.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_law_of_queues() {
        super::super::conformance::all(&MemoryQueue::default()).await;
    }
}
