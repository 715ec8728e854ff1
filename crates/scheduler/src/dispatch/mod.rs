//! The loop: look at the ledger, decide, act, wait.

use std::sync::Arc;

use shardmill_shared::job::{JobId, Key, Plan, ShardId, Stage, StageId};
use shardmill_shared::ledger::{Ledger, LedgerError, View};
use shardmill_shared::process::{Clock, Stop};
use shardmill_shared::queue::{Message, Queue};
use shardmill_shared::store::Place;

use crate::limits::{TICK_MS, WINDOW};
use crate::{ScheduleError, commits};

mod decide;
mod silence;

pub use decide::{Action, GivenUp, Next, Situation, next};
pub use silence::Silence;

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
    /// Shards of a pool that are released and not yet done, at most.
    pub window: u64,
}

/// How the shards of a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every shard is committed.
    Committed,
    /// Some shards are not, and never will be.
    Failed(Vec<GivenUp>),
    /// The job was told to stop, and nothing runs any more.
    Stopped,
}

/// The window of a pool with so many live slots.
pub fn window(slots: usize) -> u64 {
    WINDOW.max(2 * slots as u64)
}

impl Dispatch {
    /// Drives the job until every shard is committed or given up.
    ///
    /// # Errors
    /// When store, ledger or queue fail: to be run again, it goes on where it was.
    pub async fn run(&self) -> Result<Ended, ScheduleError> {
        let mut silence = Silence::default();
        loop {
            let view = self.view().await?;
            silence.update(&view);
            let situation = Situation {
                plan: &self.plan,
                view: &view,
                silence: &silence,
                is_stopped: self.stop.is_set(),
                window: self.window,
            };
            match next(&situation) {
                Next::Committed => return Ok(Ended::Committed),
                Next::Failed(given_up) => return Ok(Ended::Failed(given_up)),
                Next::Stopped => return Ok(Ended::Stopped),
                Next::Wait => self.wait(&view).await?,
                Next::Act(actions) => self.act_all(&actions, &mut silence).await?,
            }
        }
    }

    /// What the ledger knows; nothing yet of a job it does not know.
    async fn view(&self) -> Result<View, ScheduleError> {
        match self.ledger.view(&self.job).await {
            Err(LedgerError::Unknown(_)) => {
                Ok(View { revision: 0, now_ms: self.clock.now_ms(), is_stopped: false, stages: Vec::new() })
            }
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
            () = self.stop.wait(), if !is_stopped => Ok(()),
        }
    }

    async fn act(&self, action: &Action) -> Result<(), ScheduleError> {
        match action {
            Action::Open(stage) => self.open(stage).await,
            Action::Release { stage, most } => {
                for index in self.ledger.release(&self.job, stage, *most).await? {
                    self.publish(&ShardId { stage: stage.clone(), index }, 1).await?;
                }
                Ok(())
            }
            Action::Retry { shard, attempt } => {
                self.ledger.reopen(&self.job, shard).await?;
                self.publish(shard, *attempt).await
            }
            Action::Repeat { shard, attempt } => self.publish(shard, *attempt).await,
            Action::StopJob => Ok(self.ledger.stop(&self.job).await?),
        }
    }

    async fn publish(&self, shard: &ShardId, attempt: u32) -> Result<(), ScheduleError> {
        let Some(stage) = self.plan.stage(&shard.stage) else { return Ok(()) };
        let message = Message::new(self.job.clone(), shard.clone(), attempt);
        Ok(self.queue.publish(stage.pool, &message).await?)
    }

    /// Makes a stage known to the ledger, with what the store already has of it.
    async fn open(&self, id: &StageId) -> Result<(), ScheduleError> {
        let Some(planned) = self.plan.stage(id) else { return Ok(()) };
        let stage = exact(&self.place, &self.plan, planned).await?;
        let shards = stage.shards().exact().expect("a stage with exact rows has exactly so many shards");
        self.ledger.open(&self.job, id, shards).await?;
        let note = async |commit: shardmill_shared::job::Commit| {
            Ok(self.ledger.mark_done(&self.job, &commit.shard, (&commit).into()).await?)
        };
        commits::each_listed(&self.place, &stage, note).await
    }
}

/// The stage with its exact number of rows; a count is settled in the store before anyone acts on it.
pub(crate) async fn exact(place: &Place, plan: &Plan, planned: &Stage) -> Result<Stage, ScheduleError> {
    if planned.rows.exact().is_some() {
        return Ok(planned.clone());
    }
    let uncounted = || shardmill_shared::job::PlanError::Uncounted(planned.id.clone(), planned.rows);
    let counter = plan.counter_of(planned).ok_or_else(uncounted)?;
    let counter = Box::pin(exact(place, plan, counter)).await?;
    let stage = planned.with_rows(commits::counted(place, &counter).await?)?;
    place.settle(&Key::Extent(stage.id.clone()), &stage.rows).await?;
    Ok(stage)
}
