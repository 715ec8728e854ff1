//! The page that Prometheus reads: what this process counted, and what all replicas know alike. What is not known is absent.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use shardmill_shared::job::{JobState, Pool};
use shardmill_shared::metrics::{About, OfPool, OfState, OfVersion, about};
use tokio::time::timeout;

use super::ops::{Ops, POOLS};
use super::survey::Found;

/// The type of the page.
pub(super) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// How long a server may take to answer before it counts as away: Prometheus itself waits ten seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the servers answered just now; nothing where they did not.
#[derive(Debug, Default)]
struct Answers {
    found: Option<Arc<Found>>,
    is_store_up: bool,
    slots: Vec<(Pool, u64)>,
    messages: Vec<(Pool, u64)>,
    dead_letters: Option<u64>,
}

/// The page.
pub(super) async fn page(ops: &Ops) -> String {
    let (mut registry, mut text) = (Registry::default(), String::new());
    answers(ops).await.register(&mut registry, ops.slots);
    one(&about::LEADER, &mut registry, u64::from(ops.leads.load(Ordering::Relaxed)));
    let build = Family::<OfVersion, Gauge>::default();
    build.get_or_create(&OfVersion { version: env!("CARGO_PKG_VERSION") }).set(1);
    about::BUILD.register(&mut registry, build);
    ops.metrics.register(&mut registry);
    encode(&mut text, &registry).expect("a text takes everything");
    text
}

async fn answers(ops: &Ops) -> Answers {
    let found = timeout(PATIENCE, ops.survey.find());
    let store = timeout(PATIENCE, ops.survey.ask_store());
    let slots = timeout(PATIENCE, async {
        let mut known = Vec::new();
        for pool in POOLS {
            known.extend(ops.ledger.slots(pool).await.map(|slots| (pool, slots)));
        }
        known
    });
    let messages = timeout(PATIENCE, async {
        let mut known = Vec::new();
        for pool in POOLS {
            known.extend(ops.queue.depth(pool).await.map(|depth| (pool, depth)));
        }
        (known, ops.queue.dead_letters().await.ok())
    });
    let (found, store, slots, messages) = tokio::join!(found, store, slots, messages);
    let (messages, dead_letters) = messages.unwrap_or_default();
    Answers {
        found: found.ok().and_then(Result::ok),
        is_store_up: matches!(store, Ok(Ok(()))),
        slots: slots.unwrap_or_default(),
        messages,
        dead_letters,
    }
}

impl Answers {
    fn register(&self, registry: &mut Registry, slots_each: u64) {
        one(&about::STORE_UP, registry, u64::from(self.is_store_up));
        one(&about::LEDGER_UP, registry, u64::from(!self.slots.is_empty()));
        one(&about::QUEUE_UP, registry, u64::from(!self.messages.is_empty()));
        of_pools(&about::SLOTS_LIVE, registry, self.slots.iter().copied());
        let workers = self.slots.iter().map(|(pool, slots)| (*pool, slots.div_ceil(slots_each.max(1))));
        of_pools(&about::WORKERS_LIVE, registry, workers);
        of_pools(&about::QUEUE_MESSAGES, registry, self.messages.iter().copied());
        if let Some(letters) = self.dead_letters {
            one(&about::DEAD_LETTERS, registry, letters);
        }
        if let Some(found) = &self.found {
            register_found(found, registry, slots_each);
        }
    }
}

fn register_found(found: &Found, registry: &mut Registry, slots_each: u64) {
    one(&about::JOBS_OPEN, registry, found.jobs.values().sum());
    one(&about::OLDEST_OPEN_JOB, registry, found.oldest_ms / 1_000);
    let jobs = Family::<OfState, Gauge>::default();
    let is_of_open = |state: &JobState| !matches!(state, JobState::Succeeded | JobState::Failed);
    for state in JobState::ALL.into_iter().filter(is_of_open) {
        let count = found.jobs.get(&state).copied().unwrap_or_default();
        jobs.get_or_create(&OfState { state: state.as_str() }).set(whole(count));
    }
    about::JOBS.register(registry, jobs);
    let backlog = |pool: Pool| found.pools.get(&pool).copied().unwrap_or_default();
    of_pools(&about::BACKLOG, registry, POOLS.map(|pool| (pool, backlog(pool).shards)));
    of_pools(&about::LEASES, registry, POOLS.map(|pool| (pool, backlog(pool).leased)));
    of_pools(&about::WORKERS_WANTED, registry, POOLS.map(|pool| (pool, backlog(pool).workers_wanted(slots_each))));
}

fn one(about: &About, registry: &mut Registry, value: u64) {
    let gauge = Gauge::<i64>::default();
    gauge.set(whole(value));
    about.register(registry, gauge);
}

fn of_pools(about: &About, registry: &mut Registry, values: impl IntoIterator<Item = (Pool, u64)>) {
    let family = Family::<OfPool, Gauge>::default();
    for (pool, value) in values {
        family.get_or_create(&OfPool { pool: pool.as_str() }).set(whole(value));
    }
    about.register(registry, family);
}

/// Gauges are signed.
fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
