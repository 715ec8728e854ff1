//! The doors to the outside that the configuration names: store, queue, ledger, time.

use std::sync::Arc;

use anyhow::{Context, Result, bail};
use shardmill_shared::ledger::budget::Budgets;
use shardmill_shared::ledger::limit::Limits;
use shardmill_shared::ledger::{Finding, Ledger, MemoryLedger, RedisLedger, RedisOptions, Severity};
use shardmill_shared::metrics::{
    MeasuredBudgets, MeasuredLedger, MeasuredLimits, MeasuredQueue, MeasuredStore, Metrics,
};
use shardmill_shared::process::{Clock, MonotonicClock};
use shardmill_shared::queue::{MemoryQueue, Queue, RabbitMqOptions, RabbitMqQueue};
use shardmill_shared::store::{
    AddressStyle, Durability, FolderGuard, FolderStore, Keys, RemoteOptions, Secret, Store, Transport, Writers,
    open_url,
};
use shardmill_worker::take::in_hand;

use super::Role;
use crate::config::{Config, MEMORY, StoreConfig};

/// What a role stands on.
pub(crate) struct Doors {
    pub(super) store: Arc<dyn Store>,
    pub(super) queue: Arc<dyn Queue>,
    pub(super) ledger: Arc<dyn Ledger>,
    pub(super) budgets: Arc<dyn Budgets>,
    pub(super) limits: Arc<dyn Limits>,
    pub(super) clock: Arc<dyn Clock>,
    /// Where this process counts what it does, calls through the doors included.
    pub(super) metrics: Metrics,
    /// The store's address for its users' own programs.
    pub(super) location: Option<String>,
    /// Held while this process is the only one in a folder.
    _guard: Option<FolderGuard>,
}

impl Doors {
    /// Opens them all.
    ///
    /// # Errors
    /// When one cannot be opened, or a role that shares them with others was given one of this process alone.
    pub(super) async fn open(role: Role, config: &Config) -> Result<Self> {
        for (name, url) in [("queue", &config.queue.url), ("ledger", &config.ledger.url)] {
            if role != Role::All && url == MEMORY {
                bail!(
                    "{name}.url is `{MEMORY}`, which other processes cannot see; give the server's address \
                     (SHARDMILL_{}__URL), or run every role in one process",
                    name.to_uppercase()
                );
            }
        }
        let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
        let (store, guard) = store(role, &config.store).await?;
        let Books { ledger, budgets, limits } = ledger(config, &clock).await?;
        for Finding { severity, what, remedy } in ledger.check().await {
            match severity {
                Severity::Error => bail!("ledger.url: {what}; {remedy}"),
                Severity::Warning => tracing::warn!("the ledger: {what}; {remedy}"),
                Severity::Note => {}
            }
        }
        let queue: Arc<dyn Queue> = match config.queue.url.as_str() {
            MEMORY => Arc::new(MemoryQueue::default()),
            _ => Arc::new(rabbitmq(config).await?),
        };
        let metrics = Metrics::default();
        let store = Arc::new(MeasuredStore::new(store, &metrics));
        let queue = Arc::new(MeasuredQueue::new(queue, &metrics));
        let ledger = Arc::new(MeasuredLedger::new(ledger, &metrics));
        let budgets = Arc::new(MeasuredBudgets::new(budgets, &metrics));
        let limits = Arc::new(MeasuredLimits::new(limits, &metrics));
        let location = location(&config.store.url);
        Ok(Self { store, queue, ledger, budgets, limits, clock, metrics, location, _guard: guard })
    }
}

/// Where users find what is in a store: its bucket, or its folder from the root on.
fn location(url: &str) -> Option<String> {
    let folder = match url.split_once("://") {
        None => url,
        Some(("file", folder)) => folder,
        Some(("memory", _)) => return None,
        Some(_) => return Some(url.to_owned()),
    };
    std::fs::canonicalize(folder).ok().map(|folder| folder.display().to_string())
}

/// One ledger, by each of its ports.
pub(crate) struct Books {
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) budgets: Arc<dyn Budgets>,
    pub(crate) limits: Arc<dyn Limits>,
}

impl Books {
    fn of<T: Ledger + Budgets + Limits + 'static>(ledger: T) -> Self {
        let ledger = Arc::new(ledger);
        Self { budgets: Arc::<T>::clone(&ledger), limits: Arc::<T>::clone(&ledger), ledger }
    }
}

/// The ledger.
pub(crate) async fn ledger(config: &Config, clock: &Arc<dyn Clock>) -> Result<Books> {
    match config.ledger.url.as_str() {
        MEMORY => Ok(Books::of(MemoryLedger::new(Arc::clone(clock)))),
        url => {
            let ca_pem = pem(config.ledger.ca_file.as_ref(), "ledger.ca_file")?;
            let options = RedisOptions { prefix: config.ledger.prefix.clone(), ca_pem, ..RedisOptions::default() };
            Ok(Books::of(RedisLedger::connect(url, options).await.context("ledger.url")?))
        }
    }
}

/// The certificates in a file that a key of the configuration names.
fn pem(file: Option<&String>, key: &str) -> Result<Option<String>> {
    let read = |file| std::fs::read_to_string(file).with_context(|| format!("{key}: cannot read {file}"));
    file.map(read).transpose()
}

/// The queue on its server.
pub(crate) async fn rabbitmq(config: &Config) -> Result<RabbitMqQueue> {
    RabbitMqQueue::connect(&config.queue.url, queue_options(config)?).await.context("queue.url")
}

fn queue_options(config: &Config) -> Result<RabbitMqOptions> {
    Ok(RabbitMqOptions {
        prefix: config.queue.prefix.clone(),
        slots: in_hand(config.slots()),
        ca_pem: pem(config.queue.ca_file.as_ref(), "queue.ca_file")?,
        ..RabbitMqOptions::default()
    })
}

/// The store; a folder is made, and taken for this process alone where it has every role.
pub(crate) async fn store(role: Role, config: &StoreConfig) -> Result<(Arc<dyn Store>, Option<FolderGuard>)> {
    if config.url.contains("://") && !config.url.starts_with("file://") {
        return Ok((open_url(&config.url, &remote(config)?).await.context("store.url")?, None));
    }
    let folder = config.url.strip_prefix("file://").unwrap_or(&config.url);
    let durability = if config.fsync { Durability::Synced } else { Durability::Unsynced };
    let store = FolderStore::at(folder).with_durability(durability);
    let guard = if role == Role::All {
        Some(store.prepare().await.with_context(|| format!("store.url: the folder {folder} cannot be used"))?)
    } else {
        std::fs::create_dir_all(folder).with_context(|| format!("store.url: the folder {folder} cannot be made"))?;
        None
    };
    Ok((Arc::new(store), guard))
}

fn remote(config: &StoreConfig) -> Result<RemoteOptions> {
    let keys = match (&config.access_key_id, &config.secret_access_key) {
        (None, None) => Keys::Environment,
        (Some(id), Some(secret)) => Keys::Given { id: id.clone(), secret: Secret::new(secret.clone()), token: None },
        _ => bail!("store.access_key_id and store.secret_access_key go together: give both, or neither"),
    };
    Ok(RemoteOptions {
        endpoint: config.endpoint.clone(),
        region: config.region.clone(),
        style: if config.path_style { AddressStyle::Path } else { AddressStyle::Host },
        transport: if config.allow_http { Transport::PlainAllowed } else { Transport::default() },
        keys,
        writers: if config.single_writer { Writers::Single } else { Writers::Many },
        ..RemoteOptions::default()
    })
}

/// The machine's name, for the names of workers.
pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "host".to_owned() } else { name.to_owned() }
}
