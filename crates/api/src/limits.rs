//! The bounds of requests and answers. Pure.

/// What a caller may do how often. The rest of the bounds are the same for everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of one key per second, for this process; at least 1.
    pub requests_per_second: u32,
    /// Requests of one key that may come at once; at least 1.
    pub burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { requests_per_second: 50, burst: 200 }
    }
}

/// The largest body in bytes: as much as the parser of specs reads.
pub(crate) const BODY_BYTES: usize = shardmill_shared::spec::document::DOCUMENT_BYTES_MAX;
/// How long a request may take in milliseconds; event streams may take longer.
pub(crate) const REQUEST_MS: u64 = 30_000;
/// How long an answer waits for the ledger, in milliseconds: without it the answer says less and is still right.
pub(crate) const LEDGER_MS: u64 = 2_000;
/// How long a known key is not looked up again, in milliseconds: a deleted key works for as long elsewhere.
pub(crate) const KEY_MS: u64 = 30_000;
/// Keys that are remembered at once.
pub(crate) const KEYS_REMEMBERED: usize = 10_000;
/// Connections at once; those beyond wait to be accepted.
pub(crate) const CONNECTIONS: usize = 10_000;
/// How long the head of a request may take, and a connection be idle, in milliseconds: longer than proxies keep theirs.
pub(crate) const HEAD_MS: u64 = 75_000;
/// The longest head of a request in bytes.
pub(crate) const HEAD_BYTES: usize = 64 << 10;
/// How long nothing is accepted after that failed, in milliseconds.
pub(crate) const ACCEPT_PAUSE_MS: u64 = 100;
/// Unknown keys that may come from one address per second, and at once: each is looked for in the store.
pub(crate) const STRANGERS_PER_SECOND: u32 = 2;
pub(crate) const STRANGERS_BURST: u32 = 20;
/// The longest idempotency key in bytes.
pub(crate) const IDEMPOTENCY_BYTES: usize = 255;
/// Bodies that are held at once, each of [`BODY_BYTES`] at most.
pub(crate) const BODIES: usize = 16;
/// Specs that are read at once: each takes a processor.
pub(crate) const READERS: usize = 4;
/// Entries of a page unless the caller says how many.
pub(crate) const PAGE: usize = 50;
/// Entries of a page at most.
pub(crate) const PAGE_MOST: usize = 200;
/// Files of a page at most: as many as a block of the manifest has commits.
pub(crate) const FILES_MOST: usize = 1_000;
/// Jobs that one request looks at when it filters: the next page goes on from there.
pub(crate) const JOBS_SCANNED: usize = 500;
/// Records that are read from the store at once.
pub(crate) const READS: usize = 16;
/// Failed shards that are named one by one in a stage.
pub(crate) const FAILED_NAMED: usize = 100;
/// Pages of the store's list that are counted to tell how many shards of a job are done that has failed.
pub(crate) const COMMIT_PAGES: usize = 100;
/// Groups of failures that are shown.
pub(crate) const FAILURES_SHOWN: usize = 100;
/// Bytes of a file that are read from the store at once for an answer.
pub(crate) const PART_BYTES: u64 = 4 << 20;
/// How long a presigned link lives, in seconds.
pub(crate) const LINK_SECONDS: u32 = 3_600;
/// The shortest time between two looks at a job's progress, in milliseconds.
pub(crate) const PROGRESS_MS: u64 = 250;
/// The shortest time between two looks at a job's records, in milliseconds: a look costs several requests to the store.
pub(crate) const STATE_MS: u64 = 1_000;
/// How often a silent event stream says that it lives, in seconds: proxies cut silent ones after a minute.
pub(crate) const HEARTBEAT_SECONDS: u64 = 15;
/// Event streams at once: each asks the ledger four times a second.
pub(crate) const STREAMS: usize = 500;
/// How long an event stream lives, in milliseconds: its key may have been deleted meanwhile. Clients resume by
/// themselves.
pub(crate) const STREAM_MS: u64 = 3_600_000;
/// How long an answer to "is it ready?" is repeated, in milliseconds: anybody may ask.
pub(crate) const READY_MS: u64 = 1_000;
/// What a caller is told to wait when the store does not say, in seconds.
pub(crate) const RETRY_SECONDS: u64 = 2;
/// The longest id of a request that a client may give.
pub(crate) const REQUEST_ID_BYTES: usize = 64;
/// How often a change to a schedule is tried while others change it too.
pub(crate) const REVISION_TRIES: u32 = 10;
