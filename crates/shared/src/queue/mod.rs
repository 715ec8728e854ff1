//! The port to the queue: it carries the addresses of shards. It may repeat a message, and must not lose an unacknowledged
//! one while it lives; a queue that was wiped is refilled from the ledger.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::job::{JobId, Pool, ShardId};

mod memory;
pub mod conformance;

pub use memory::MemoryQueue;

/// The newest form of message this program writes and reads.
pub const MESSAGE_VERSION: u32 = 1;

/// The address of a shard to run. Never data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The form of the message: [`MESSAGE_VERSION`] when this program wrote it.
    pub version: u32,
    /// The job.
    pub job: JobId,
    /// The shard.
    pub shard: ShardId,
    /// Which try this is, from 1.
    pub attempt: u32,
}

/// Why a queue failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The queue was closed: nothing more comes.
    #[error("the queue is closed")]
    Closed,
    /// It may work later.
    #[error("the queue cannot be reached now: {reason}")]
    Transient {
        /// What the queue said.
        reason: String,
    },
    /// Bytes that are no message.
    #[error("a message cannot be read: {reason}")]
    Malformed {
        /// Where reading stopped.
        reason: String,
    },
    /// A message of a newer program.
    #[error("a message of version {found} came, and this program reads up to {MESSAGE_VERSION}")]
    Newer {
        /// The version of the message.
        found: u32,
    },
}

/// What became of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acked {
    /// The message is gone.
    Yes,
    /// The channel was replaced meanwhile: the message may come again.
    MayRepeat,
}

/// A queue per pool.
#[async_trait]
pub trait Queue: Send + Sync + Debug {
    /// Puts a message into a pool's queue; it is safe there when this returns.
    ///
    /// # Errors
    /// When the queue did not confirm; the message may then be there or not.
    async fn publish(&self, pool: Pool, message: &Message) -> Result<(), QueueError>;

    /// Waits for the next message. Dropping the future loses none.
    ///
    /// # Errors
    /// [`QueueError::Closed`] once there is nothing more to wait for.
    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError>;
}

/// Removes one delivered message from its queue.
#[async_trait]
pub trait Acknowledge: Send {
    /// Removes the message.
    ///
    /// # Errors
    /// When the queue cannot be reached; the message then comes again.
    async fn ack(self: Box<Self>) -> Result<Acked, QueueError>;
}

/// A message in a worker's hands. Dropped without an acknowledgement, it comes again.
pub struct Delivery {
    /// The message.
    pub message: Message,
    acknowledge: Box<dyn Acknowledge>,
}

impl Delivery {
    /// A delivery of an adapter.
    pub fn new(message: Message, acknowledge: Box<dyn Acknowledge>) -> Self {
        Self { message, acknowledge }
    }

    /// Removes the message from its queue.
    ///
    /// # Errors
    /// When the queue cannot be reached; the message then comes again.
    pub async fn ack(self) -> Result<Acked, QueueError> {
        self.acknowledge.ack().await
    }
}

impl Message {
    /// A message of this program's version.
    pub fn new(job: JobId, shard: ShardId, attempt: u32) -> Self {
        Self { version: MESSAGE_VERSION, job, shard, attempt }
    }

    /// The bytes on the wire.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a message has string keys and integers only")
    }

    /// Reads what [`Message::encode`] wrote, here or in an older program.
    ///
    /// # Errors
    /// [`QueueError::Newer`] for a message of a newer program, [`QueueError::Malformed`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, QueueError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let malformed = |error: serde_json::Error| QueueError::Malformed { reason: error.to_string() };
        let Versioned { version } = serde_json::from_slice(bytes).map_err(malformed)?;
        if version > MESSAGE_VERSION {
            return Err(QueueError::Newer { found: version });
        }
        serde_json::from_slice(bytes).map_err(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::StageId;

    #[test]
    fn messages_read_what_they_write_and_refuse_the_rest() {
        let shard = ShardId { stage: StageId::new("users").expect("allowed"), index: 7 };
        let message = Message::new(JobId::new("job").expect("allowed"), shard, 1);
        assert_eq!(Message::decode(&message.encode()), Ok(message));
        assert_eq!(Message::decode(br#"{"version": 2, "new": true}"#), Err(QueueError::Newer { found: 2 }));
        let hostile = br#"{"version":1,"job":"../x","shard":{"stage":"a","index":0},"attempt":1}"#;
        for bytes in [&b""[..], b"{}", b"\xff", br#"{"version":1}"#, hostile] {
            assert!(matches!(Message::decode(bytes), Err(QueueError::Malformed { .. })), "{bytes:?}");
        }
    }
}
