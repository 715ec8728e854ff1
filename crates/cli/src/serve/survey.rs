//! What all replicas know alike: the open jobs, how far each is, and what is left to do in every pool.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use futures::{StreamExt, TryStreamExt, stream};
use shardmill_shared::job::{JobState, Key, Layout, Plan, Pool, StageId};
use shardmill_shared::ledger::{Ledger, LedgerError, RunState, View};
use shardmill_shared::process::Clock;
use shardmill_shared::store::{JobRecords, OpenJob, Store, StoreError, open_jobs};

/// For how long a survey is good, in milliseconds: metrics and every pool's backlog are asked for at about the same time.
const GOOD_MS: u64 = 1_000;

/// Jobs looked at together.
const TOGETHER: usize = 32;

/// Looks around. What never changes of a job is read once.
#[derive(Debug)]
pub(super) struct Survey {
    store: Arc<dyn Store>,
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<OpenJob, Arc<Facts>>>,
    /// The last survey and when it was made. Who comes meanwhile waits for it.
    last: tokio::sync::Mutex<Option<(u64, Arc<Found>)>>,
}

/// What never changes of a job that is planned.
#[derive(Debug)]
struct Facts {
    submitted_ms: u64,
    stages: Vec<Planned>,
}

#[derive(Debug)]
struct Planned {
    id: StageId,
    pool: Pool,
    /// As planned; 1 where it must be counted first.
    shards: u64,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Open jobs in each state that was seen.
    pub(super) jobs: BTreeMap<JobState, u64>,
    /// For how long the oldest open job is open, in milliseconds.
    pub(super) oldest_ms: u64,
    /// What is to be done in each pool that has a stage.
    pub(super) pools: BTreeMap<Pool, Backlog>,
}

/// What is to be done in one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backlog {
    /// Shards that are planned and neither committed nor given up.
    pub(super) shards: u64,
    /// Those of them that run.
    pub(super) leased: u64,
}

impl Backlog {
    /// Workers of so many slots that could be busy; never fewer than hold a lease.
    pub(super) fn workers_wanted(self, slots: u64) -> u64 {
        self.shards.max(self.leased).div_ceil(slots.max(1))
    }
}

/// What one job adds.
struct Look {
    state: JobState,
    submitted_ms: Option<u64>,
    pools: BTreeMap<Pool, Backlog>,
}

impl Survey {
    pub(super) fn new(store: &Arc<dyn Store>, ledger: &Arc<dyn Ledger>, clock: &Arc<dyn Clock>) -> Self {
        let (store, ledger, clock) = (Arc::clone(store), Arc::clone(ledger), Arc::clone(clock));
        Self { store, ledger, clock, known: Mutex::default(), last: tokio::sync::Mutex::default() }
    }

    /// What there is, at most [`GOOD_MS`] ago.
    ///
    /// # Errors
    /// When store or ledger fail: what is not known is never 0.
    pub(super) async fn find(&self) -> Result<Arc<Found>> {
        let mut last = self.last.lock().await;
        let now_ms = self.clock.now_ms();
        if let Some((made_ms, found)) = &*last
            && now_ms.saturating_sub(*made_ms) < GOOD_MS
        {
            return Ok(Arc::clone(found));
        }
        let found = Arc::new(self.look().await?);
        *last = Some((self.clock.now_ms(), Arc::clone(&found)));
        Ok(found)
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// When it does not.
    pub(super) async fn ask_store(&self) -> Result<(), StoreError> {
        let folder = Layout::Folder.path(&Key::OpenJobs);
        self.store.list(Some(&folder)).await?.next_page().await.map(drop)
    }

    async fn look(&self) -> Result<Found> {
        let open = open_jobs(&self.store).await.context("open jobs")?;
        let still: HashSet<&OpenJob> = open.iter().collect();
        self.lock().retain(|job, _| still.contains(job));
        let looks = stream::iter(open).map(|job| self.look_at(job)).buffer_unordered(TOGETHER);
        let now_ms = self.clock.unix_ms();
        looks
            .try_fold(Found::default(), async |mut found, look| {
                found.add(&look, now_ms);
                Ok(found)
            })
            .await
    }

    async fn look_at(&self, job: OpenJob) -> Result<Look> {
        let Some(facts) = self.facts(&job).await? else {
            let submission = JobRecords::of(&self.store, &job.tenant).submission(&job.job).await?;
            let submitted_ms = submission.map(|submission| submission.submitted_ms);
            return Ok(Look { state: JobState::Queued, submitted_ms, pools: BTreeMap::new() });
        };
        let view = match self.ledger.view(&job.job).await {
            Err(LedgerError::Unknown(_)) => None,
            view => Some(view?),
        };
        Ok(Look {
            state: state(&facts, view.as_ref()),
            submitted_ms: Some(facts.submitted_ms),
            pools: backlog(&facts, view.as_ref()),
        })
    }

    /// What never changes of a job; nothing before it is planned.
    async fn facts(&self, job: &OpenJob) -> Result<Option<Arc<Facts>>> {
        if let Some(facts) = self.lock().get(job) {
            return Ok(Some(Arc::clone(facts)));
        }
        let records = JobRecords::of(&self.store, &job.tenant);
        let Some(place) = records.place(&job.job).await? else { return Ok(None) };
        let Some(plan) = place.find::<Plan>(&Key::Plan).await? else { return Ok(None) };
        let Some(submission) = records.submission(&job.job).await? else { return Ok(None) };
        let planned = plan.stages.iter().map(|stage| {
            let shards = stage.shards().exact().unwrap_or(1);
            Planned { id: stage.id.clone(), pool: stage.pool, shards }
        });
        let facts = Arc::new(Facts { submitted_ms: submission.submitted_ms, stages: planned.collect() });
        self.lock().insert(job.clone(), Arc::clone(&facts));
        Ok(Some(facts))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<OpenJob, Arc<Facts>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Found {
    fn add(&mut self, look: &Look, now_ms: u64) {
        *self.jobs.entry(look.state).or_default() += 1;
        let age_ms = look.submitted_ms.map_or(0, |submitted_ms| now_ms.saturating_sub(submitted_ms));
        self.oldest_ms = self.oldest_ms.max(age_ms);
        for (pool, more) in &look.pools {
            let backlog = self.pools.entry(*pool).or_default();
            backlog.shards += more.shards;
            backlog.leased += more.leased;
        }
    }
}

/// What a job adds to the backlog of each pool. One that may not run adds only what runs still.
fn backlog(facts: &Facts, view: Option<&View>) -> BTreeMap<Pool, Backlog> {
    let is_running = view.is_none_or(|view| view.run_state == RunState::Running);
    let mut pools = BTreeMap::<Pool, Backlog>::new();
    for stage in &facts.stages {
        let seen = view.and_then(|view| view.stages.iter().find(|seen| seen.stage == stage.id));
        let leased = seen.map_or(0, |seen| seen.leased);
        let left = seen.map_or(stage.shards, |seen| seen.shards.saturating_sub(seen.done));
        let backlog = pools.entry(stage.pool).or_default();
        backlog.leased += leased;
        backlog.shards += if is_running { left } else { leased };
    }
    pools
}

/// The state of a job that is planned and open.
fn state(facts: &Facts, view: Option<&View>) -> JobState {
    let Some(view) = view else { return JobState::Planning };
    let is_done = |stage: &Planned| view.stages.iter().any(|seen| seen.stage == stage.id && seen.done == seen.shards);
    match view.run_state {
        RunState::Paused => JobState::Paused,
        RunState::Stopped => JobState::Cancelled,
        RunState::Running if view.stages.is_empty() => JobState::Planning,
        RunState::Running if facts.stages.iter().all(is_done) => JobState::Finishing,
        RunState::Running => JobState::Running,
    }
}

#[cfg(test)]
mod tests;
