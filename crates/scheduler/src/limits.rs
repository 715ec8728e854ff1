//! The bounds of windows, waits and failures.

use std::time::Duration;

/// The fewest shards of a pool that are released and not yet done, so that the first worker finds some; small, because what
/// is released early is what others wait for.
pub(crate) const WINDOW_LEAST: u64 = 4;

/// How often a scheduler looks for new jobs and keeps its leadership, in milliseconds.
pub(crate) const REIGN_MS: u64 = 1_000;

/// The wait before a job is looked at again that could not go on, in milliseconds.
pub(crate) const MEND_MS: u64 = 2_000;

/// How long a released shard may wait unseen before its message is published again, in milliseconds. A message that was not
/// lost is then one too many, which costs a look into the ledger.
pub(crate) const LOST_MS: u64 = 60_000;

/// How often the loop looks without being woken, in milliseconds: leases end by time alone.
pub(crate) const TICK_MS: u64 = 1_000;

/// How many times as long as a look takes there is none, when all there is to do is wait: a look at thousands of shards is
/// work for ledger and scheduler alike.
pub(crate) const LOOK_RESTS: u64 = 10;

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

/// Attempts that are told to lost books in one call.
pub(crate) const DECLARED_AT_ONCE: usize = 256;

/// How often a leader looks for schedules that are new or changed, in milliseconds.
pub(crate) const SCHEDULES_MS: u64 = 5_000;

/// Fires of a schedule that are remembered: those that people look back at.
pub(crate) const FIRES_KEPT: usize = 100;

/// How often a leader removes what nobody needs any more, in milliseconds.
pub(crate) const UPKEEP_MS: u64 = 3_600_000;

/// Every how many of these rounds unfinished uploads are removed: that walks through a whole store.
pub(crate) const UNFINISHED_ROUNDS: u64 = 24;

/// How old an unfinished upload is that nobody finishes: no shard takes nearly as long.
pub(crate) const UNFINISHED_AGE: Duration = Duration::from_secs(24 * 3_600);

/// Webhooks told at the same time.
pub(crate) const DELIVERIES: usize = 8;

/// The wait before a webhook is told again, in milliseconds; each later one is four times as long.
pub(crate) const DELIVERY_BACKOFF_MS: u64 = 5_000;

/// The longest of these waits, in milliseconds.
pub(crate) const DELIVERY_PAUSE_MS: u64 = 3_600_000;

/// How long a webhook is tried, in milliseconds.
pub(crate) const DELIVERY_MS: u64 = 24 * 3_600_000;

/// How often messages are looked for that nobody rang for, in milliseconds: another leader may have left them.
pub(crate) const DELIVERY_ROUND_MS: u64 = 60_000;
