//! What a process counts about its own work, for Prometheus. What all processes know alike (the backlog, open jobs) is not
//! counted but looked up where it is asked for.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use crate::job::{JobState, Made, NanoUsd, Pool};

pub mod about;
mod labels;
mod calls;
mod store;
mod ledger;
mod budget;
mod limit;
mod queue;

pub use about::{About, Kind, METRICS};
pub use budget::MeasuredBudgets;
use calls::Calls;
use labels::{OfFailure, OfModel, OfOutcome, OfRequest, OfRoute};
pub use labels::{OfPool, OfState, OfVersion};
pub use ledger::MeasuredLedger;
pub use limit::MeasuredLimits;
pub use queue::MeasuredQueue;
pub use store::MeasuredStore;

/// A family of histograms.
type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

/// The counters of a process. Clones count together; those that nobody registers cost next to nothing.
#[derive(Clone, Debug)]
pub struct Metrics {
    shards_done: Family<OfPool, Counter>,
    shards_failed: Family<OfFailure, Counter>,
    attempts: Family<OfOutcome, Counter>,
    rows: Family<OfPool, Counter>,
    bytes: Family<OfPool, Counter>,
    shard_seconds: Seconds<OfPool>,
    jobs_ended: Family<OfState, Counter>,
    requests: Family<OfRequest, Counter>,
    request_seconds: Seconds<OfRoute>,
    spent: Family<OfPool, Counter<f64, AtomicU64>>,
    held: Family<OfPool, Gauge<f64, AtomicU64>>,
    limiter_wait: Seconds<OfModel>,
    calls: Calls,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            shards_done: Family::default(),
            shards_failed: Family::default(),
            attempts: Family::default(),
            rows: Family::default(),
            bytes: Family::default(),
            shard_seconds: Family::new_with_constructor(minutes),
            jobs_ended: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(moments),
            spent: Family::default(),
            held: Family::default(),
            limiter_wait: Family::new_with_constructor(moments),
            calls: Calls::default(),
        }
    }
}

/// Buckets of what takes from a moment to an hour, in seconds.
fn minutes() -> Histogram {
    Histogram::new([0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0])
}

/// Buckets of what should take a moment, in seconds.
fn moments() -> Histogram {
    Histogram::new([0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10.0])
}

impl About {
    /// Makes a metric known to a registry by this name.
    pub fn register(&self, registry: &mut Registry, metric: impl Metric) {
        // The library puts the ending of counters and the full stop back.
        registry.register(self.name.trim_end_matches("_total"), self.help, metric);
    }
}

impl Metrics {
    /// Makes all of them known to a registry.
    pub fn register(&self, registry: &mut Registry) {
        about::SHARDS_DONE.register(registry, self.shards_done.clone());
        about::SHARDS_FAILED.register(registry, self.shards_failed.clone());
        about::ATTEMPTS.register(registry, self.attempts.clone());
        about::ROWS.register(registry, self.rows.clone());
        about::BYTES.register(registry, self.bytes.clone());
        about::SHARD_SECONDS.register(registry, self.shard_seconds.clone());
        about::JOBS_ENDED.register(registry, self.jobs_ended.clone());
        about::REQUESTS.register(registry, self.requests.clone());
        about::REQUEST_SECONDS.register(registry, self.request_seconds.clone());
        about::SPENT.register(registry, self.spent.clone());
        about::HELD.register(registry, self.held.clone());
        about::LIMITER_WAIT.register(registry, self.limiter_wait.clone());
        self.calls.register(registry);
    }

    /// A worker begins to take from a pool: what it has not done yet is 0, so that a rate sees the first.
    pub fn worker_begins(&self, pool: Pool) {
        let of = OfPool { pool: pool.as_str() };
        for counters in [&self.shards_done, &self.rows, &self.bytes] {
            drop(counters.get_or_create(&of));
        }
    }

    /// A scheduler begins: it has ended no job yet.
    pub fn scheduler_begins(&self) {
        for state in JobState::ALL.into_iter().filter(|state| state.is_over()) {
            drop(self.jobs_ended.get_or_create(&OfState { state: state.as_str() }));
        }
    }

    /// A job ended so.
    pub fn job_ended(&self, state: JobState) {
        self.jobs_ended.get_or_create(&OfState { state: state.as_str() }).inc();
    }

    /// A shard was committed and reported, so long after its lease began.
    pub fn shard_done(&self, pool: Pool, made: Made, took: Duration) {
        let of = OfPool { pool: pool.as_str() };
        self.shards_done.get_or_create(&of).inc();
        self.rows.get_or_create(&of).inc_by(made.rows);
        self.bytes.get_or_create(&of).inc_by(made.bytes);
        self.shard_seconds.get_or_create(&of).observe(took.as_secs_f64());
        self.attempted(pool, "committed");
    }

    /// An attempt failed, for a cause of this class.
    pub fn shard_failed(&self, pool: Pool, class: &'static str) {
        self.shards_failed.get_or_create(&OfFailure { pool: pool.as_str(), class }).inc();
        self.attempted(pool, "failed");
    }

    /// An attempt was told to stop.
    pub fn shard_stopped(&self, pool: Pool) {
        self.attempted(pool, "stopped");
    }

    /// A message came for whose shard another attempt answers, or whose job runs no more.
    pub fn message_needless(&self, pool: Pool) {
        self.attempted(pool, "needless");
    }

    fn attempted(&self, pool: Pool, outcome: &'static str) {
        self.attempts.get_or_create(&OfOutcome { pool: pool.as_str(), outcome }).inc();
    }

    /// So much is held for a call of a pool.
    pub fn money_held(&self, pool: Pool, amount: NanoUsd) {
        self.held.get_or_create(&OfPool { pool: pool.as_str() }).inc_by(amount.approximate_dollars());
    }

    /// A call for which so much was held cost so much.
    pub fn money_settled(&self, pool: Pool, held: NanoUsd, actual: NanoUsd) {
        let of = OfPool { pool: pool.as_str() };
        self.held.get_or_create(&of).dec_by(held.approximate_dollars());
        self.spent.get_or_create(&of).inc_by(actual.approximate_dollars());
    }

    /// A call of a model waited so long for its limits. `model` is one that the operator configured.
    pub fn limiter_waited(&self, model: &str, waited: Duration) {
        self.limiter_wait.get_or_create(&OfModel { model: model.to_owned() }).observe(waited.as_secs_f64());
    }

    /// The API answered a request. `route` is one of the templates, never a path that somebody sent; the same is true of
    /// `method`.
    pub fn answered(&self, (method, route): (&'static str, &str), status: u16, took: Duration) {
        let of = OfRoute { method, route: route.to_owned() };
        self.request_seconds.get_or_create(&of).observe(took.as_secs_f64());
        self.requests.get_or_create(&OfRequest { method, route: of.route, status }).inc();
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    fn page(metrics: &Metrics) -> String {
        let (mut registry, mut text) = (Registry::default(), String::new());
        metrics.register(&mut registry);
        encode(&mut text, &registry).expect("encodes");
        text
    }

    #[test]
    fn what_happens_is_counted_under_the_documented_names() {
        let metrics = Metrics::default();
        metrics.shard_done(Pool::Generate, Made { rows: 5, bytes: 70 }, Duration::from_millis(300));
        metrics.shard_done(Pool::Generate, Made { rows: 6, bytes: 80 }, Duration::from_millis(30));
        metrics.shard_failed(Pool::Sql, "store");
        metrics.shard_stopped(Pool::Sql);
        metrics.message_needless(Pool::Sql);
        metrics.job_ended(JobState::Failed);
        metrics.money_held(Pool::Llm, NanoUsd::dollars(3));
        metrics.money_settled(Pool::Llm, NanoUsd::dollars(2), NanoUsd(500_000_000));
        metrics.limiter_waited("cloud/small", Duration::from_millis(20));
        metrics.answered(("GET", "/v1/jobs/{id}"), 404, Duration::from_millis(2));
        let text = page(&metrics);
        for line in [
            "shardmill_shards_done_total{pool=\"generate\"} 2",
            "shardmill_rows_total{pool=\"generate\"} 11",
            "shardmill_bytes_total{pool=\"generate\"} 150",
            "shardmill_shard_seconds_bucket{le=\"0.1\",pool=\"generate\"} 1",
            "shardmill_shard_seconds_count{pool=\"generate\"} 2",
            "shardmill_shards_failed_total{pool=\"sql\",class=\"store\"} 1",
            "shardmill_attempts_total{pool=\"sql\",outcome=\"failed\"} 1",
            "shardmill_attempts_total{pool=\"sql\",outcome=\"needless\"} 1",
            "shardmill_attempts_total{pool=\"generate\",outcome=\"committed\"} 2",
            "shardmill_jobs_ended_total{state=\"failed\"} 1",
            "shardmill_spent_dollars_total{pool=\"llm\"} 0.5",
            "shardmill_held_dollars{pool=\"llm\"} 1.0",
            "shardmill_limiter_wait_seconds_bucket{le=\"0.025\",model=\"cloud/small\"} 1",
            "shardmill_http_requests_total{method=\"GET\",route=\"/v1/jobs/{id}\",status=\"404\"} 1",
            "shardmill_http_request_seconds_count{method=\"GET\",route=\"/v1/jobs/{id}\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "no {line} in\n{text}");
        }
    }

    #[test]
    fn who_begins_starts_at_0_and_the_others_are_silent() {
        let metrics = Metrics::default();
        assert!(!page(&metrics).contains("shardmill_"), "{}", page(&metrics));
        metrics.worker_begins(Pool::Generate);
        metrics.scheduler_begins();
        let text = page(&metrics);
        assert!(text.contains("shardmill_shards_done_total{pool=\"generate\"} 0"), "{text}");
        assert!(text.contains("shardmill_jobs_ended_total{state=\"failed\"} 0"), "{text}");
    }
}
