//! The bounds of leases and attempts.

/// How long a lease lives without a heartbeat, in milliseconds: long enough for a busy machine, short enough that a
/// killed worker's shard is not missed.
pub const LEASE_MS: u64 = 15_000;

/// How often a shard is tried.
pub const ATTEMPTS: u32 = 3;
