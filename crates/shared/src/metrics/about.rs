//! Every metric there is: its name, make, labels and meaning. What is exported, documented, alerted on and drawn is
//! checked against this list. Pure.

use std::fmt;

/// What a metric is, once and for all roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The name that Prometheus knows it by.
    pub name: &'static str,
    /// Its make.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it says, without a full stop.
    pub help: &'static str,
}

/// The make of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from 0 at the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
    /// How many values were how large.
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> About {
    About { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> About {
    About { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> About {
    About { name, kind: Kind::Histogram, labels, help }
}

/// Every metric.
pub const METRICS: &[About] = &[
    STORE_UP,
    LEDGER_UP,
    QUEUE_UP,
    LEADER,
    BUILD,
    JOBS,
    JOBS_OPEN,
    OLDEST_OPEN_JOB,
    JOBS_ENDED,
    BACKLOG,
    LEASES,
    WORKERS_WANTED,
    SLOTS_LIVE,
    WORKERS_LIVE,
    QUEUE_MESSAGES,
    DEAD_LETTERS,
    SHARDS_DONE,
    SHARDS_FAILED,
    ATTEMPTS,
    ROWS,
    BYTES,
    SHARD_SECONDS,
    CALL_SECONDS,
    CALL_ERRORS,
    REQUESTS,
    REQUEST_SECONDS,
    SPENT,
    HELD,
    LIMITER_WAIT,
];

/// Whether the store answers.
pub const STORE_UP: About = gauge("shardmill_store_up", &[], "Whether the store answers this process");
/// Whether the ledger answers.
pub const LEDGER_UP: About = gauge("shardmill_ledger_up", &[], "Whether the ledger answers this process");
/// Whether the queue answers.
pub const QUEUE_UP: About = gauge("shardmill_queue_up", &[], "Whether the queue answers this process");
/// Whether this process leads.
pub const LEADER: About = gauge("shardmill_leader", &[], "Whether the scheduler of this process leads");
/// Which program this is.
pub const BUILD: About = gauge("shardmill_build_info", &["version"], "Always 1; the version of the program");
/// Open jobs by state.
pub const JOBS: About = gauge("shardmill_jobs", &["state"], "Jobs that have not ended, by state");
/// Open jobs.
pub const JOBS_OPEN: About = gauge("shardmill_jobs_open", &[], "Jobs that have not ended");
/// The age of the oldest open job.
pub const OLDEST_OPEN_JOB: About =
    gauge("shardmill_oldest_open_job_seconds", &[], "Since when the oldest open job is submitted; 0 without one");
/// Jobs that ended.
pub const JOBS_ENDED: About = counter(
    "shardmill_jobs_ended_total",
    &["state"],
    "Jobs that the scheduler of this process has ended, by their end",
);
/// What is to be done.
pub const BACKLOG: About =
    gauge("shardmill_backlog_shards", &["pool"], "Shards that are planned and not done, of all open jobs");
/// What is being done.
pub const LEASES: About = gauge("shardmill_leases", &["pool"], "Shards that run under a lease");
/// How many workers could be busy.
pub const WORKERS_WANTED: About =
    gauge("shardmill_workers_wanted", &["pool"], "Workers that could be busy, of as many slots as this process");
/// How many slots live.
pub const SLOTS_LIVE: About = gauge("shardmill_slots_live", &["pool"], "Slots of workers that live");
/// How many workers live.
pub const WORKERS_LIVE: About =
    gauge("shardmill_workers_live", &["pool"], "Workers that live, were each of as many slots as this process");
/// The length of a queue.
pub const QUEUE_MESSAGES: About =
    gauge("shardmill_queue_messages", &["pool"], "Messages that wait for a worker; kept short on purpose, no backlog");
/// What the queue gave up.
pub const DEAD_LETTERS: About = gauge("shardmill_dead_letters", &[], "Messages that the queue gave up");
/// Shards this process has committed.
pub const SHARDS_DONE: About = counter("shardmill_shards_done_total", &["pool"], "Shards committed by this worker");
/// Attempts that failed.
pub const SHARDS_FAILED: About =
    counter("shardmill_shards_failed_total", &["pool", "class"], "Attempts of this worker that failed, by cause");
/// What became of messages.
pub const ATTEMPTS: About = counter(
    "shardmill_attempts_total",
    &["pool", "outcome"],
    "Messages that this worker took, by what became of them: committed, failed, stopped, or needless as another attempt answers for the shard",
);
/// Rows written.
pub const ROWS: About = counter("shardmill_rows_total", &["pool"], "Rows committed by this worker");
/// Bytes written.
pub const BYTES: About = counter("shardmill_bytes_total", &["pool"], "Bytes of files committed by this worker");
/// How long shards take.
pub const SHARD_SECONDS: About =
    histogram("shardmill_shard_seconds", &["pool"], "From the lease to the report of a committed shard");
/// How long store, ledger and queue take.
pub const CALL_SECONDS: About =
    histogram("shardmill_call_seconds", &["to", "operation"], "Calls of store, ledger and queue, repetitions included");
/// What store, ledger and queue refused.
pub const CALL_ERRORS: About = counter(
    "shardmill_call_errors_total",
    &["to", "operation", "class"],
    "Calls of store, ledger and queue that failed",
);
/// Requests to the API.
pub const REQUESTS: About =
    counter("shardmill_http_requests_total", &["method", "route", "status"], "Requests that the API answered");
/// How long the API takes.
pub const REQUEST_SECONDS: About =
    histogram("shardmill_http_request_seconds", &["method", "route"], "From a request to the head of its answer");
/// Money spent.
pub const SPENT: About = counter(
    "shardmill_spent_dollars_total",
    &["pool"],
    "What calls of this process cost, rounded; the ledger is exact",
);
/// Money held.
pub const HELD: About =
    gauge("shardmill_held_dollars", &["pool"], "What is held for calls of this process that are not settled");
/// How long limits let calls wait.
pub const LIMITER_WAIT: About = histogram(
    "shardmill_limiter_wait_seconds",
    &["model"],
    "How long calls of this process waited for the limits of their model",
);
