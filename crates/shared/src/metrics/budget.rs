//! Budgets whose calls are measured.

use std::sync::Arc;

use async_trait::async_trait;

use super::Metrics;
use super::calls::Calls;
use crate::job::{Name, NanoUsd};
use crate::ledger::budget::{BudgetView, Budgets, Declaration, Hold, Noted, Reserved, Restored, Scope, Settled, World};
use crate::ledger::{Lease, LedgerError};

const LEDGER: &str = "ledger";

/// Other budgets, measured.
#[derive(Clone, Debug)]
pub struct MeasuredBudgets {
    budgets: Arc<dyn Budgets>,
    calls: Calls,
}

impl MeasuredBudgets {
    /// Measures the calls of `budgets`.
    pub fn new(budgets: Arc<dyn Budgets>, metrics: &Metrics) -> Self {
        Self { budgets, calls: metrics.calls.clone() }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Budgets for MeasuredBudgets {
    async fn reserve(&self, tenant: Option<&Name>, holds: &[Hold]) -> Result<Vec<Reserved>, LedgerError> {
        self.calls.measured(LEDGER, "reserve", self.budgets.reserve(tenant, holds)).await
    }

    async fn settle(&self, tenant: Option<&Name>, settled: &[Settled]) -> Result<Vec<Noted>, LedgerError> {
        self.calls.measured(LEDGER, "settle", self.budgets.settle(tenant, settled)).await
    }

    async fn declare(&self, tenant: Option<&Name>, open: &[Declaration]) -> Result<Vec<Noted>, LedgerError> {
        self.calls.measured(LEDGER, "declare", self.budgets.declare(tenant, open)).await
    }

    async fn keep(&self, tenant: Option<&Name>, leases: &[Lease]) -> Result<World, LedgerError> {
        self.calls.measured(LEDGER, "keep", self.budgets.keep(tenant, leases)).await
    }

    async fn end(&self, tenant: Option<&Name>, lease: &Lease) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "end", self.budgets.end(tenant, lease)).await
    }

    async fn restore(&self, tenant: Option<&Name>, scope: &Scope, restored: &Restored) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "restore", self.budgets.restore(tenant, scope, restored)).await
    }

    async fn set_cap(&self, tenant: Option<&Name>, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "set_cap", self.budgets.set_cap(tenant, scope, cap)).await
    }

    async fn view_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<Option<BudgetView>, LedgerError> {
        self.calls.measured(LEDGER, "view_budget", self.budgets.view_budget(tenant, scope)).await
    }

    async fn forget_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<(), LedgerError> {
        self.calls.measured(LEDGER, "forget_budget", self.budgets.forget_budget(tenant, scope)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::MemoryLedger;
    use crate::ledger::conformance::budget::{self, House};
    use crate::process::ManualClock;

    struct Measured {
        clock: Arc<ManualClock>,
        ledger: std::sync::Mutex<MemoryLedger>,
    }

    fn ledger(clock: &Arc<ManualClock>) -> MemoryLedger {
        MemoryLedger::new(Arc::<ManualClock>::clone(clock))
    }

    #[async_trait]
    impl House for Measured {
        fn budgets(&self) -> Arc<dyn Budgets> {
            let ledger = self.ledger.lock().expect("no panic").clone();
            Arc::new(MeasuredBudgets::new(Arc::new(ledger), &Metrics::default()))
        }

        fn advance(&self, by_ms: u64) {
            self.clock.advance(by_ms);
        }

        async fn wipe(&self) {
            *self.ledger.lock().expect("no panic") = ledger(&self.clock);
        }
    }

    #[tokio::test]
    async fn keeps_the_law_of_budgets() {
        let clock = Arc::default();
        let ledger = std::sync::Mutex::new(ledger(&clock));
        budget::all(&Measured { clock, ledger }, 3).await;
    }
}
