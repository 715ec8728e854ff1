//! The loop: look at the ledger, decide, act, wait.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use shardmill_shared::job::{GivenUp, JobId, Key, Made, Name, Plan, PlanError, Pool, ShardId, Stage, StageId};
use shardmill_shared::ledger::{Ledger, LedgerError, RunState, View};
use shardmill_shared::pacing::Claim;
use shardmill_shared::process::{Clock, Stop, trace};
use shardmill_shared::queue::{Message, Queue};
use shardmill_shared::store::Place;
use tracing::Span;

use crate::limits::{LOOK_RESTS, TICK_MS};
use crate::{ScheduleError, commits};

mod decide;
mod silence;
mod windows;

pub use decide::{Action, Next, Situation, next};
pub use silence::Silence;
pub use windows::{Whose, Windows};

/// What a job needs to be driven to its end.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The job.
    pub job: JobId,
    /// Its plan.
    pub plan: Arc<Plan>,
    /// Where its objects are.
    pub place: Place,
    /// Where addresses of shards go.
    pub queue: Arc<dyn Queue>,
    /// What workers report to.
    pub ledger: Arc<dyn Ledger>,
    /// Time, the same as the ledger's.
    pub clock: Arc<dyn Clock>,
    /// The order to stop.
    pub stop: Stop,
    /// How many shards may be released and not yet done.
    pub windows: Arc<Windows>,
    /// Whose job it is; nobody's in a local run.
    pub tenant: Option<Name>,
    /// The job's weight among its tenant's jobs, from 1 to 10; it may change while the job runs.
    pub weight: Arc<AtomicU64>,
}

/// How the shards of a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every shard is committed.
    Committed,
    /// Some shards are not, and never will be.
    Failed(Vec<GivenUp>),
    /// The budget is spent, and nothing runs any more: why, for people.
    Broke(String),
    /// The job was told to stop, and nothing runs any more.
    Stopped,
    /// The ledger has forgotten the job: what it was told must be told again, then it goes on.
    Forgotten,
}

impl Dispatch {
    /// Drives the job until every shard is committed or given up.
    ///
    /// # Errors
    /// When store, ledger or queue fail: to be run again, it goes on where it was.
    pub async fn run(&self) -> Result<Ended, ScheduleError> {
        let ended = self.drive().await;
        self.windows.leave(self.whose());
        ended
    }

    async fn drive(&self) -> Result<Ended, ScheduleError> {
        let mut silence = Silence::default();
        let (mut was_known, mut was_open) = (false, false);
        loop {
            let looks_ms = self.clock.now_ms();
            let view = self.view().await?;
            let looked_ms = self.clock.now_ms();
            if (was_known && view.revision == UNKNOWN) || (was_open && view.stages.is_empty()) {
                return Ok(Ended::Forgotten);
            }
            was_known |= view.revision != UNKNOWN;
            was_open |= !view.stages.is_empty();
            silence.update(&view);
            let room = self.room(&view);
            let situation = Situation {
                plan: &self.plan,
                view: &view,
                silence: &silence,
                is_stopped: self.stop.is_set(),
                room: &room,
            };
            match next(&situation) {
                Next::Committed => return Ok(Ended::Committed),
                Next::Failed(given_up) => return Ok(Ended::Failed(given_up)),
                Next::Broke(reason) => return Ok(Ended::Broke(reason)),
                Next::Stopped => return Ok(Ended::Stopped),
                Next::Wait => {
                    self.wait(&view).await?;
                    let rest_ms = looked_ms.saturating_sub(looks_ms).saturating_mul(LOOK_RESTS).min(TICK_MS);
                    self.clock.sleep_until(looked_ms.saturating_add(rest_ms)).await;
                }
                Next::Act(actions) => self.act_all(&actions, &mut silence).await?,
            }
        }
    }

    fn whose(&self) -> Whose<'_> {
        Whose { tenant: self.tenant.as_ref(), job: &self.job }
    }

    /// How many shards of each pool may be released now.
    fn room(&self, view: &View) -> BTreeMap<Pool, u64> {
        let weight = self.weight.load(Ordering::Relaxed);
        let claims = decide::claims(&self.plan, view).into_iter();
        claims.map(|(pool, claim)| (pool, self.windows.claim(pool, self.whose(), Claim { weight, ..claim }))).collect()
    }

    /// What the ledger knows; nothing yet of a job it does not know.
    async fn view(&self) -> Result<View, ScheduleError> {
        match self.ledger.view(&self.job).await {
            Err(LedgerError::Unknown(_)) => Ok(View {
                revision: UNKNOWN,
                now_ms: self.clock.now_ms(),
                run_state: RunState::Running,
                stages: Vec::new(),
            }),
            other => Ok(other?),
        }
    }

    /// Acts until the ledger turns out to have forgotten the job: then the rest of the actions is about nothing, and the next
    /// look begins anew from the store.
    async fn act_all(&self, actions: &[Action], silence: &mut Silence) -> Result<(), ScheduleError> {
        for action in actions {
            match self.act(action).await {
                Err(ScheduleError::Ledger(LedgerError::Unknown(_))) => return Ok(()),
                end => end?,
            }
            silence.heard(action);
        }
        Ok(())
    }

    async fn wait(&self, view: &View) -> Result<(), ScheduleError> {
        let is_stopped = self.stop.is_set();
        tokio::select! {
            changed = self.ledger.wait_change(&self.job, view.revision) => match changed {
                Err(LedgerError::Unknown(_)) => Ok(()),
                end => Ok(end?),
            },
            () = self.clock.sleep_until(self.clock.now_ms().saturating_add(TICK_MS)) => Ok(()),
            () = self.windows.granted(self.whose()) => Ok(()),
            () = self.stop.wait(), if !is_stopped => Ok(()),
        }
    }

    async fn act(&self, action: &Action) -> Result<(), ScheduleError> {
        match action {
            Action::Open(stage) => self.open(stage).await,
            Action::Release { stage, most } => {
                let released = self.ledger.release(&self.job, stage, *most).await?;
                let Some(stage) = self.plan.stage(stage) else { return Ok(()) };
                let trace = trace::traceparent(&Span::current());
                let message = |(first, more)| {
                    let shard = ShardId { stage: stage.id.clone(), index: first };
                    self.message(&shard, 1, trace.as_ref()).with_more(more)
                };
                let runs = runs(&released, self.windows.run_length(stage.pool));
                let messages: Vec<Message> = runs.into_iter().map(message).collect();
                Ok(self.queue.publish_all(stage.pool, &messages).await?)
            }
            Action::Retry { shard, attempt } => {
                self.ledger.reopen(&self.job, shard).await?;
                self.publish(shard, *attempt).await
            }
            Action::Repeat { shard, attempt } => self.publish(shard, *attempt).await,
            Action::StopJob => Ok(self.ledger.stop(&self.job).await?),
            Action::PauseJob => Ok(self.ledger.set_run_state(&self.job, RunState::Paused).await?),
        }
    }

    async fn publish(&self, shard: &ShardId, attempt: u32) -> Result<(), ScheduleError> {
        let Some(stage) = self.plan.stage(&shard.stage) else { return Ok(()) };
        let trace = trace::traceparent(&Span::current());
        Ok(self.queue.publish(stage.pool, &self.message(shard, attempt, trace.as_ref())).await?)
    }

    fn message(&self, shard: &ShardId, attempt: u32, trace: Option<&String>) -> Message {
        let message = Message::new(self.job.clone(), shard.clone(), attempt);
        Message { tenant: self.tenant.clone(), trace: trace.cloned(), ..message }
    }

    /// Makes a stage known to the ledger, with what the store already has of it.
    async fn open(&self, id: &StageId) -> Result<(), ScheduleError> {
        let Some(planned) = self.plan.stage(id) else { return Ok(()) };
        let stage = prepare(&self.place, &self.plan, planned).await?;
        let shards = stage.shards().exact().expect("a stage with exact rows has exactly so many shards");
        self.ledger.open(&self.job, id, shards).await?;
        let mut pages = commits::Pages::start(&self.place, &stage).await?;
        loop {
            let done: Vec<(u64, Made)> =
                pages.next().await?.iter().map(|commit| (commit.shard.index, commit.into())).collect();
            if done.is_empty() {
                return Ok(());
            }
            self.ledger.mark_all_done(&self.job, id, &done).await?;
        }
    }
}

/// The stage with its exact number of rows, once all that was counted for it can be read.
///
/// # Errors
/// When a stage that it needs is not committed, or the store fails.
pub async fn prepare(place: &Place, plan: &Plan, planned: &Stage) -> Result<Stage, ScheduleError> {
    for counter in planned.needs.iter().filter_map(|needed| plan.stage(needed)) {
        if counter.publishes().is_none() {
            commits::sums(place, &exact(place, plan, counter).await?).await?;
        }
    }
    exact(place, plan, planned).await
}

/// The stage with its exact number of rows; a count is settled in the store before anyone acts on it.
pub(crate) fn exact<'a>(
    place: &'a Place,
    plan: &'a Plan,
    planned: &'a Stage,
) -> BoxFuture<'a, Result<Stage, ScheduleError>> {
    Box::pin(async move {
        if planned.rows.exact().is_some() {
            return Ok(planned.clone());
        }
        let uncounted = || PlanError::Uncounted(planned.id.clone(), planned.rows);
        let counter = exact(place, plan, plan.counter_of(planned).ok_or_else(uncounted)?).await?;
        let sums = commits::sums(place, &counter).await?;
        let counted = sums.iter().try_fold(0_u64, |total, sum| total.checked_add(*sum));
        let stage = planned.with_counted(counted.ok_or(PlanError::TooManyRows)?)?;
        place.settle(&Key::Extent(stage.id.clone()), &stage.rows).await?;
        Ok(stage)
    })
}

/// Runs of at most `most` indexes that follow each other: the first of each, and how many more.
fn runs(indexes: &[u64], most: u64) -> Vec<(u64, u32)> {
    let mut runs: Vec<(u64, u32)> = Vec::new();
    for index in indexes {
        match runs.last_mut() {
            Some((first, more)) if *first + u64::from(*more) + 1 == *index && u64::from(*more) + 1 < most => *more += 1,
            _ => runs.push((*index, 0)),
        }
    }
    runs
}

/// The revision of a job that the ledger does not know.
const UNKNOWN: u64 = 0;

/// How many reasons a message names.
const REASONS: usize = 3;

/// What was given up and why: the first reasons, each once.
pub fn describe(given_up: &[GivenUp]) -> String {
    let mut reasons: Vec<&GivenUp> = Vec::new();
    for shard in given_up {
        if reasons.len() < REASONS && reasons.iter().all(|named| named.failure.message != shard.failure.message) {
            reasons.push(shard);
        }
    }
    let named: Vec<String> = reasons
        .iter()
        .map(|named| {
            let tries = named.attempts.saturating_add(named.deaths);
            format!("{} after {tries} attempts: {}", named.shard, named.failure.message)
        })
        .collect();
    format!("{} shards failed; {}", given_up.len(), named.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_of_indexes_that_follow_each_other() {
        assert_eq!(runs(&[], 3), []);
        assert_eq!(runs(&[4, 5, 6, 7, 9, 10], 3), [(4, 2), (7, 0), (9, 1)]);
        assert_eq!(runs(&[0, 1], 1), [(0, 0), (1, 0)]);
    }
}
