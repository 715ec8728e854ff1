//! The port to the queue: it carries the addresses of shards. It may repeat a message, and must not lose an unacknowledged
//! one while it lives; a queue that was wiped is refilled from the ledger.

use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::job::{JobId, Name, Pool, ShardId};

mod memory;
mod rabbitmq;
pub mod conformance;

pub use memory::MemoryQueue;
pub use rabbitmq::{RabbitMqOptions, RabbitMqQueue, ServerInfo};

/// The newest form of message this program writes and reads. Version 2 has `more`.
pub const MESSAGE_VERSION: u32 = 2;
/// What older programs read, too.
const ONE_SHARD: u32 = 1;

/// The address of a shard to run, or of a run of small ones. Never data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The form of the message: the oldest that says what it has to say.
    pub version: u32,
    /// The job.
    pub job: JobId,
    /// The shard; the first one of a run.
    pub shard: ShardId,
    /// So many shards after it are to be run, too.
    #[serde(default, skip_serializing_if = "is_none")]
    pub more: u32,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// Whose job it is; nobody's in a local run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Name>,
    /// The trace this shard is part of, as a W3C `traceparent`. Absent where nobody traces, and from older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
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
    /// It will not work until someone mends it: a password, a permission, a queue of another make.
    #[error("the queue refuses: {reason}")]
    Refused {
        /// What is wrong and what to do. Never a secret.
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

    /// Puts messages into a pool's queue; all are safe there when this returns. Faster than one by one where the queue
    /// confirms.
    ///
    /// # Errors
    /// When the queue did not confirm all of them; any of them may then be there or not.
    async fn publish_all(&self, pool: Pool, messages: &[Message]) -> Result<(), QueueError> {
        for message in messages {
            self.publish(pool, message).await?;
        }
        Ok(())
    }

    /// Waits for the next message. Dropping the future loses none.
    ///
    /// # Errors
    /// [`QueueError::Closed`] once there is nothing more to wait for.
    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError>;

    /// How many messages of a pool wait for a taker. Those already on their way to one do not count.
    ///
    /// # Errors
    /// When the queue cannot be asked. Unknown is never 0.
    async fn depth(&self, pool: Pool) -> Result<u64, QueueError>;

    /// How many messages the queue has given up, of all pools: they came too often, or are none.
    ///
    /// # Errors
    /// When the queue cannot be asked. Unknown is never 0.
    async fn dead_letters(&self) -> Result<u64, QueueError> {
        Ok(0)
    }

    /// Whether messages can reach this process now, in every pool it takes from: what makes a worker alive. Not so before
    /// the first [`Queue::take`], where taking needs a connection.
    fn is_consuming(&self) -> bool;
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

fn is_none(more: &u32) -> bool {
    *more == 0
}

impl Message {
    /// The address of one shard.
    pub fn new(job: JobId, shard: ShardId, attempt: u32) -> Self {
        Self { version: ONE_SHARD, job, shard, more: 0, attempt, tenant: None, trace: None }
    }

    /// The same for so many shards after it, too.
    #[must_use]
    pub fn with_more(self, more: u32) -> Self {
        Self { version: if more == 0 { ONE_SHARD } else { MESSAGE_VERSION }, more, ..self }
    }

    /// A message for each shard of the run.
    pub fn shards(&self) -> impl Iterator<Item = Self> {
        (0..=self.more).map(|place| self.after(place).with_more(0))
    }

    /// The run without its first `shards`, at most [`Message::more`].
    #[must_use]
    pub fn after(&self, shards: u32) -> Self {
        let index = self.shard.index.saturating_add(u64::from(shards));
        let rest = Self { shard: ShardId { stage: self.shard.stage.clone(), index }, ..self.clone() };
        rest.with_more(self.more.saturating_sub(shards))
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
        assert_eq!(Message::decode(&message.encode()), Ok(message.clone()));
        let traced =
            Message { trace: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()), ..message };
        assert_eq!(Message::decode(&traced.encode()), Ok(traced));
        let run = run_of_four();
        assert_eq!((run.version, Message::decode(&run.encode())), (2, Ok(run.clone())));
        let untraced = br#"{"version":1,"job":"job","shard":{"stage":"users","index":7},"attempt":1}"#;
        assert_eq!(Message::decode(untraced).map(|message| message.trace), Ok(None));
        assert_eq!(Message::decode(br#"{"version": 3, "new": true}"#), Err(QueueError::Newer { found: 3 }));
        let hostile = br#"{"version":1,"job":"../x","shard":{"stage":"a","index":0},"attempt":1}"#;
        for bytes in [&b""[..], b"{}", b"\xff", br#"{"version":1}"#, hostile] {
            assert!(matches!(Message::decode(bytes), Err(QueueError::Malformed { .. })), "{bytes:?}");
        }
    }

    /// Shards 7 to 10.
    fn run_of_four() -> Message {
        let shard = ShardId { stage: StageId::new("users").expect("allowed"), index: 7 };
        Message::new(JobId::new("job").expect("allowed"), shard, 1).with_more(3)
    }

    #[test]
    fn a_run_is_its_shards() {
        let run = run_of_four();
        let shards: Vec<Message> = run.shards().collect();
        assert_eq!(shards.iter().map(|shard| shard.shard.index).collect::<Vec<_>>(), [7, 8, 9, 10]);
        assert!(shards.iter().all(|shard| shard.version == 1 && shard.more == 0), "{shards:?}");
        assert_eq!(run.after(1).shards().collect::<Vec<_>>(), shards[1..]);
        assert_eq!(run.after(3), shards[3], "the last one alone is no run");
    }
}
