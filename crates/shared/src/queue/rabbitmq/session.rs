//! One connection, from its opening to its loss. It is never mended: whoever finds it lost waits for the next one.

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};
use std::pin::pin;

use futures::{FutureExt, StreamExt};
use lapin::options::BasicQosOptions;
use lapin::{Channel, Connect, Connection, ConnectionProperties, Event};
use tokio::sync::{Mutex, watch};
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::fault::{of_step, transient};
use super::greeting::{ServerInfo, greet};
use super::limits::{LOOK_EVERY, LOOKS_PER_PROBE, STEP};
use super::topology::{Names, POOLS, declare_dead, declare_pool};
use crate::job::Pool;
use crate::queue::QueueError;

/// A connection that was open when it was made.
pub(super) struct Session {
    connection: Connection,
    /// Who is at the other end.
    pub(super) server: ServerInfo,
    /// The names of the queues.
    pub(super) names: Names,
    /// Which pools' queues were declared. They are when they are first needed, each behind a lock of its own, so that a queue
    /// that is ill stops nobody but its own pool.
    declared: BTreeMap<Pool, Mutex<bool>>,
    is_lost: watch::Sender<bool>,
}

impl Session {
    /// Connects. `purpose` names the connection in the server's lists.
    pub(super) async fn open(address: &Address, names: &Names, purpose: &str) -> Result<Self, QueueError> {
        let server = greet(address).await?;
        let doing = format!("connect to {address}");
        let properties = ConnectionProperties::default().with_connection_name(format!("shardmill {purpose}").into());
        let runtime = lapin::runtime::default_runtime().map_err(|error| of_step(&doing, &error))?;
        let connecting = address.uri.clone().connect_with_config(properties, address.tls(), runtime);
        let connection = timeout(STEP, connecting)
            .await
            .map_err(|_| transient(format!("{doing}: no answer")))?
            .map_err(|error| of_step(&doing, &error))?;
        let declared = POOLS.into_iter().map(|pool| (pool, Mutex::default())).collect();
        Ok(Self { connection, server, names: names.clone(), declared, is_lost: watch::Sender::new(false) })
    }

    /// A new channel.
    pub(super) async fn channel(&self) -> Result<Channel, QueueError> {
        let opening = timeout(STEP, self.connection.create_channel());
        opening
            .await
            .map_err(|_| transient("open a channel: no answer"))?
            .map_err(|error| of_step("open a channel", &error))
    }

    /// Declares a pool's queue if this session did not do so before.
    pub(super) async fn declare(&self, pool: Pool) -> Result<(), QueueError> {
        let mut is_declared = self.declared(pool).lock().await;
        if *is_declared {
            return Ok(());
        }
        declare_pool(&self.channel().await?, &self.names, pool).await?;
        match declare_dead(&self.channel().await?, &self.names).await {
            // Without a place for dead letters the server drops them; shards are repeated all the same.
            Err(QueueError::Transient { reason }) => tracing::warn!("dead letters may be lost: {reason}"),
            end => end?,
        }
        *is_declared = true;
        Ok(())
    }

    /// Lets a pool's queue be declared again: it was not there.
    pub(super) async fn forget_queue(&self, pool: Pool) {
        *self.declared(pool).lock().await = false;
    }

    fn declared(&self, pool: Pool) -> &Mutex<bool> {
        self.declared.get(&pool).expect("every pool is there from the start")
    }

    /// Whether nobody found it lost yet.
    pub(super) fn is_live(&self) -> bool {
        !*self.is_lost.borrow() && self.connection.status().connected()
    }

    /// Comes back when the session is lost.
    pub(super) async fn lost(&self) {
        let mut is_lost = self.is_lost.subscribe();
        is_lost.wait_for(|is_lost| *is_lost).await.expect("the session keeps its own sender");
    }

    /// Looks after the connection until it is lost, and says why. The library's own notice is not relied upon: a look at its
    /// state and a question now and then find what it does not tell.
    pub(super) async fn watch(&self) -> String {
        let mut events = pin!(self.connection.events_listener());
        let mut why = loop {
            for _ in 0..LOOKS_PER_PROBE {
                sleep(LOOK_EVERY).await;
                if !self.connection.status().connected() {
                    break;
                }
            }
            if let Err(why) = self.probe().await {
                break why;
            }
        };
        self.is_lost.send_replace(true);
        while let Some(Some(event)) = events.next().now_or_never() {
            if let Event::Error(error) = event {
                why = error.to_string();
            }
        }
        why
    }

    async fn probe(&self) -> Result<(), String> {
        let status = self.connection.status();
        if !status.connected() {
            return Err("it was closed".to_owned());
        }
        // A server short of memory or disk answers nothing to those who publish. It is alive.
        if status.blocked() {
            return Ok(());
        }
        let channel = self.channel().await.map_err(|error| error.to_string())?;
        match timeout(STEP, channel.basic_qos(1, BasicQosOptions::default())).await {
            Err(_) if !status.blocked() => Err("the server does not answer".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            _ => Ok(()),
        }
    }
}

impl Debug for Session {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("server", &self.server).field("names", &self.names).finish_non_exhaustive()
    }
}
