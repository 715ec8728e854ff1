//! The budgets of the ledger in memory.

use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;

use super::{
    Books, BudgetView, Budgets, Declaration, Hold, Noted, Reserved, Restored, Scope, Settled, World, check_cap,
};
use crate::job::{Name, NanoUsd};
use crate::ledger::{Lease, LedgerError, MemoryLedger};

/// Holds that one world may number.
const WORLD: u64 = 1 << 40;

/// The last world of this process: a ledger that replaces another, as in a test of a wipe, has later books.
static WORLDS: AtomicU64 = AtomicU64::new(0);

impl MemoryLedger {
    fn books<T>(&self, tenant: Option<&Name>, act: impl FnOnce(&mut Books, u64) -> T) -> T {
        let mut tenants = self.tenants.lock().expect("no holder of the lock panics");
        let books = tenants.entry(tenant.cloned()).or_insert_with(|| {
            let worlds = WORLDS.fetch_add(1, Ordering::Relaxed);
            Books::new(World((worlds + 1).saturating_mul(WORLD)))
        });
        let now_ms = self.clock.now_ms();
        books.pass(now_ms);
        act(books, now_ms)
    }
}

#[async_trait]
impl Budgets for MemoryLedger {
    async fn reserve(&self, tenant: Option<&Name>, holds: &[Hold]) -> Result<Vec<Reserved>, LedgerError> {
        Ok(self.books(tenant, |books, now_ms| holds.iter().map(|hold| books.reserve(hold, now_ms)).collect()))
    }

    async fn settle(&self, tenant: Option<&Name>, settled: &[Settled]) -> Result<Vec<Noted>, LedgerError> {
        Ok(self.books(tenant, |books, _| settled.iter().map(|settled| books.settle(settled)).collect()))
    }

    async fn declare(&self, tenant: Option<&Name>, open: &[Declaration]) -> Result<Vec<Noted>, LedgerError> {
        Ok(self.books(tenant, |books, now_ms| open.iter().map(|open| books.declare(open, now_ms)).collect()))
    }

    async fn keep(&self, tenant: Option<&Name>, leases: &[Lease]) -> Result<World, LedgerError> {
        Ok(self.books(tenant, |books, now_ms| books.keep(leases, now_ms)))
    }

    async fn end(&self, tenant: Option<&Name>, lease: &Lease) -> Result<(), LedgerError> {
        self.books(tenant, |books, _| books.end(&lease.text()));
        Ok(())
    }

    async fn restore(&self, tenant: Option<&Name>, scope: &Scope, restored: &Restored) -> Result<(), LedgerError> {
        check_cap(scope, restored.cap)?;
        self.books(tenant, |books, now_ms| books.restore(scope, restored, now_ms));
        Ok(())
    }

    async fn set_cap(&self, tenant: Option<&Name>, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
        check_cap(scope, cap)?;
        self.books(tenant, |books, _| books.set_cap(scope, cap))
    }

    async fn view_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<Option<BudgetView>, LedgerError> {
        Ok(self.books(tenant, |books, now_ms| books.view(scope, now_ms)))
    }

    async fn forget_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<(), LedgerError> {
        self.books(tenant, |books, _| books.forget(scope));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::ledger::conformance::budget::{self, House};
    use crate::process::ManualClock;

    #[derive(Default)]
    struct Twin {
        ledger: Mutex<Option<MemoryLedger>>,
        clock: Arc<ManualClock>,
    }

    #[async_trait]
    impl House for Twin {
        fn budgets(&self) -> Arc<dyn Budgets> {
            let mut ledger = self.ledger.lock().expect("no panic");
            let new = || MemoryLedger::new(Arc::<ManualClock>::clone(&self.clock));
            Arc::new(ledger.get_or_insert_with(new).clone())
        }

        fn advance(&self, by_ms: u64) {
            self.clock.advance(by_ms);
        }

        async fn wipe(&self) {
            *self.ledger.lock().expect("no panic") = None;
        }
    }

    #[tokio::test]
    async fn keeps_the_law_of_budgets() {
        budget::all(&Twin::default(), 300).await;
    }
}
