//! The money of one attempt: held under its lease, from the budgets of its job, and stated ahead in its journal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use shardmill_llm::{Broke, Held, HoldId, JournalError, Purse};
use shardmill_shared::job::{Name, NanoUsd};
use shardmill_shared::ledger::Lease;
use shardmill_shared::ledger::budget::{Cashier, Paid, Purchase, Receipt, Scope};

use super::journal::ShardJournal;
use crate::limits::ASKED_AT_ONCE;

/// A purse for one lease. Dropped, what it holds counts as spent.
pub(super) struct LeasePurse<'a> {
    cashier: Arc<Cashier>,
    journal: &'a ShardJournal,
    lease: Lease,
    scopes: Arc<[Scope]>,
    held: Mutex<Holds>,
}

/// What may have been spent on answers that are in no segment of the journal.
#[derive(Default)]
struct Holds {
    open: HashMap<HoldId, (Receipt, NanoUsd)>,
    /// Of open holds together.
    open_sum: NanoUsd,
    /// On answers that will never come.
    lost: NanoUsd,
}

impl Holds {
    fn at_risk(&self) -> NanoUsd {
        self.open_sum.saturating_add(self.lost)
    }
}

impl<'a> LeasePurse<'a> {
    /// The purse of a lease, filled from the budget of its job.
    pub(super) fn new(cashier: Arc<Cashier>, journal: &'a ShardJournal, lease: Lease) -> Self {
        let scopes = [Scope::Job(lease.job.clone())].into();
        Self { cashier, journal, lease, scopes, held: Mutex::default() }
    }

    /// Waits until everything that was settled is in the books, gives the lease's holds up, and says so in the journal. What
    /// is still held counts as spent.
    pub(super) async fn close(&self) -> Result<(), JournalError> {
        let at_risk = {
            let mut held = self.held();
            held.open.clear();
            held.at_risk()
        };
        self.cashier.flush(&self.lease).await;
        self.cashier.end(&self.lease);
        self.journal.close(at_risk).await
    }

    fn held(&self) -> MutexGuard<'_, Holds> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a hold in, and states it ahead before its call is made.
    async fn state(&self, id: &HoldId, receipt: Receipt, worst: NanoUsd) -> Result<(), JournalError> {
        let at_risk = {
            let mut held = self.held();
            held.open_sum = held.open_sum.saturating_add(worst);
            held.open.insert(*id, (receipt, worst));
            held.at_risk()
        };
        // As much as all questions at once may cost, so that it is stated once and not for each.
        let more = NanoUsd(worst.0.saturating_mul(ASKED_AT_ONCE as u64)).saturating_add(at_risk);
        self.journal.cover(at_risk, more).await
    }
}

#[async_trait]
impl Purse for LeasePurse<'_> {
    async fn hold(&self, id: &HoldId, worst: NanoUsd) -> Result<Held, Broke> {
        let name = Name::new(&id.to_string()).map_err(|error| Broke::Stopped(error.to_string()))?;
        let scopes = Arc::clone(&self.scopes);
        let purchase = Purchase { id: name, lease: self.lease.clone(), amount: worst, scopes };
        match self.cashier.reserve(purchase).await {
            Ok(Paid::Go(receipt)) => match self.state(id, receipt, worst).await {
                Ok(()) => Ok(Held::Go),
                Err(error) => {
                    self.settle(id, NanoUsd::ZERO).await;
                    Err(Broke::Stopped(error.to_string()))
                }
            },
            Ok(Paid::Known(_)) => Ok(Held::Known),
            Ok(Paid::Exhausted(_)) => Err(Broke::Exhausted),
            Err(error) => Err(Broke::Stopped(error.to_string())),
        }
    }

    async fn settle(&self, id: &HoldId, actual: NanoUsd) {
        let is_recorded = self.journal.has(&id.address);
        let mut held = self.held();
        let Some((receipt, worst)) = held.open.remove(id) else { return };
        held.open_sum = held.open_sum.saturating_sub(worst);
        if !is_recorded {
            held.lost = held.lost.saturating_add(actual);
        }
        drop(held);
        receipt.settle(actual);
    }
}
