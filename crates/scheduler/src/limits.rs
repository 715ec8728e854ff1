//! The bounds of windows, waits and failures.

/// The fewest shards of a pool that are released and not yet done: enough that no slot waits for the scheduler.
pub(crate) const WINDOW: u64 = 32;

/// How long a released shard may wait unseen before its message is published again, in milliseconds. A message that was not
/// lost is then one too many, which costs a look into the ledger.
pub(crate) const LOST_MS: u64 = 60_000;

/// How often the loop looks without being woken, in milliseconds: leases end by time alone.
pub(crate) const TICK_MS: u64 = 1_000;

/// The wait before the second attempt, in milliseconds; each later one is four times as long.
pub(crate) const BACKOFF_MS: u64 = 1_000;

/// Shards that may fail for good before the job is given up: what fails so often fails alike.
pub(crate) const FAILED_SHARDS: u64 = 1_000;

/// Commits read at the same time.
pub(crate) const READS: usize = 16;

/// Version numbers tried when rivals claim them at the same time.
pub(crate) const CLAIMS: u64 = 1_000;

/// Differences that a refusal names.
pub(crate) const DIFFERENCES: usize = 5;
