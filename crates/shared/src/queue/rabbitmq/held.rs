//! A delivered message: acknowledged once, or put back.

use async_trait::async_trait;
use lapin::Acker;
use lapin::options::{BasicAckOptions, BasicNackOptions, BasicRejectOptions};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::limits::STEP;
use crate::queue::{Acked, Acknowledge, QueueError};

/// The server's hold on one delivery. Dropped without an acknowledgement, the message is put back.
#[derive(Debug)]
pub(super) struct Held {
    acker: Option<Acker>,
    runtime: Handle,
}

impl Held {
    /// Takes over a delivery; to be called within the runtime.
    pub(super) fn new(acker: Acker) -> Self {
        Self { acker: Some(acker), runtime: Handle::current() }
    }

    /// Whether the channel it came through still stands. If not, the message comes again by itself.
    pub(super) fn is_ours(&self) -> bool {
        self.acker.as_ref().is_some_and(Acker::usable)
    }

    /// Sends the message to the dead letters.
    pub(super) async fn reject(mut self) {
        let Some(acker) = self.acker.take() else { return };
        // If this fails, the message comes again and is judged again.
        drop(timeout(STEP, acker.reject(BasicRejectOptions { requeue: false })).await);
    }
}

#[async_trait]
impl Acknowledge for Held {
    async fn ack(mut self: Box<Self>) -> Result<Acked, QueueError> {
        let Some(acker) = self.acker.take() else { return Ok(Acked::MayRepeat) };
        let sent = timeout(STEP, acker.ack(BasicAckOptions::default())).await;
        match sent {
            Ok(Ok(true)) => Ok(Acked::Yes),
            // An old channel, a lost connection, no answer: all the same to the caller, who has done the work.
            Ok(Ok(false) | Err(_)) | Err(_) => Ok(Acked::MayRepeat),
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(acker) = self.acker.take().filter(Acker::usable) else { return };
        let put_back =
            async move { acker.nack(BasicNackOptions { requeue: true, ..BasicNackOptions::default() }).await };
        self.runtime.spawn(async move { timeout(STEP, put_back).await });
    }
}
