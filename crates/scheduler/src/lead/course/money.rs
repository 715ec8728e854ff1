//! The budget of a job that asks models: opened before its first shard, rebuilt when the ledger has lost it, changed when
//! somebody says so. While it is spent, the job is parked.

use std::sync::atomic::Ordering;

use shardmill_shared::job::{Control, JobId, Key, NanoUsd, Orders, Plan, Pool, Submission};
use shardmill_shared::ledger::budget::{Declaration, Open, Restored, Scope};
use shardmill_shared::ledger::{Fence, LEASE_MS, Lease, LedgerError};
use shardmill_shared::store::{Place, Spent, spent};

use super::{Course, Way};
use crate::ScheduleError;
use crate::limits::DECLARED_AT_ONCE;

/// What a job may spend now; nothing where it asks no models.
fn cap(plan: &Plan, orders: &Orders) -> Option<NanoUsd> {
    plan.budget.map(|planned| orders.cap.unwrap_or(planned))
}

impl Course {
    /// Sees to it that the job may spend what it is allowed to, and answers whether that is more, or other, than before.
    pub(super) async fn fund(&self, place: &Place, plan: &Plan, orders: &Orders) -> Result<bool, ScheduleError> {
        let Some(cap) = cap(plan, orders) else { return Ok(false) };
        let (budgets, tenant) = (&self.scheduler.budgets, Some(&self.open.tenant));
        let scope = Scope::Job(self.open.job.clone());
        match budgets.view_budget(tenant, &scope).await? {
            Some(view) if view.is_open && view.cap == cap => Ok(false),
            Some(view) if view.is_open => match budgets.set_cap(tenant, &scope, cap).await {
                Ok(()) => Ok(true),
                // More is spent than it may: it stays as it is, and is parked when it wants more.
                Err(LedgerError::Refused { reason }) => {
                    tracing::warn!("the budget stays ${}: {reason}", view.cap);
                    Ok(false)
                }
                Err(error) => Err(error.into()),
            },
            // One that another leader began to restore is restored once more: that one may have died before it said all.
            Some(_) if self.has_restored.load(Ordering::Relaxed) => Ok(false),
            _ => self.restore(place, plan, cap).await.map(|()| true),
        }
    }

    /// Opens a budget with what the journals say was spent. Attempts that may still run are given time to speak.
    async fn restore(&self, place: &Place, plan: &Plan, cap: NanoUsd) -> Result<(), ScheduleError> {
        // Said of books that are lost: where this breaks off, it is begun again.
        self.has_restored.store(false, Ordering::Relaxed);
        let is_new = place.find::<Plan>(&Key::Plan).await?.is_none();
        let spent = all_spent(place, plan).await?;
        let (budgets, tenant, job) = (&self.scheduler.budgets, Some(&self.open.tenant), &self.open.job);
        let scope = Scope::Job(job.clone());
        let closed_ms = if is_new { 0 } else { LEASE_MS };
        let restored = Restored { epoch: self.reign.epoch, cap, spent: spent.settled, closed_ms };
        budgets.restore(tenant, &scope, &restored).await?;
        tracing::info!("the job may spend ${cap} on models, of which at most ${} is spent", spent.at_most());
        for some in allowances(job, spent).chunks(DECLARED_AT_ONCE) {
            budgets.declare(tenant, some).await?;
        }
        self.has_restored.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The budget is spent, for all that the ledger says: waits for a higher one, unless there is one by now.
    pub(super) async fn park(
        &self,
        submission: &Submission,
        (place, plan): (&Place, &Plan),
        reason: &str,
    ) -> Result<Way, ScheduleError> {
        let orders = self.records.orders(submission).await?;
        let is_raised = self.fund(place, plan, &orders).await?;
        if let (false, false, Some(cap)) = (is_raised, orders.is_parked, cap(plan, &orders)) {
            tracing::warn!("the job waits for a higher budget: {reason}");
            self.records.command(&self.open.job, &Control::Park { cap }).await?;
        }
        // Its failures with it: they are no reason not to go on.
        self.scheduler.ledger.forget(&self.open.job).await?;
        Ok(Way::Again)
    }

    /// What the job has spent; nothing where it asks no models.
    pub(super) async fn spent(&self) -> Result<Option<NanoUsd>, ScheduleError> {
        let Some(place) = self.records.place(&self.open.job).await? else { return Ok(None) };
        let plan: Option<Plan> = place.find(&Key::Plan).await?;
        let Some(plan) = plan.filter(|plan| plan.budget.is_some()) else { return Ok(None) };
        let view =
            self.scheduler.budgets.view_budget(Some(&self.open.tenant), &Scope::Job(self.open.job.clone())).await?;
        match view.filter(|view| view.is_open && view.holds == 0) {
            Some(view) => Ok(Some(view.spent)),
            None => Ok(Some(all_spent(&place, &plan).await?.at_most())),
        }
    }

    /// Forgets the budget of a job that is over.
    pub(super) async fn forget_budget(&self) -> Result<(), ScheduleError> {
        let scope = Scope::Job(self.open.job.clone());
        Ok(self.scheduler.budgets.forget_budget(Some(&self.open.tenant), &scope).await?)
    }
}

/// What the journals of all stages say.
async fn all_spent(place: &Place, plan: &Plan) -> Result<Spent, ScheduleError> {
    let mut sum = Spent::default();
    for stage in plan.stages.iter().filter(|stage| stage.pool == Pool::Llm) {
        let of_stage = spent(place, &stage.id).await?;
        sum.settled = sum.settled.saturating_add(of_stage.settled);
        sum.running.extend(of_stage.running);
    }
    Ok(sum)
}

/// The most that attempts which may still run have spent by now.
fn allowances(job: &JobId, spent: Spent) -> Vec<Declaration> {
    let scopes = [Scope::Job(job.clone())];
    let allowance = |(shard, fence, most)| Declaration {
        lease: Lease { job: job.clone(), shard, fence: Fence(fence) },
        open: Open::Allowance(most, scopes[..].into()),
    };
    spent.running.into_iter().map(allowance).collect()
}
