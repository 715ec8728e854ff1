//! Whose turn it is, among tenants and then among a tenant's jobs. Pure.
//!
//! The start-time fair queueing of [`crate::pacing::Fair`], for who comes to fetch: nothing is kept for anybody, but who is ahead of
//! one that waits is sent away until that one has come.

use std::collections::BTreeMap;

use super::{Claimant, GRACE_MS, LEAD_NS, SILENT_MS};
use crate::job::{JobId, Name};

const MS_NS: u64 = 1_000_000;

/// One who takes turns.
#[derive(Debug, Default)]
struct Party {
    /// What it was given for its weight, in nanoseconds of the whole limit.
    virtual_ns: u64,
    /// Until then it waits for more.
    hungry_ns: u64,
}

#[derive(Debug, Default)]
struct Tenant {
    party: Party,
    time_ns: u64,
    jobs: BTreeMap<JobId, Job>,
}

#[derive(Debug, Default)]
struct Job {
    party: Party,
    weight: u64,
    /// Until when each of its workers counts.
    workers: BTreeMap<String, u64>,
}

/// All who share a limit.
#[derive(Debug, Default)]
pub(super) struct Turns {
    tenants: BTreeMap<Option<Name>, Tenant>,
    /// The virtual time of the tenant that was served last.
    time_ns: u64,
}

/// The part of a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    numerator: u64,
    denominator: u64,
}

impl Part {
    /// This part of an amount, rounded down.
    pub(super) fn of(self, whole: u64) -> u64 {
        let part = u128::from(whole) * u128::from(self.numerator) / u128::from(self.denominator.max(1));
        u64::try_from(part).unwrap_or(u64::MAX)
    }
}

impl Party {
    /// Begins to wait, without credit for the time in which it did not.
    fn arrive(&mut self, time_ns: u64, now_ns: u64) {
        if self.hungry_ns <= now_ns {
            self.virtual_ns = self.virtual_ns.max(time_ns);
        }
    }

    fn is_ahead<'a>(&self, others: impl Iterator<Item = &'a Party>, now_ns: u64) -> bool {
        let least = others.filter(|other| other.hungry_ns > now_ns).map(|other| other.virtual_ns).min();
        least.is_some_and(|least| self.virtual_ns > least.saturating_add(LEAD_NS))
    }
}

impl Turns {
    /// Notes that a claimant speaks; its part of the whole.
    pub(super) fn arrive(&mut self, claimant: &Claimant, now_ns: u64) -> Part {
        self.forget_silent(now_ns);
        let tenant = self.tenants.entry(claimant.tenant.clone()).or_default();
        tenant.party.arrive(self.time_ns, now_ns);
        let job = tenant.jobs.entry(claimant.job.clone()).or_default();
        job.party.arrive(tenant.time_ns, now_ns);
        job.weight = claimant.weight.clamp(1, 10);
        job.workers.insert(claimant.worker.0.clone(), now_ns.saturating_add(SILENT_MS * MS_NS));
        let (numerator, workers) = (job.weight, job.workers.len() as u64);
        let weights: u64 = tenant.jobs.values().map(|job| job.weight).sum();
        Part { numerator, denominator: self.tenants.len() as u64 * weights * workers }
    }

    fn forget_silent(&mut self, now_ns: u64) {
        for tenant in self.tenants.values_mut() {
            for job in tenant.jobs.values_mut() {
                job.workers.retain(|_, until_ns| *until_ns > now_ns);
            }
            tenant.jobs.retain(|_, job| !job.workers.is_empty());
        }
        self.tenants.retain(|_, tenant| !tenant.jobs.is_empty());
    }

    /// Whether another is to be served first.
    pub(super) fn is_ahead(&self, claimant: &Claimant, now_ns: u64) -> bool {
        let Some(tenant) = self.tenants.get(&claimant.tenant) else { return false };
        let Some(job) = tenant.jobs.get(&claimant.job) else { return false };
        let tenants = self.tenants.values().map(|tenant| &tenant.party);
        let jobs = tenant.jobs.values().map(|job| &job.party);
        tenant.party.is_ahead(tenants, now_ns) || job.party.is_ahead(jobs, now_ns)
    }

    /// Notes that a claimant was given so much.
    pub(super) fn serve(&mut self, claimant: &Claimant, cost_ns: u64) {
        self.time_ns = self.tenants.get(&claimant.tenant).map_or(self.time_ns, |tenant| tenant.party.virtual_ns);
        if let Some((party, time_ns, job)) = self.find(claimant) {
            *time_ns = job.party.virtual_ns;
            party.virtual_ns = party.virtual_ns.saturating_add(cost_ns);
            job.party.virtual_ns = job.party.virtual_ns.saturating_add(cost_ns / job.weight);
        }
    }

    /// Notes that less was used than a claimant was given.
    pub(super) fn refund(&mut self, claimant: &Claimant, cost_ns: u64) {
        if let Some((party, _, job)) = self.find(claimant) {
            party.virtual_ns = party.virtual_ns.saturating_sub(cost_ns);
            job.party.virtual_ns = job.party.virtual_ns.saturating_sub(cost_ns / job.weight);
        }
    }

    /// A claimant that was not given all comes again at that moment, or soon after.
    pub(super) fn wait(&mut self, claimant: &Claimant, until_ns: u64) {
        let hungry_ns = until_ns.saturating_add(GRACE_MS * MS_NS);
        if let Some((party, _, job)) = self.find(claimant) {
            party.hungry_ns = party.hungry_ns.max(hungry_ns);
            job.party.hungry_ns = job.party.hungry_ns.max(hungry_ns);
        }
    }

    /// A claimant wants no more.
    pub(super) fn leave(&mut self, claimant: &Claimant) {
        if let Some((_, _, job)) = self.find(claimant) {
            job.workers.remove(&claimant.worker.0);
        }
    }

    /// The claimant's tenant, the virtual time of its jobs, and the job.
    fn find(&mut self, claimant: &Claimant) -> Option<(&mut Party, &mut u64, &mut Job)> {
        let Tenant { party, time_ns, jobs } = self.tenants.get_mut(&claimant.tenant)?;
        Some((party, time_ns, jobs.get_mut(&claimant.job)?))
    }
}
