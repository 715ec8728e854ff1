//! Tells webhooks what becomes of jobs. A message is put into the store before the job is closed, and taken away once it is
//! delivered or given up: so it is delivered at least once, whoever dies, and no job waits for a receiver.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use futures::StreamExt;
use shardmill_shared::job::{Key, Layout, Name, ObjectPath, Submission, encode};
use shardmill_shared::process::Clock;
use shardmill_shared::store::{JobRecords, Place, PlaceError, Store, StoreError};
use tokio::sync::Notify;
use url::Url;

use crate::ScheduleError;
use crate::limits::{DELIVERIES, DELIVERY_BACKOFF_MS, DELIVERY_MS, DELIVERY_PAUSE_MS, DELIVERY_ROUND_MS};

mod courier;
mod event;
mod sign;

pub use courier::{Courier, HttpCourier, Letter};
pub(crate) use event::Event;
use event::{Announcement, Delivery, announcement};
pub use sign::{NoSigningKey, SigningKey};

/// A webhook of the configuration.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where it is.
    pub url: Url,
    /// What messages to it are signed with.
    pub key: SigningKey,
    /// Who may use it.
    pub tenants: BTreeSet<Name>,
}

/// The webhooks of the configuration, and what goes to them.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// Each by its name.
    pub known: BTreeMap<Name, Webhook>,
    /// What goes there.
    pub courier: Arc<dyn Courier>,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { known: BTreeMap::new(), courier: Arc::new(()) }
    }
}

/// Delivers what was announced.
#[derive(Debug)]
pub(crate) struct Herald {
    pub(crate) root: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) webhooks: Webhooks,
    /// Rung when something was announced.
    pub(crate) bell: Arc<Notify>,
    /// Tries of this leader, and when the next one is due by its clock.
    pub(crate) tries: HashMap<ObjectPath, (u32, u64)>,
}

/// Makes it known to all webhooks of a job that something happened to it; again, if it is not sure that they know.
pub(crate) async fn announce(
    records: &JobRecords,
    root: &Arc<dyn Store>,
    submission: &Submission,
    (event, version): (Event<'_>, Option<u64>),
) -> Result<(), ScheduleError> {
    let own = Place { store: Arc::clone(records.store()), layout: Layout::Folder };
    for webhook in &submission.afterwards.notify {
        let told = announcement(submission, webhook, &event, version);
        let delivered = Key::Delivery(submission.job.clone(), told.id.clone());
        if own.find::<Delivery>(&delivered).await?.is_none() {
            let path = own.path(&Key::Announcement(submission.tenant.clone(), told.id.clone()));
            root.put_once(&path, encode(&told).into()).await?;
        }
    }
    Ok(())
}

impl Herald {
    /// Delivers for ever. To be dropped when another leads.
    pub(crate) async fn run(mut self) {
        loop {
            let wait_ms = self.round().await.unwrap_or_else(|error| {
                tracing::warn!("webhooks wait: {error}");
                DELIVERY_PAUSE_MS
            });
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now_ms().saturating_add(wait_ms)) => {}
                () = self.bell.notified() => {}
            }
        }
    }

    /// Tries once whatever is due; returns how long nothing will be, in milliseconds.
    async fn round(&mut self) -> Result<u64, ScheduleError> {
        let waiting = self.waiting().await?;
        self.tries.retain(|path, _| waiting.contains(path));
        let now_ms = self.clock.now_ms();
        let is_due = |path: &&ObjectPath| self.tries.get(*path).is_none_or(|(_, due_ms)| *due_ms <= now_ms);
        let due: Vec<ObjectPath> = waiting.iter().filter(is_due).cloned().collect();
        let this = &*self;
        let delivered = due.into_iter().map(|path| async move {
            let end = this.deliver(&path).await;
            (path, end)
        });
        let ends: Vec<_> = futures::stream::iter(delivered).buffer_unordered(DELIVERIES).collect().await;
        for (path, end) in ends {
            match end {
                Ok(()) => {
                    self.tries.remove(&path);
                }
                Err(error) => {
                    tracing::warn!("a webhook is told later: {error}");
                    let tries = self.tries.get(&path).map_or(1, |(tries, _)| tries + 1);
                    self.tries.insert(path, (tries, self.clock.now_ms() + backoff_ms(tries)));
                }
            }
        }
        let now_ms = self.clock.now_ms();
        let next = self.tries.values().map(|(_, due_ms)| due_ms.saturating_sub(now_ms)).min();
        Ok(next.unwrap_or(DELIVERY_ROUND_MS).min(DELIVERY_ROUND_MS))
    }

    async fn waiting(&self) -> Result<Vec<ObjectPath>, ScheduleError> {
        let mut listing = self.root.list(Some(&Layout::Folder.path(&Key::Announcements))).await?;
        let mut waiting = Vec::new();
        loop {
            let page = listing.next_page().await?;
            if page.is_empty() {
                return Ok(waiting);
            }
            waiting.extend(page.into_iter().map(|entry| entry.path));
        }
    }

    /// Delivers one announcement, or gives it up.
    async fn deliver(&self, path: &ObjectPath) -> Result<(), String> {
        let Some((tenant, told)) = self.read(path).await.map_err(|error| error.to_string())? else { return Ok(()) };
        let now_ms = self.clock.unix_ms();
        let webhook = self.webhooks.known.get(&told.webhook).filter(|webhook| webhook.tenants.contains(&tenant));
        let Some(webhook) = webhook else {
            let reason = "it is not in the configuration any more, or not for this tenant".to_owned();
            return self.settle((path, &tenant), &told, Some(reason)).await;
        };
        let timestamp = now_ms / 1_000;
        let signature = webhook.key.sign(told.id.as_str(), timestamp, &told.body);
        let letter = Letter { id: told.id.to_string(), timestamp, signature, body: told.body.clone() };
        match self.webhooks.courier.hand_over(&webhook.url, &letter).await {
            Ok(()) => self.settle((path, &tenant), &told, None).await,
            Err(reason) if now_ms.saturating_sub(told.created_ms) >= DELIVERY_MS => {
                self.settle((path, &tenant), &told, Some(reason)).await
            }
            Err(reason) => Err(format!("`{}` of job {}: {reason}", told.webhook, told.job)),
        }
    }

    async fn read(&self, path: &ObjectPath) -> Result<Option<(Name, Announcement)>, PlaceError> {
        let tenant = path.as_str().rsplit('/').nth(1).and_then(|tenant| Name::new(tenant).ok());
        let bytes = match self.root.read(path).await {
            Err(StoreError::NotFound { .. }) => return Ok(None),
            read => read?,
        };
        let damaged = |reason: String| PlaceError::Damaged { path: path.clone(), reason };
        let told = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        Ok(Some((tenant.ok_or_else(|| damaged("it lies in no tenant's folder".to_owned()))?, told)))
    }

    /// Records what came of it, then takes it away.
    async fn settle(
        &self,
        (path, tenant): (&ObjectPath, &Name),
        told: &Announcement,
        failure: Option<String>,
    ) -> Result<(), String> {
        if let Some(reason) = &failure {
            tracing::error!(job.id = %told.job, %tenant, webhook = %told.webhook, "a webhook is given up: {reason}");
        }
        let at_ms = self.clock.unix_ms();
        let webhook = told.webhook.clone();
        let delivery = Delivery { webhook, is_delivered: failure.is_none(), at_ms, message: failure };
        let own = Place { store: Arc::clone(JobRecords::of(&self.root, tenant).store()), layout: Layout::Folder };
        let key = Key::Delivery(told.job.clone(), told.id.clone());
        own.put(&key, &delivery).await.map_err(|error| error.to_string())?;
        self.root.delete(path).await.map_err(|error| error.to_string())
    }
}

/// The wait after so many tries: four times as long after each, up to an hour.
fn backoff_ms(tries: u32) -> u64 {
    4_u64.saturating_pow(tries.saturating_sub(1)).saturating_mul(DELIVERY_BACKOFF_MS).min(DELIVERY_PAUSE_MS)
}

#[cfg(test)]
mod tests;
