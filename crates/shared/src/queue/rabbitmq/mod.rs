//! The queue on RabbitMQ: a durable quorum queue per pool, confirmed publishing, one channel per message in hand, and
//! connections that are made again whatever happens to them.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::slice::from_ref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use super::{Delivery, Message, Queue, QueueError};
use crate::job::Pool;

mod limits;
mod address;
mod fault;
mod greeting;
mod topology;
mod session;
mod link;
mod publish;
mod held;
mod arrivals;
mod line;

use address::Address;
pub use greeting::ServerInfo;
use line::{Intake, Line};
use link::{Link, Settings};
use publish::Publisher;
use topology::{Names, POOLS};

/// How the queue is used.
#[derive(Clone, Debug)]
pub struct RabbitMqOptions {
    /// What the names of all queues begin with: `<prefix>.generate`, `<prefix>.dead`.
    pub prefix: String,
    /// How many messages of a pool are in this process's hands at once, those that nobody took yet included.
    pub slots: usize,
    /// How long publishing waits for a lost connection, in milliseconds.
    pub patience_ms: u64,
    /// After how many milliseconds the server gives an unacknowledged message to someone else. Only RabbitMQ 4.3 and newer
    /// let a client say so; older ones follow their own configuration.
    pub consumer_timeout_ms: Option<u64>,
    /// Certificates to trust beside the machine's, as PEM. For `amqps`.
    pub ca_pem: Option<String>,
}

impl Default for RabbitMqOptions {
    fn default() -> Self {
        Self { prefix: "shardmill".to_owned(), slots: 4, patience_ms: 10_000, consumer_timeout_ms: None, ca_pem: None }
    }
}

/// The queue on a RabbitMQ server. It publishes and takes on connections of their own: a server short of memory stops
/// listening to those who publish, and acknowledgements must still reach it. Dropped, what nobody took is put back.
pub struct RabbitMqQueue {
    settings: Settings,
    options: RabbitMqOptions,
    server: ServerInfo,
    sending: Link,
    publishers: BTreeMap<Pool, Publisher>,
    taking: Mutex<Taking>,
}

#[derive(Default)]
struct Taking {
    link: Option<Arc<Link>>,
    lines: BTreeMap<Pool, Line>,
}

impl RabbitMqQueue {
    /// Connects to `amqp://user:password@host:port/vhost`, or to the same with `amqps`. Queues are declared when they are
    /// first used. To be called within a runtime with time and I/O.
    ///
    /// # Errors
    /// [`QueueError::Refused`] at once when password, permissions or virtual host are wrong; [`QueueError::Transient`] when
    /// the server cannot be reached for as long as the patience.
    pub async fn connect(url: &str, options: RabbitMqOptions) -> Result<Self, QueueError> {
        let address = Address::parse(url, options.ca_pem.clone())?;
        let settings = Settings { address, names: Names::new(&options.prefix), purpose: "publisher" };
        let sending = Link::keep(settings.clone());
        let server = sending.session_within(Duration::from_millis(options.patience_ms)).await?.server.clone();
        let publishers = POOLS.into_iter().map(|pool| (pool, Publisher::new(pool))).collect();
        Ok(Self { settings, options, server, sending, publishers, taking: Mutex::default() })
    }

    /// What the server says of itself: the one we are connected to, or the last we knew.
    pub fn server(&self) -> ServerInfo {
        self.sending.live().map_or_else(|| self.server.clone(), |session| session.server.clone())
    }

    fn patience(&self) -> Duration {
        Duration::from_millis(self.options.patience_ms)
    }

    /// The receiving end of a pool, which begins to take when it is first asked for.
    fn intake(&self, pool: Pool) -> Arc<Intake> {
        let mut taking = self.taking.lock().expect("no holder of the lock panics");
        let Taking { link, lines } = &mut *taking;
        let line = lines.entry(pool).or_insert_with(|| {
            let settings = || Settings { purpose: "worker", ..self.settings.clone() };
            let link = link.get_or_insert_with(|| Arc::new(Link::keep(settings())));
            let intake = Intake::new(pool, Arc::clone(link), self.options.consumer_timeout_ms);
            Line::start(intake, self.options.slots)
        });
        Arc::clone(&line.intake)
    }
}

#[async_trait]
impl Queue for RabbitMqQueue {
    async fn publish(&self, pool: Pool, message: &Message) -> Result<(), QueueError> {
        self.publish_all(pool, from_ref(message)).await
    }

    async fn publish_all(&self, pool: Pool, messages: &[Message]) -> Result<(), QueueError> {
        let publisher = self.publishers.get(&pool).expect("every pool has a publisher");
        publisher.publish(&self.sending, messages, self.patience()).await
    }

    async fn take(&self, pool: Pool) -> Result<Delivery, QueueError> {
        self.intake(pool).next().await
    }

    async fn depth(&self, pool: Pool) -> Result<u64, QueueError> {
        let session = self.sending.session_within(self.patience()).await?;
        session.declare(pool).await?;
        let queue = self.settings.names.pool(pool);
        match topology::depth(&session.channel().await?, &queue).await? {
            Some(depth) => Ok(depth),
            None => {
                session.forget_queue(pool).await;
                Err(fault::transient(format!("the queue `{queue}` is not there")))
            }
        }
    }

    async fn dead_letters(&self) -> Result<u64, QueueError> {
        let session = self.sending.session_within(self.patience()).await?;
        // It is declared with the first queue of a pool; before that there is none, and nothing in it.
        Ok(topology::depth(&session.channel().await?, &self.settings.names.dead()).await?.unwrap_or(0))
    }

    fn is_consuming(&self) -> bool {
        let taking = self.taking.lock().expect("no holder of the lock panics");
        !taking.lines.is_empty() && taking.lines.values().all(|line| line.intake.is_consuming())
    }
}

impl Debug for RabbitMqQueue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitMqQueue").field("address", &self.settings.address).finish_non_exhaustive()
    }
}
