//! What a ledger knows, as the scheduler reads it. Pure.

use crate::job::{Failure, Orders, StageId};

/// Whether the shards of a job may run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunState {
    /// Leases are given.
    #[default]
    Running,
    /// No lease is given; attempts that run go on to their end.
    Paused,
    /// No lease is given, and heartbeats say to stop.
    Stopped,
}

impl RunState {
    /// What a ledger is told of a job that was ordered so.
    pub fn of(orders: &Orders) -> Self {
        match orders {
            Orders { is_cancelled: true, .. } => Self::Stopped,
            orders if orders.is_waiting() => Self::Paused,
            _ => Self::Running,
        }
    }
}

/// A shard whose last attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedShard {
    /// The index in its stage.
    pub index: u64,
    /// How many attempts failed; deaths are not among them.
    pub attempts: u32,
    /// How many leases of the shard ended without a report.
    pub deaths: u32,
    /// When the last one failed, in milliseconds of the ledger's clock.
    pub failed_ms: u64,
    /// Why.
    pub failure: Failure,
}

/// A shard that waits for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingShard {
    /// The index in its stage.
    pub index: u64,
    /// Which try is next, from 1: failed attempts and deaths count.
    pub attempt: u32,
}

/// What the scheduler compares with the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageView {
    /// The stage.
    pub stage: StageId,
    /// How many shards it has.
    pub shards: u64,
    /// How many are committed.
    pub done: u64,
    /// How many run under a lease.
    pub leased: u64,
    /// Whether every shard was released once.
    pub is_released: bool,
    /// Shards that were released and neither run, nor failed, nor are committed: the lowest 16 384, which
    /// no window exceeds.
    pub waiting: Vec<WaitingShard>,
    /// Shards whose last attempt failed.
    pub failed: Vec<FailedShard>,
}

/// What the ledger knows of a job at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Grows with every change that could matter to the scheduler. A shard that begins does not: what holds room in a window
    /// holds it, waiting or running.
    pub revision: u64,
    /// The ledger's time in milliseconds.
    pub now_ms: u64,
    /// Whether its shards may run.
    pub run_state: RunState,
    /// The stages that were opened, in that order.
    pub stages: Vec<StageView>,
}
