//! The port to providers' limits: workers take slices of what fills in a second, in fair turns, and pace themselves within them.
//! Disposable: limits that are lost begin empty, as if everything had just been used.

use std::fmt;
use std::num::NonZeroU64;

use async_trait::async_trait;

use super::{LEASE_MS, LedgerError, WorkerId};
use crate::job::{JobId, Name};

mod turns;
mod pool;
mod memory;
mod wishes;
mod limiter;

pub use limiter::{Limiter, Permit};
pub(super) use pool::Limit;
pub(super) use wishes::Wishes;

/// What fills in so much time may be taken at once, in nanoseconds: less than any provider allows, so that calls which leave
/// late are no surprise to it.
pub(super) const DEPTH_NS: u64 = 500_000_000;
/// How far ahead slices are given out, in nanoseconds: no further, so that who comes later is not late by more.
pub(super) const AHEAD_NS: u64 = 1_000_000_000;
/// Calls of a slice.
pub(super) const SLICE_CALLS: u64 = 100;
/// After so long without a word a worker shares no more, in milliseconds.
pub(super) const SILENT_MS: u64 = 5_000;
/// How long slots live, in milliseconds: as long as a lease.
pub(super) const SLOTS_MS: u64 = LEASE_MS;
/// When to ask again if it is another's turn, or no slot is free; in milliseconds.
pub(super) const TURN_MS: u64 = 50;
/// How far a job may be ahead of one that waits, in nanoseconds of the whole limit.
pub(super) const LEAD_NS: u64 = 50_000_000;
/// How long who was not given all waits for its next word, after its slice, in milliseconds.
pub(super) const GRACE_MS: u64 = 100;

/// A provider's model, or whatever else shares limits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Model(String);

impl Model {
    /// The model `model` of the account `provider`.
    pub fn new(provider: &Name, model: &str) -> Self {
        Self(format!("{provider}/{}", model.replace(['{', '}'], "_")))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a provider counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Calls.
    Requests,
    /// Tokens of input and output together.
    Tokens,
    /// Tokens of the input.
    InputTokens,
    /// Tokens of the output.
    OutputTokens,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Requests, Self::Tokens, Self::InputTokens, Self::OutputTokens];
}

/// The limits of a model; without a number, none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Calls per minute.
    pub requests: Option<NonZeroU64>,
    /// Tokens per minute, input and output together.
    pub tokens: Option<NonZeroU64>,
    /// Input tokens per minute.
    pub input_tokens: Option<NonZeroU64>,
    /// Output tokens per minute.
    pub output_tokens: Option<NonZeroU64>,
    /// Calls at once.
    pub concurrency: Option<NonZeroU64>,
}

impl Quota {
    /// Units per minute of a dimension.
    pub fn per_minute(&self, dimension: Dimension) -> Option<NonZeroU64> {
        match dimension {
            Dimension::Requests => self.requests,
            Dimension::Tokens => self.tokens,
            Dimension::InputTokens => self.input_tokens,
            Dimension::OutputTokens => self.output_tokens,
        }
    }
}

/// How a provider counts the output of a call against its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    /// When the call begins: as much as it was allowed to produce, whatever it produces.
    AllowedAhead,
    /// While it is produced.
    AsProduced,
}

/// What a call takes of the limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Calls: one, or many together.
    pub requests: u64,
    /// Tokens of the input.
    pub input_tokens: u64,
    /// Tokens of the output.
    pub output_tokens: u64,
}

impl Need {
    /// One call with so many input tokens, that may produce up to `most` and usually produces `usual`.
    pub fn call(counting: Counting, input_tokens: u64, most: u64, usual: u64) -> Self {
        let output_tokens = match counting {
            Counting::AllowedAhead => most,
            Counting::AsProduced => usual.min(most),
        };
        Self { requests: 1, input_tokens, output_tokens }
    }

    /// What a call took of the limits that was estimated as `self` and used so many tokens.
    #[must_use]
    pub fn used(self, counting: Counting, input_tokens: u64, output_tokens: u64) -> Self {
        let output_tokens = match counting {
            Counting::AllowedAhead => self.output_tokens,
            Counting::AsProduced => output_tokens,
        };
        Self { input_tokens, output_tokens, ..self }
    }

    /// So much of a dimension.
    pub fn of(&self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests => self.requests,
            Dimension::Tokens => self.input_tokens.saturating_add(self.output_tokens),
            Dimension::InputTokens => self.input_tokens,
            Dimension::OutputTokens => self.output_tokens,
        }
    }

    /// So many times this.
    #[must_use]
    pub fn times(self, calls: u64) -> Self {
        let times = |units: u64| units.saturating_mul(calls);
        Self {
            requests: times(self.requests),
            input_tokens: times(self.input_tokens),
            output_tokens: times(self.output_tokens),
        }
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
        }
    }

    /// What is more here than in the other, of each.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_sub(other.requests),
            input_tokens: self.input_tokens.saturating_sub(other.input_tokens),
            output_tokens: self.output_tokens.saturating_sub(other.output_tokens),
        }
    }
}

/// Who shares a limit: one worker's part of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// Whose job it is; tenants share alike.
    pub tenant: Option<Name>,
    /// The job; a tenant's jobs share by weight.
    pub job: JobId,
    /// The job's weight, from 1 to 10.
    pub weight: u64,
    /// The worker; a job's workers share alike.
    pub worker: WorkerId,
}

/// A wish for a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Who wishes.
    pub claimant: Claimant,
    /// The model's limits as this process was told; those that an operator set while it ran come first.
    pub quota: Quota,
    /// Calls that wait; 0 to keep slots only.
    pub calls: u64,
    /// What one of them takes.
    pub each: Need,
    /// Calls that run or wait: slots that could be used.
    pub slots: u64,
    /// Calls that run.
    pub running: u64,
}

/// Calls that may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// So many; with none, ask again after `wait_ns`.
    pub calls: u64,
    /// The first after so many nanoseconds.
    pub wait_ns: u64,
    /// All of them evenly over so many nanoseconds from then on.
    pub length_ns: u64,
    /// Calls that may run at once, for [`SLOTS_MS`] from now.
    pub slots: u64,
}

/// What was taken and not used, and what was used beyond what was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Correction {
    /// To be given back.
    pub unused: Need,
    /// To be taken after the fact.
    pub overrun: Need,
}

/// What a provider said of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// Units per minute, if it said so.
    pub per_minute: Option<NonZeroU64>,
    /// Units that are left now, if it said so.
    pub remaining: Option<u64>,
}

/// The limits of providers' models. Every method is atomic.
#[async_trait]
pub trait Limits: Send + Sync + fmt::Debug {
    /// Asks for a slice. It expires a second after its end: what was not used by then is to be given back.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn want(&self, model: &Model, want: &Want) -> Result<Slice, LedgerError>;

    /// Corrects what a claimant took.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn correct(&self, model: &Model, claimant: &Claimant, correction: &Correction) -> Result<(), LedgerError>;

    /// Gives all slots of a claimant back, and its turn.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn leave(&self, model: &Model, claimant: &Claimant) -> Result<(), LedgerError>;

    /// Sets limits that come before those of every process, or no longer.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn set_quota(&self, model: &Model, quota: Option<&Quota>) -> Result<(), LedgerError>;

    /// Lowers a limit to what the provider said: its rate for a minute, and what is left now.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn observed(&self, model: &Model, dimension: Dimension, observed: &Observed) -> Result<(), LedgerError>;

    /// Gives nothing out for so many milliseconds, and begins empty then.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn pause(&self, model: &Model, for_ms: u64) -> Result<(), LedgerError>;
}
