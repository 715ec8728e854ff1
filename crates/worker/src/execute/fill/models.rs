//! Whom a worker asks, and whose money it spends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use shardmill_llm::Gateway;
use shardmill_shared::job::Name;
use shardmill_shared::ledger::WorkerId;
use shardmill_shared::ledger::budget::{Budgets, Cashier, Frame};

/// The way to models, and to the budgets of all tenants.
pub struct Models {
    /// All providers.
    pub gateway: Gateway,
    budgets: Arc<dyn Budgets>,
    process: WorkerId,
    frame: Frame,
    cashiers: Mutex<BTreeMap<Option<Name>, Arc<Cashier>>>,
}

impl Models {
    /// Models that are paid from `budgets`.
    pub fn new(gateway: Gateway, budgets: Arc<dyn Budgets>, process: WorkerId, frame: Frame) -> Self {
        Self { gateway, budgets, process, frame, cashiers: Mutex::default() }
    }

    /// The tenant's cashier; to be called within the runtime.
    pub(super) fn cashier(&self, tenant: Option<&Name>) -> Arc<Cashier> {
        let mut cashiers = self.cashiers.lock().unwrap_or_else(PoisonError::into_inner);
        let start =
            || Arc::new(Cashier::start(Arc::clone(&self.budgets), tenant.cloned(), &self.process, self.frame.clone()));
        Arc::clone(cashiers.entry(tenant.cloned()).or_insert_with(start))
    }
}
