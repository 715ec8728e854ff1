//! Whom a worker asks, whose money it spends, and at what pace.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use shardmill_llm::Gateway;
use shardmill_shared::job::{JobId, Name};
use shardmill_shared::ledger::WorkerId;
use shardmill_shared::ledger::budget::{Budgets, Cashier, Frame};
use shardmill_shared::ledger::limit::{Claimant, Limits};

use super::pace::JobPace;

/// The way to models, to the budgets of all tenants, and to the limits of all providers.
pub struct Models {
    /// All providers.
    pub gateway: Gateway,
    budgets: Arc<dyn Budgets>,
    limits: Arc<dyn Limits>,
    process: WorkerId,
    frame: Frame,
    cashiers: Mutex<BTreeMap<Option<Name>, Arc<Cashier>>>,
    /// Of jobs that run here: with its last attempt a job gives back what it has of the limits.
    paces: Mutex<BTreeMap<JobId, Weak<JobPace>>>,
}

impl Models {
    /// Models that are paid from `budgets`, at the pace of `limits`.
    pub fn new(
        gateway: Gateway,
        (budgets, limits): (Arc<dyn Budgets>, Arc<dyn Limits>),
        process: WorkerId,
        frame: Frame,
    ) -> Self {
        let (cashiers, paces) = (Mutex::default(), Mutex::default());
        Self { gateway, budgets, limits, process, frame, cashiers, paces }
    }

    /// The tenant's cashier; to be called within the runtime.
    pub(super) fn cashier(&self, tenant: Option<&Name>) -> Arc<Cashier> {
        let mut cashiers = self.cashiers.lock().unwrap_or_else(PoisonError::into_inner);
        let start =
            || Arc::new(Cashier::start(Arc::clone(&self.budgets), tenant.cloned(), &self.process, self.frame.clone()));
        Arc::clone(cashiers.entry(tenant.cloned()).or_insert_with(start))
    }

    /// The pace of a job's calls; to be called within the runtime.
    pub(super) fn pace(&self, tenant: Option<&Name>, job: &JobId) -> Arc<JobPace> {
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        paces.retain(|_, pace| pace.strong_count() > 0);
        if let Some(pace) = paces.get(job).and_then(Weak::upgrade) {
            return pace;
        }
        let claimant = Claimant { tenant: tenant.cloned(), job: job.clone(), weight: 1, worker: self.process.clone() };
        let providers = self.gateway.providers().map(|own| (own.name().clone(), own.config().clone())).collect();
        let pace = Arc::new(JobPace::new(Arc::clone(&self.limits), claimant, providers, self.frame.clone()));
        paces.insert(job.clone(), Arc::downgrade(&pace));
        pace
    }
}
