//! The bounds of leases, attempts and views.

/// How long a lease lives without a heartbeat, in milliseconds: long enough for a busy machine, short enough that a
/// killed worker's shard is not missed.
pub const LEASE_MS: u64 = 15_000;

/// How often a shard is tried.
pub const ATTEMPTS: u32 = 3;

/// After so many leases that ended without a report a shard runs alone: the first may have been bad luck, the second was
/// perhaps a neighbour.
pub const DEATHS: u32 = 2;

/// How long a worker counts as living after it said so, in milliseconds; as long as its leases.
pub const PRESENT_MS: u64 = 15_000;

/// How long a leadership lives without being kept, in milliseconds: another leads within ten seconds.
pub const LEAD_MS: u64 = 6_000;

/// Waiting shards that a view shows; above every window.
pub(super) const VIEW_WAITING: usize = 16_384;
