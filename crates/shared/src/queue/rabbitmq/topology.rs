//! The queues on the server: their names, their make, and how they are declared.

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, LongString, ShortString};
use tokio::time::timeout;

use super::fault::{is_not_found, of_declaration, transient};
use super::limits::{DEAD_LETTERS, DELIVERIES, STEP};
use crate::job::Pool;
use crate::queue::QueueError;

/// Every pool has a queue.
pub(super) const POOLS: [Pool; 3] = [Pool::Generate, Pool::Sql, Pool::Llm];

/// The names of the queues.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The queue of a pool.
    pub(super) fn pool(&self, pool: Pool) -> String {
        format!("{}.{}", self.prefix, pool.as_str())
    }

    /// Where messages end that are no messages, or came too often.
    pub(super) fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }
}

/// Declares a pool's queue. The channel is spoiled when that fails.
pub(super) async fn declare_pool(channel: &Channel, names: &Names, pool: Pool) -> Result<(), QueueError> {
    declare(channel, &names.pool(pool), pool_make(names)).await
}

/// Declares the queue of the dead letters. The channel is spoiled when that fails.
pub(super) async fn declare_dead(channel: &Channel, names: &Names) -> Result<(), QueueError> {
    declare(channel, &names.dead(), dead_make()).await
}

/// How many messages wait in a queue, in nobody's hands; nothing where there is no such queue.
pub(super) async fn depth(channel: &Channel, queue: &str) -> Result<Option<u64>, QueueError> {
    let options = QueueDeclareOptions { passive: true, durable: true, ..QueueDeclareOptions::default() };
    match timeout(STEP, channel.queue_declare(queue.into(), options, FieldTable::default())).await {
        Err(_) => Err(transient(format!("the server does not say how long the queue `{queue}` is"))),
        Ok(Ok(found)) => Ok(Some(found.message_count().into())),
        Ok(Err(error)) if is_not_found(&error) => Ok(None),
        Ok(Err(error)) => Err(of_declaration(queue, &error)),
    }
}

async fn declare(channel: &Channel, queue: &str, make: FieldTable) -> Result<(), QueueError> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    match timeout(STEP, channel.queue_declare(queue.into(), options, make)).await {
        Err(_) => Err(transient(format!("the server does not answer for the queue `{queue}`"))),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(of_declaration(queue, &error)),
    }
}

fn pool_make(names: &Names) -> FieldTable {
    table([
        ("x-queue-type", text("quorum")),
        ("x-delivery-limit", AMQPValue::LongInt(DELIVERIES)),
        ("x-dead-letter-exchange", text("")),
        ("x-dead-letter-routing-key", text(&names.dead())),
    ])
}

fn dead_make() -> FieldTable {
    table([("x-queue-type", text("quorum")), ("x-max-length", AMQPValue::LongInt(DEAD_LETTERS))])
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(LongString::from(value))
}

fn table<const N: usize>(entries: [(&str, AMQPValue); N]) -> FieldTable {
    let mut table = FieldTable::default();
    for (name, value) in entries {
        table.insert(ShortString::from(name), value);
    }
    table
}
