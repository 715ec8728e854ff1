//! The receiving end of one pool: channels that each have one message in hand.
//!
//! One each, because the server's answer to a message that is held too long is to close the channel with all it has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use lapin::message::Delivery as Arrived;
use lapin::options::{BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep, timeout};

use super::arrivals::Arrivals;
use super::fault::{of_step, transient};
use super::held::Held;
use super::limits::{LOOK_EVERY, NEWER_PAUSE, REFUSED_PAUSE, RETRY_PAUSE, STEP};
use super::link::Link;
use super::session::Session;
use crate::job::Pool;
use crate::queue::{Delivery, Message, QueueError};

/// The first version of RabbitMQ that lets a consumer set its own timeout.
const OWN_TIMEOUT: (u32, u32) = (4, 3);

/// What the slots of a pool need.
#[derive(Debug)]
pub(super) struct Intake {
    pool: Pool,
    link: Arc<Link>,
    consumer_timeout_ms: Option<u64>,
    arrivals: Arrivals,
    consumers: AtomicUsize,
    /// Why a channel last ended, until one stands again.
    trouble: watch::Sender<Option<QueueError>>,
}

/// A pool that is being taken from. Dropped, its channels close and what nobody took is put back.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) intake: Arc<Intake>,
    _slots: JoinSet<()>,
}

impl Line {
    /// Begins to take, with so many messages in hand at once.
    pub(super) fn start(intake: Intake, slots: usize) -> Self {
        let intake = Arc::new(intake);
        let mut tasks = JoinSet::new();
        for _ in 0..slots.max(1) {
            tasks.spawn(Arc::clone(&intake).keep_slot());
        }
        Self { intake, _slots: tasks }
    }
}

impl Intake {
    pub(super) fn new(pool: Pool, link: Arc<Link>, consumer_timeout_ms: Option<u64>) -> Self {
        Self {
            pool,
            link,
            consumer_timeout_ms,
            arrivals: Arrivals::default(),
            consumers: AtomicUsize::default(),
            trouble: watch::Sender::default(),
        }
    }

    /// The next message, or why there will be none.
    pub(super) async fn next(&self) -> Result<Delivery, QueueError> {
        tokio::select! {
            biased;
            delivery = self.arrivals.next() => Ok(delivery),
            why = self.link.refused() => Err(why),
            why = self.refused() => Err(why),
        }
    }

    async fn refused(&self) -> QueueError {
        let mut trouble = self.trouble.subscribe();
        let refused = trouble.wait_for(|trouble| matches!(trouble, Some(QueueError::Refused { .. }))).await;
        refused.ok().and_then(|trouble| trouble.clone()).unwrap_or(QueueError::Closed)
    }

    /// Whether the server has a consumer of ours.
    pub(super) fn is_consuming(&self) -> bool {
        self.consumers.load(Ordering::Relaxed) > 0
    }

    /// Keeps one channel taking, for ever.
    async fn keep_slot(self: Arc<Self>) {
        loop {
            let pause = match self.link.session().await {
                Ok(session) => self.keep_consuming(&session).await,
                Err(_) => REFUSED_PAUSE,
            };
            sleep(pause).await;
        }
    }

    /// Takes through one channel until it ends, and says when to try again.
    async fn keep_consuming(&self, session: &Session) -> Duration {
        let why = self.consume(session).await;
        if !session.is_live() {
            return RETRY_PAUSE;
        }
        session.forget_queue(self.pool).await;
        let pause = if matches!(why, QueueError::Refused { .. }) { REFUSED_PAUSE } else { RETRY_PAUSE };
        self.trouble.send_if_modified(|trouble| {
            let is_new = trouble.as_ref() != Some(&why);
            if is_new {
                // Once for all channels: they mostly fail alike.
                tracing::warn!("a channel of pool {} is built again: {why}", self.pool.as_str());
                *trouble = Some(why);
            }
            is_new
        });
        pause
    }

    /// Takes through one channel until it ends, and says why it did.
    async fn consume(&self, session: &Session) -> QueueError {
        let (channel, mut consumer) = match self.open(session).await {
            Ok(open) => open,
            Err(error) => return error,
        };
        let _counted = Counted::new(&self.consumers);
        self.trouble.send_if_modified(|trouble| trouble.take().is_some());
        let mut look = interval(LOOK_EVERY);
        loop {
            tokio::select! {
                arrived = consumer.next() => match arrived {
                    Some(Ok(arrived)) => self.receive(session, arrived).await,
                    Some(Err(error)) => return of_step("take from the queue", &error),
                    None => return transient("the server ended the consumer"),
                },
                () = session.lost() => return transient("the connection was lost"),
                // The library has been seen not to wake its stream when a channel closes.
                _ = look.tick() => if !channel.status().connected() {
                    return transient("the channel was closed");
                },
            }
        }
    }

    async fn open(&self, session: &Session) -> Result<(Channel, Consumer), QueueError> {
        session.declare(self.pool).await?;
        let channel = session.channel().await?;
        let queue = session.names.pool(self.pool);
        let opening = async {
            channel.basic_qos(1, BasicQosOptions::default()).await?;
            let (name, arguments) = (queue.as_str().into(), self.arguments(session));
            channel.basic_consume(name, "".into(), BasicConsumeOptions::default(), arguments).await
        };
        let consumer = timeout(STEP, opening)
            .await
            .map_err(|_| transient(format!("the queue `{queue}` takes no consumer: if this lasts, it has no leader")))?
            .map_err(|error| of_step(&format!("take from the queue `{queue}`"), &error))?;
        Ok((channel, consumer))
    }

    fn arguments(&self, session: &Session) -> FieldTable {
        let mut arguments = FieldTable::default();
        let (major, minor) = OWN_TIMEOUT;
        if let Some(limit_ms) = self.consumer_timeout_ms.filter(|_| session.server.is_rabbitmq(major, minor)) {
            let limit_ms = i64::try_from(limit_ms).unwrap_or(i64::MAX);
            arguments.insert("x-consumer-timeout".into(), AMQPValue::LongLongInt(limit_ms));
        }
        arguments
    }

    async fn receive(&self, session: &Session, arrived: Arrived) {
        let held = Held::new(arrived.acker);
        match Message::decode(&arrived.data) {
            Ok(message) => self.arrivals.push(message, held),
            Err(error @ QueueError::Newer { .. }) => {
                tracing::warn!("put back, for a newer worker: {error}");
                tokio::select! {
                    () = sleep(NEWER_PAUSE) => {}
                    () = session.lost() => {}
                }
                drop(held);
            }
            Err(error) => {
                tracing::warn!("sent to the dead letters of pool {}: {error}", self.pool.as_str());
                held.reject().await;
            }
        }
    }
}

/// Counts a consumer for as long as it lives.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
