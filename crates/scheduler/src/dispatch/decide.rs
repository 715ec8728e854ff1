//! What to do next, from what is planned and what the ledger knows. Pure.

use std::collections::BTreeMap;

use shardmill_shared::job::{FailureClass, GivenUp, Plan, Pool, Scope, ShardId, Stage, StageId};
use shardmill_shared::ledger::{ATTEMPTS, FailedShard, RunState, StageView, View};
use shardmill_shared::pacing::Claim;

use super::Silence;
use crate::limits::{BACKOFF_MS, FAILED_SHARDS, LOST_MS};

/// Everything a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// What the ledger knows.
    pub view: &'a View,
    /// Since when shards wait unseen.
    pub silence: &'a Silence,
    /// Whether the job was told to stop.
    pub is_stopped: bool,
    /// Shards of each pool that may be released now.
    pub room: &'a BTreeMap<Pool, u64>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make the stage known: what it needs is committed.
    Open(StageId),
    /// Release shards that never were.
    Release {
        /// The stage.
        stage: StageId,
        /// How many, at most.
        most: u64,
    },
    /// Try a failed shard again: its wait is over.
    Retry {
        /// The shard.
        shard: ShardId,
        /// Which try this is.
        attempt: u32,
    },
    /// Publish a message again that seems to be lost.
    Repeat {
        /// The shard.
        shard: ShardId,
        /// Which try this is.
        attempt: u32,
    },
    /// End what is running: the job cannot succeed.
    StopJob,
    /// Begin no more: the budget is spent. What runs ends by itself, so that no answer under way is lost.
    PauseJob,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Do these, then look again.
    Act(Vec<Action>),
    /// Nothing to do until something changes or time passes.
    Wait,
    /// Every shard is committed.
    Committed,
    /// Nothing more can be committed.
    Failed(Vec<GivenUp>),
    /// Nothing more can be paid, and nothing runs any more: why, for people.
    Broke(String),
    /// Nothing runs any more, as it was told.
    Stopped,
}

/// What to do next.
pub fn next(situation: &Situation<'_>) -> Next {
    let Situation { plan, view, .. } = situation;
    if plan.stages.iter().all(|stage| is_done(view, &stage.id)) {
        return Next::Committed;
    }
    let is_running = view.stages.iter().any(|stage| stage.leased > 0);
    if situation.is_stopped {
        return if is_running { Next::Wait } else { Next::Stopped };
    }
    if view.run_state == RunState::Stopped && !is_hopeless(view) {
        return if is_running { Next::Wait } else { Next::Stopped };
    }
    if is_hopeless(view) {
        return if is_running {
            Next::Act(vec![Action::StopJob]).unless_stopped(view)
        } else {
            Next::Failed(given_up(view))
        };
    }
    if let Some(reason) = broke(view) {
        return match (view.run_state, is_running) {
            (RunState::Running, _) => Next::Act(vec![Action::PauseJob]),
            (_, true) => Next::Wait,
            (_, false) => Next::Broke(reason),
        };
    }
    if view.run_state == RunState::Paused {
        // What is committed is shown all the same.
        let opened = open(situation);
        return if opened.is_empty() { Next::Wait } else { Next::Act(opened) };
    }
    let actions: Vec<Action> =
        [open(situation), retry(view), repeat(situation), release(situation)].into_iter().flatten().collect();
    if !actions.is_empty() {
        return Next::Act(actions);
    }
    // A stage that is not released waits for room, which others have now.
    let waits =
        |stage: &StageView| !stage.waiting.is_empty() || stage.failed.iter().any(may_retry) || !stage.is_released;
    let is_waiting = view.stages.iter().any(waits);
    if is_running || is_waiting { Next::Wait } else { Next::Failed(given_up(view)) }
}

impl Next {
    /// The job is stopped once; the ledger says so until its attempts are over.
    fn unless_stopped(self, view: &View) -> Self {
        if view.run_state == RunState::Stopped { Self::Wait } else { self }
    }
}

fn stage_view<'a>(view: &'a View, id: &StageId) -> Option<&'a StageView> {
    view.stages.iter().find(|stage| stage.stage == *id)
}

fn is_done(view: &View, id: &StageId) -> bool {
    stage_view(view, id).is_some_and(|stage| stage.done == stage.shards)
}

fn may_retry(failed: &FailedShard) -> bool {
    match failed.failure.scope {
        Scope::Later => true,
        Scope::Shard => failed.attempts < ATTEMPTS,
        Scope::Final | Scope::Job => false,
    }
}

/// Why no more can be paid, if that is so.
fn broke(view: &View) -> Option<String> {
    let failed = view.stages.iter().flat_map(|stage| &stage.failed);
    failed.filter(is_broke).map(|failed| failed.failure.message.clone()).next()
}

fn is_broke(failed: &&FailedShard) -> bool {
    failed.failure.class == FailureClass::Budget
}

/// Whether a failure reaches every shard, or so many failed that the rest would too.
fn is_hopeless(view: &View) -> bool {
    let failed = || view.stages.iter().flat_map(|stage| &stage.failed).filter(|failed| !is_broke(failed));
    let lost = failed().filter(|failed| !may_retry(failed)).count() as u64;
    lost > FAILED_SHARDS || failed().any(|failed| failed.failure.scope == Scope::Job)
}

fn given_up(view: &View) -> Vec<GivenUp> {
    let of_stage = |stage: &StageView| {
        let id = stage.stage.clone();
        let give_up = move |failed: &FailedShard| GivenUp {
            shard: ShardId { stage: id.clone(), index: failed.index },
            attempts: failed.attempts,
            deaths: failed.deaths,
            failure: failed.failure.clone(),
        };
        stage.failed.iter().filter(|failed| !may_retry(failed)).map(give_up).collect::<Vec<_>>()
    };
    view.stages.iter().flat_map(of_stage).collect()
}

fn open(situation: &Situation<'_>) -> Vec<Action> {
    let view = situation.view;
    let may_open = |stage: &&Stage| {
        stage_view(view, &stage.id).is_none() && stage.needs.iter().all(|needed| is_done(view, needed))
    };
    situation.plan.stages.iter().filter(may_open).map(|stage| Action::Open(stage.id.clone())).collect()
}

/// The wait after so many failed attempts, in milliseconds.
fn backoff_ms(attempts: u32) -> u64 {
    BACKOFF_MS.saturating_mul(4_u64.saturating_pow(attempts.saturating_sub(1)))
}

fn retry(view: &View) -> Vec<Action> {
    let is_due = |failed: &&FailedShard| {
        may_retry(failed) && failed.failed_ms.saturating_add(backoff_ms(failed.attempts)) <= view.now_ms
    };
    let of_stage = |stage: &StageView| {
        let shard = |index| ShardId { stage: stage.stage.clone(), index };
        let retry = |failed: &FailedShard| Action::Retry { shard: shard(failed.index), attempt: failed.attempts + 1 };
        stage.failed.iter().filter(is_due).map(retry).collect::<Vec<_>>()
    };
    view.stages.iter().flat_map(of_stage).collect()
}

fn repeat(situation: &Situation<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    for stage in &situation.view.stages {
        for waiting in &stage.waiting {
            if situation.silence.of(&stage.stage, waiting.index) >= LOST_MS {
                let shard = ShardId { stage: stage.stage.clone(), index: waiting.index };
                actions.push(Action::Repeat { shard, attempt: waiting.attempt });
            }
        }
    }
    actions
}

/// What the job holds and wants in each pool.
pub(super) fn claims(plan: &Plan, view: &View) -> BTreeMap<Pool, Claim> {
    let mut claims: BTreeMap<Pool, Claim> = BTreeMap::new();
    let is_released = |stage: &StageView| stage.is_released || view.run_state != RunState::Running;
    for (pool, stage) in opened(plan, view) {
        let claim = claims.entry(pool).or_insert(Claim { outstanding: 0, hungry: 0, weight: 1 });
        // What waits in a job that does not run is nobody's to take: it must not keep others from their share.
        let waiting = if view.run_state == RunState::Running { stage.waiting.len() as u64 } else { 0 };
        let outstanding = stage.leased.saturating_add(waiting);
        claim.outstanding += outstanding;
        if !is_released(stage) {
            claim.hungry += stage.shards.saturating_sub(stage.done).saturating_sub(outstanding);
        }
    }
    claims
}

fn opened<'a>(plan: &'a Plan, view: &'a View) -> impl Iterator<Item = (Pool, &'a StageView)> {
    plan.stages.iter().filter_map(|stage| Some((stage.pool, stage_view(view, &stage.id)?)))
}

/// Fills the room of each pool, stages in the plan's order.
fn release(situation: &Situation<'_>) -> Vec<Action> {
    let mut room = situation.room.clone();
    let mut actions = Vec::new();
    for (pool, stage) in opened(situation.plan, situation.view).filter(|(_, stage)| !stage.is_released) {
        let left = room.entry(pool).or_default();
        let most = (*left).min(stage.shards.saturating_sub(stage.done));
        *left -= most;
        if most > 0 {
            actions.push(Action::Release { stage: stage.stage.clone(), most });
        }
    }
    actions
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod luck;
