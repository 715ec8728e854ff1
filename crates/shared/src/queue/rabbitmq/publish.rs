//! Sending messages, many at a time, until the server has confirmed each.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, timeout};

use super::fault::{of_step, transient};
use super::limits::{IN_FLIGHT, RETRY_PAUSE, STEP};
use super::link::Link;
use super::session::Session;
use crate::job::Pool;
use crate::queue::{Message, QueueError};

/// The delivery mode of messages that survive a restart of the server.
const PERSISTENT: u8 = 2;

/// Sends to one pool, one call at a time: the library may lay a returned message at the door of the next confirmation, and
/// so it stays within the call.
#[derive(Debug)]
pub(super) struct Publisher {
    pool: Pool,
    channel: Mutex<Option<Confirming>>,
}

/// A channel that confirms, and the session it is of: one of an older session may look open and lead nowhere.
#[derive(Debug)]
struct Confirming {
    session: Weak<Session>,
    channel: Channel,
}

impl Publisher {
    pub(super) fn new(pool: Pool) -> Self {
        Self { pool, channel: Mutex::default() }
    }

    /// Sends the messages until each is confirmed. What a lost connection left unconfirmed is sent again. Gives up when
    /// nothing was confirmed for as long as `patience`.
    pub(super) async fn publish(
        &self,
        link: &Link,
        messages: &[Message],
        patience: Duration,
    ) -> Result<(), QueueError> {
        let Ok(mut channel) = timeout(patience, self.channel.lock()).await else {
            return Err(transient("other messages are being published"));
        };
        let mut left: Vec<&Message> = messages.iter().collect();
        let mut deadline = Instant::now() + patience;
        while !left.is_empty() {
            let before = left.len();
            let error = match self.send(link, &mut channel, &mut left, deadline).await {
                Ok(()) => continue,
                Err(error) => error,
            };
            // Late confirmations and returned messages end with their channel.
            *channel = None;
            if left.len() < before {
                deadline = Instant::now() + patience;
            }
            if matches!(error, QueueError::Refused { .. } | QueueError::Closed) || Instant::now() >= deadline {
                return Err(error);
            }
            tracing::debug!("{} messages are sent again: {error}", left.len());
            sleep(RETRY_PAUSE).await;
        }
        Ok(())
    }

    /// Sends once, and leaves in `left` what was not confirmed.
    async fn send(
        &self,
        link: &Link,
        kept: &mut Option<Confirming>,
        left: &mut Vec<&Message>,
        deadline: Instant,
    ) -> Result<(), QueueError> {
        let remaining = deadline.saturating_duration_since(Instant::now());
        let session = link.session_within(remaining).await?;
        session.declare(self.pool).await?;
        let open = match kept.take().filter(|kept| kept.is_of(&session)) {
            Some(open) => open,
            None => Confirming::open(&session).await?,
        };
        let queue = session.names.pool(self.pool);
        let sent = send_all(&open.channel, &queue, left, deadline).await;
        *kept = Some(open);
        match sent {
            Ok(()) => Ok(()),
            Err(Unsent::Unroutable) => {
                session.forget_queue(self.pool).await;
                Err(transient(format!("the queue `{queue}` is not there")))
            }
            Err(Unsent::Failed(error)) => Err(error),
        }
    }
}

/// Why a message was not confirmed.
enum Unsent {
    /// The server knows no such queue.
    Unroutable,
    Failed(QueueError),
}

impl Confirming {
    async fn open(session: &Arc<Session>) -> Result<Self, QueueError> {
        let channel = session.channel().await?;
        timeout(STEP, channel.confirm_select(ConfirmSelectOptions::default()))
            .await
            .map_err(|_| transient("ask for confirmations: no answer"))?
            .map_err(|error| of_step("ask for confirmations", &error))?;
        Ok(Self { session: Arc::downgrade(session), channel })
    }

    fn is_of(&self, session: &Arc<Session>) -> bool {
        self.session.as_ptr() == Arc::as_ptr(session) && self.channel.status().connected()
    }
}

/// Keeps [`IN_FLIGHT`] messages under way. A failure is told, after which `left` holds what is to be sent again.
async fn send_all(channel: &Channel, queue: &str, left: &mut Vec<&Message>, deadline: Instant) -> Result<(), Unsent> {
    let mut is_confirmed = vec![false; left.len()];
    let mut under_way = FuturesUnordered::new();
    let mut waiting = left.iter().enumerate();
    let mut failure = None;
    // Every confirmation gives as much time again as the caller had for the first.
    let patience = deadline.saturating_duration_since(Instant::now()).max(RETRY_PAUSE);
    loop {
        while under_way.len() < IN_FLIGHT && failure.is_none() {
            let Some((index, message)) = waiting.next() else { break };
            under_way.push(async move { (index, send_one(channel, queue, message).await) });
        }
        match timeout(patience, under_way.next()).await {
            Ok(Some((index, Ok(())))) => is_confirmed[index] = true,
            Ok(Some((_, Err(Unsent::Unroutable)))) => failure = Some(Unsent::Unroutable),
            Ok(Some((_, Err(unsent)))) => failure = failure.or(Some(unsent)),
            Ok(None) => break,
            Err(_) => {
                failure = failure.or_else(|| Some(Unsent::Failed(transient("the server confirms nothing"))));
                break;
            }
        }
    }
    drop(under_way);
    // Which message was returned is not sure: all are sent again.
    if !matches!(failure, Some(Unsent::Unroutable)) {
        let mut confirmed = is_confirmed.into_iter();
        left.retain(|_| !confirmed.next().unwrap_or_default());
    }
    failure.map_or(Ok(()), Err)
}

async fn send_one(channel: &Channel, queue: &str, message: &Message) -> Result<(), Unsent> {
    let failed = |error| Unsent::Failed(of_step("publish", &error));
    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let body = message.encode();
    let sent = channel.basic_publish("".into(), queue.into(), options, &body, properties(message));
    match sent.await.map_err(failed)?.await.map_err(failed)? {
        Confirmation::Ack(None) => Ok(()),
        // A message that no queue takes is confirmed too; that it was returned before tells the difference.
        Confirmation::Ack(Some(_)) => Err(Unsent::Unroutable),
        Confirmation::Nack(_) => Err(Unsent::Failed(transient(format!("the queue `{queue}` takes no message now")))),
        Confirmation::NotRequested => Err(Unsent::Failed(transient("the channel does not confirm"))),
    }
}

fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    headers.insert("version".into(), AMQPValue::LongLongInt(message.version.into()));
    if let Some(trace) = &message.trace {
        headers.insert("traceparent".into(), AMQPValue::LongString(trace.as_str().into()));
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(PERSISTENT)
        .with_headers(headers)
}
