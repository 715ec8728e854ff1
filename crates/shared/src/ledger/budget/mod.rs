//! The port to money: a hold is taken before a call, the actual price is settled after it, and what is spent and held together
//! never passes a cap. Disposable as the rest of the ledger: a budget that is not known pays nothing until it is restored.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Epoch, Lease, LedgerError};
use crate::job::{Name, NanoUsd};

mod scope;
mod account;
mod books;
mod memory;
mod till;
mod cashier;

pub(super) use account::{check_cap, too_low};
pub(super) use books::Books;
pub use cashier::{Cashier, Frame, Paid, Purchase, Receipt};
pub use scope::{Month, Scope};

/// The largest cap: sums of a few such amounts are still exact in every number a ledger calculates with.
pub const CAP_MAX: NanoUsd = NanoUsd::dollars(2_000_000);

/// The number of a hold: no other ever has it, not even after a wipe, and those of a lost world are below that of the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// The number of a tenant's books. Books that were lost come back as another world with a higher number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct World(pub u64);

/// Money that a call may cost, asked for before the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The address of the answer that is bought: while one hold of it is open, no other is given.
    pub id: Name,
    /// Names the wish: who repeats it is given the same hold.
    pub request: Name,
    /// Whose call it is. The hold lives as long as this lease.
    pub lease: Lease,
    /// The most that the call can cost.
    pub amount: NanoUsd,
    /// The budgets that pay, each once: all of them or none.
    pub scopes: Arc<[Scope]>,
}

/// What became of a wish for a hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// The money is held: the call may be made.
    Go(Ticket),
    /// Other holds take up the money, or one of the same answer is open: ask again when some have been settled.
    Wait,
    /// This budget cannot pay, whatever open holds give back.
    Exhausted(Scope),
    /// Another lease bought this answer meanwhile, for so much: look for it. Told once to each lease that waited.
    Known(NanoUsd),
    /// A budget is not known or is being rebuilt: pay nothing, and declare what is open.
    Closed,
}

/// The actual price of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The hold as it was asked for.
    pub hold: Hold,
    /// Its number.
    pub ticket: Ticket,
    /// What the call cost; zero if it was never made.
    pub actual: NanoUsd,
}

/// What became of news about a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is in the books, now or since before.
    Done,
    /// A budget is not known: tell it again once it is.
    Closed,
}

/// The open holds of a lease, told to books that were lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The lease.
    pub lease: Lease,
    /// What is open.
    pub open: Open,
}

/// What is open of a lease, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// Its holder: these are all. An allowance for the lease is given back.
    Holds(Vec<(Ticket, Hold)>),
    /// The store: at most so much from these budgets. It has no effect once the holder has spoken.
    Allowance(NanoUsd, Arc<[Scope]>),
}

/// A budget as the leader restores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The leader's epoch: until the budget is open, a higher one corrects a lower.
    pub epoch: Epoch,
    /// What may be spent.
    pub cap: NanoUsd,
    /// What is spent and will not be told again by a settle.
    pub spent: NanoUsd,
    /// For so long it pays nothing, in milliseconds, while live attempts declare: [`super::LEASE_MS`], or 0 for a budget
    /// of which nobody can hold anything.
    pub closed_ms: u64,
}

/// A budget as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetView {
    /// What may be spent.
    pub cap: NanoUsd,
    /// What is spent; holds whose lease ended count in full until they are corrected.
    pub spent: NanoUsd,
    /// What open holds take up.
    pub held: NanoUsd,
    /// Open holds.
    pub holds: u64,
    /// Calls that cost more than was held for them.
    pub alarms: u64,
    /// Whether it pays.
    pub is_open: bool,
}

/// The budgets of tenants. Every method is atomic and may be repeated. No tenant is the tenant of an installation without tenants.
#[async_trait]
pub trait Budgets: Send + Sync + std::fmt::Debug {
    /// Takes holds in their order; an answer for each.
    ///
    /// # Errors
    /// When the ledger cannot be reached: some may have been taken, and are given again to who repeats them.
    async fn reserve(&self, tenant: Option<&Name>, holds: &[Hold]) -> Result<Vec<Reserved>, LedgerError>;

    /// Replaces holds by what the calls cost, each once; an answer for each. A hold that was closed with its lease is corrected.
    /// One of lost books that nobody declared is spent.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn settle(&self, tenant: Option<&Name>, settled: &[Settled]) -> Result<Vec<Noted>, LedgerError>;

    /// Tells what was open when the books were lost; an answer for each. It is held whatever the cap: it was granted before.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn declare(&self, tenant: Option<&Name>, open: &[Declaration]) -> Result<Vec<Noted>, LedgerError>;

    /// Keeps the holds of live leases for another [`super::LEASE_MS`]. Who is answered another world than before declares its
    /// open holds and settles again what is not committed.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn keep(&self, tenant: Option<&Name>, leases: &[Lease]) -> Result<World, LedgerError>;

    /// Closes the holds of a lease that ended: what is still open of them counts as spent.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn end(&self, tenant: Option<&Name>, lease: &Lease) -> Result<(), LedgerError>;

    /// Opens a budget that is new, or that a wipe has lost. One that is open stays as it is.
    ///
    /// # Errors
    /// [`LedgerError::Refused`] for a cap above [`CAP_MAX`].
    async fn restore(&self, tenant: Option<&Name>, scope: &Scope, restored: &Restored) -> Result<(), LedgerError>;

    /// Changes what may be spent.
    ///
    /// # Errors
    /// [`LedgerError::Unknown`] for an unknown budget, [`LedgerError::Refused`] below what is spent and held or above [`CAP_MAX`].
    async fn set_cap(&self, tenant: Option<&Name>, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError>;

    /// The budget as it is now; nothing if it is not known.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn view_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<Option<BudgetView>, LedgerError>;

    /// Forgets a budget from which nobody will pay again, and what its lost holds could still be corrected by.
    ///
    /// # Errors
    /// When the ledger cannot be reached.
    async fn forget_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<(), LedgerError>;
}

impl Lease {
    /// A text without spaces, another for every lease.
    pub(super) fn text(&self) -> String {
        format!("{}:{}:{}:{}", self.job, self.shard.stage, self.shard.index, self.fence.0)
    }
}
