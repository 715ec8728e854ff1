//! Fair shares of a window: first by tenant, then by job, each job by its weight. Pure.
//!
//! Start-time fair queueing: whoever has received least for its weight is served next. Who had nothing to ask for earns no
//! credit meanwhile: it joins at the time of those who are served now.

use std::collections::BTreeMap;

use crate::job::{JobId, Name};

/// What one shard costs a job of weight 1, in units of virtual time; divisible by every weight up to 10.
const COST: u64 = 2_520;

/// What a job holds and wants of a window, in shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Shards released and not yet done.
    pub outstanding: u64,
    /// Shards that could be released now.
    pub hungry: u64,
    /// The job's weight among its tenant's jobs, from 1 to 10.
    pub weight: u64,
}

/// One window and those who share it.
#[derive(Clone, Debug, Default)]
pub struct Fair {
    window: u64,
    tenants: BTreeMap<Option<Name>, Tenant>,
    /// The virtual time of the tenant that was served last.
    time: u64,
}

#[derive(Clone, Debug, Default)]
struct Tenant {
    time: u64,
    jobs: BTreeMap<JobId, Job>,
    /// The virtual time of the job that was served last.
    jobs_time: u64,
}

#[derive(Clone, Debug, Default)]
struct Job {
    time: u64,
    outstanding: u64,
    hungry: u64,
    weight: u64,
    granted: u64,
}

impl Job {
    fn wants(&self) -> bool {
        self.hungry > self.granted
    }
}

impl Tenant {
    fn wants(&self) -> bool {
        self.jobs.values().any(Job::wants)
    }
}

impl Fair {
    /// Sets how many shards may be released and not yet done, of all jobs together.
    pub fn set_window(&mut self, window: u64) {
        self.window = window;
    }

    /// Says what a job holds and wants now, hands out what is free, and takes what this job was given: the number of shards
    /// that it may release.
    pub fn claim(&mut self, tenant: Option<&Name>, job: &JobId, claim: Claim) -> u64 {
        let of_all = self.tenants.entry(tenant.cloned()).or_default();
        if !of_all.wants() {
            of_all.time = of_all.time.max(self.time);
        }
        let own = of_all.jobs.entry(job.clone()).or_default();
        if !own.wants() {
            own.time = own.time.max(of_all.jobs_time);
        }
        own.outstanding = claim.outstanding;
        own.hungry = claim.hungry;
        own.granted = own.granted.min(claim.hungry);
        own.weight = claim.weight.clamp(1, 10);
        self.hand_out();
        let own = self.tenants.get_mut(&tenant.cloned()).and_then(|tenant| tenant.jobs.get_mut(job));
        own.map_or(0, |own| {
            let granted = std::mem::take(&mut own.granted);
            own.outstanding += granted;
            own.hungry -= granted.min(own.hungry);
            granted
        })
    }

    /// Whether shards were granted to a job that it has not taken.
    pub fn has_grant(&self, tenant: Option<&Name>, job: &JobId) -> bool {
        let tenant = self.tenants.get(&tenant.cloned());
        tenant.and_then(|tenant| tenant.jobs.get(job)).is_some_and(|job| job.granted > 0)
    }

    /// Forgets a job that is over.
    pub fn leave(&mut self, tenant: Option<&Name>, job: &JobId) {
        if let Some(of_all) = self.tenants.get_mut(&tenant.cloned()) {
            of_all.jobs.remove(job);
            if of_all.jobs.is_empty() {
                self.tenants.remove(&tenant.cloned());
            }
        }
        self.hand_out();
    }

    fn hand_out(&mut self) {
        let jobs = || self.tenants.values().flat_map(|tenant| tenant.jobs.values());
        let held: u64 = jobs().map(|job| job.outstanding + job.granted).sum();
        for _ in held..self.window {
            let hungry = self.tenants.values_mut().filter(|tenant| tenant.wants());
            let Some(tenant) = hungry.min_by_key(|tenant| tenant.time) else { return };
            self.time = tenant.time;
            tenant.time += COST;
            let hungry = tenant.jobs.values_mut().filter(|job| job.wants());
            let Some(job) = hungry.min_by_key(|job| job.time) else { return };
            tenant.jobs_time = job.time;
            job.time += COST / job.weight;
            job.granted += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(text: &str) -> JobId {
        JobId::new(text).expect("allowed")
    }

    /// Jobs that run one shard after another, oldest first, in a window.
    struct World {
        fair: Fair,
        jobs: Vec<(Option<Name>, JobId, u64, u64)>,
        running: std::collections::VecDeque<usize>,
        done: Vec<u64>,
    }

    impl World {
        fn new(window: u64) -> Self {
            let mut fair = Fair::default();
            fair.set_window(window);
            Self { fair, jobs: Vec::new(), running: Default::default(), done: Vec::new() }
        }

        fn add(&mut self, tenant: &str, name: &str, weight: u64, shards: u64) {
            self.jobs.push((Some(Name::new(tenant).expect("allowed")), job(name), weight, shards));
            self.done.push(0);
        }

        fn step(&mut self) -> Option<usize> {
            for at in 0..self.jobs.len() {
                let (tenant, name, weight, left) = self.jobs[at].clone();
                let outstanding = self.running.iter().filter(|running| **running == at).count() as u64;
                let claim = Claim { outstanding, hungry: left, weight };
                let granted = self.fair.claim(tenant.as_ref(), &name, claim);
                assert!(granted <= left);
                self.jobs[at].3 -= granted;
                self.running.extend(std::iter::repeat_n(at, granted as usize));
            }
            let ended = self.running.pop_front()?;
            self.done[ended] += 1;
            Some(ended)
        }
    }

    #[test]
    fn a_small_job_does_not_wait_for_a_large_one() {
        let mut world = World::new(4);
        world.add("a", "large", 5, 5_000);
        for _ in 0..100 {
            world.step();
        }
        world.add("b", "small", 5, 5);
        let before = (0..).take_while(|_| world.step() != Some(1)).count();
        assert!(before <= 5, "{before} shards came first, and the window is 4");
    }

    #[test]
    fn weights_hold() {
        let mut world = World::new(8);
        world.add("a", "one", 1, 2_000);
        world.add("a", "three", 3, 2_000);
        let ended: Vec<usize> = (0..2_000).filter_map(|_| world.step()).collect();
        for part in ended.windows(500) {
            let share = part.iter().filter(|at| **at == 1).count() as f64 / 500.0;
            assert!((share - 0.75).abs() <= 0.05, "{share}");
        }
    }

    #[test]
    fn tenants_share_equally_however_many_jobs_they_have() {
        let mut world = World::new(8);
        for name in ["a1", "a2", "a3", "a4"] {
            world.add("a", name, 10, 1_000);
        }
        world.add("b", "b1", 1, 1_000);
        let ended: Vec<usize> = (0..1_000).filter_map(|_| world.step()).collect();
        let of_b = ended.iter().filter(|at| **at == 4).count();
        assert!((475..=525).contains(&of_b), "{of_b}");
    }

    #[test]
    fn an_idle_share_earns_no_credit() {
        let mut world = World::new(4);
        world.add("a", "idle", 5, 1);
        world.add("b", "busy", 5, 10_000);
        for _ in 0..1_000 {
            world.step();
        }
        world.jobs[0].3 = 1_000;
        let ended: Vec<usize> = (0..200).filter_map(|_| world.step()).collect();
        let of_idle = ended.iter().filter(|at| **at == 0).count();
        assert!((90..=105).contains(&of_idle), "{of_idle}");
    }

    #[test]
    fn what_is_free_goes_to_who_wants_it() {
        let mut fair = Fair::default();
        fair.set_window(10);
        let (a, b) = (job("a"), job("b"));
        let claim = |outstanding, hungry| Claim { outstanding, hungry, weight: 1 };
        assert_eq!(fair.claim(None, &a, claim(0, 3)), 3);
        assert_eq!(fair.claim(None, &b, claim(0, 99)), 7);
        assert_eq!(fair.claim(None, &a, claim(3, 5)), 0, "the window is full");
        assert_eq!(fair.claim(None, &b, claim(1, 92)), 2, "six are free, and who had less has the first");
        assert!(fair.has_grant(None, &a));
        assert_eq!(fair.claim(None, &a, claim(3, 5)), 4);
        fair.leave(None, &a);
        assert_eq!(fair.claim(None, &b, claim(2, 91)), 8);
    }
}
