//! One job's course under a leader: planned, placed, driven, finished, closed. Every step may be repeated by the next leader.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use shardmill_shared::job::{
    Ending, JobState, Key, Layout, Made, Manifest, Orders, Placed, Plan, Pool, Submission, Success, Verdict,
};
use shardmill_shared::ledger::{Epoch, RunState};
use shardmill_shared::process::{Stop, trace};
use shardmill_shared::store::{JobRecords, OpenJob, Place};
use tokio::sync::Notify;
use tracing::{Instrument, Span, debug_span};

mod conclude;
mod money;

use super::Scheduler;
use super::pin::{Crew, pin};
use crate::dispatch::{Dispatch, Ended, Windows, describe};
use crate::limits::MEND_MS;
use crate::{ScheduleError, accept, finish, version};

/// A job on its way.
pub(super) struct Course {
    scheduler: Scheduler,
    open: OpenJob,
    records: JobRecords,
    reign: Reign,
    /// Whether this leader has said all that it knows of the job's money to the books that there are.
    has_restored: AtomicBool,
}

/// What all courses under one leader share.
#[derive(Clone)]
pub(super) struct Reign {
    /// Which leadership this is.
    pub(super) epoch: Epoch,
    /// Its end.
    pub(super) stop: Stop,
    pub(super) windows: Arc<Windows>,
    /// Rung when webhooks are to be told something.
    pub(super) bell: Arc<Notify>,
}

/// How a look at a job ended.
enum Way {
    /// It is over: nothing more is to be done.
    Closed,
    /// It stays open: this scheduler leads no more.
    Left,
    /// What it was driven by has changed: to be looked at anew.
    Again,
}

impl Course {
    pub(super) fn of(scheduler: &Scheduler, open: OpenJob, reign: &Reign) -> Self {
        let records = JobRecords::of(&scheduler.root, &open.tenant);
        Self { scheduler: scheduler.clone(), open, records, reign: reign.clone(), has_restored: AtomicBool::new(false) }
    }

    /// Sees the job through, again and again where store, ledger or queue fail.
    pub(super) async fn run(self) {
        let job = &self.open.job;
        loop {
            // Of the highest level: its fields belong to every line of the job, however little is written.
            let span = tracing::error_span!("job", job.id = %job, tenant = %self.open.tenant);
            match self.look().instrument(span.clone()).await {
                Ok(Way::Closed) => return span.in_scope(|| tracing::info!("the job is over")),
                Ok(Way::Left) => return,
                Ok(Way::Again) => continue,
                Err(error) => {
                    trace::fail(&span, &error.to_string());
                    span.in_scope(|| tracing::warn!("the job waits: {error}"));
                    self.heed(&error).instrument(span.clone()).await;
                }
            }
            drop(span);
            let clock = &self.scheduler.clock;
            tokio::select! {
                () = clock.sleep_until(clock.now_ms().saturating_add(MEND_MS)) => {}
                () = self.reign.stop.wait() => return,
            }
        }
    }

    async fn look(&self) -> Result<Way, ScheduleError> {
        match self.see_through().await {
            // Looked at again, it would be the same for ever.
            Err(error) if error.is_final() => self.fail(error.to_string()).await,
            seen => seen,
        }
    }

    async fn see_through(&self) -> Result<Way, ScheduleError> {
        let Some(submission) = self.records.submission(&self.open.job).await? else {
            self.records.close(&self.open.job, 0).await?;
            return Ok(Way::Closed);
        };
        trace::follow(&Span::current(), submission.trace.as_deref());
        let orders = self.records.orders(&submission).await?;
        if let Some(ending) = self.records.ending(&self.open.job, orders.retries).await? {
            self.conclude(orders.retries, &ending).await?;
            return self.close(&orders).await;
        }
        if orders.is_cancelled {
            return self.cancel(&orders).await;
        }
        let plan = match self.plan(&submission).instrument(debug_span!("plan")).await {
            Ok(plan) => plan,
            Err(problem) => return self.end(&orders, ending(JobState::Failed, Some(problem))).await,
        };
        let place = self.place(&submission, &plan).await?;
        let own = plan.writer.clone();
        let plan = Arc::new(self.pinned(&place, plan).await?);
        self.fund(&place, &plan, &orders).await?;
        accept::settle(&place, &Bytes::from(submission.spec.clone()), &plan).await?;
        let driven = self.drive(&submission, &place, (&plan, &own)).instrument(debug_span!("dispatch")).await?;
        let Some(ended) = driven else { return Ok(Way::Again) };
        match ended {
            Ended::Committed => self.publish(&submission, &place, &plan).instrument(debug_span!("publish")).await,
            Ended::Failed(given_up) => {
                self.records.give_up(&self.open.job, orders.retries, &given_up).await?;
                self.end(&orders, ending(JobState::Failed, Some(describe(&given_up)))).await
            }
            Ended::Stopped if self.reign.stop.is_set() => Ok(Way::Left),
            Ended::Broke(reason) => self.park(&submission, (&place, &plan), &reason).await,
            // Whether it was stopped by order is seen then: a commit may have come after its shards were given up.
            Ended::Stopped | Ended::Forgotten => Ok(Way::Again),
        }
    }

    /// Publishes what is committed, unless a cancel came first. Of the two one is decided, once, so that no version of a
    /// cancelled job appears, whoever leads.
    async fn publish(&self, submission: &Submission, place: &Place, plan: &Plan) -> Result<Way, ScheduleError> {
        let (manifest, success) = finish::prepare(place, plan).await?;
        let orders = self.records.orders(submission).await?;
        let wanted = if orders.is_cancelled { Verdict::Cancel } else { Verdict::Publish };
        if self.records.decide(&self.open.job, orders.retries, wanted).await? == Verdict::Cancel {
            return self.end(&orders, ending(JobState::Cancelled, None)).await;
        }
        finish::publish(place, &success).await?;
        self.end(&orders, published(&manifest, &success)).await
    }

    /// Ends the job as it was told, unless it was decided before that its version appears.
    async fn cancel(&self, orders: &Orders) -> Result<Way, ScheduleError> {
        let decided = self.records.decide(&self.open.job, orders.retries, Verdict::Cancel).await?;
        let place = self.records.place(&self.open.job).await?;
        if let (Verdict::Publish, Some(place)) = (decided, place) {
            let plan: Plan = place.read(&Key::Plan).await?;
            let (manifest, success) = finish::prepare(&place, &plan).await?;
            finish::publish(&place, &success).await?;
            return self.end(orders, published(&manifest, &success)).await;
        }
        self.end(orders, ending(JobState::Cancelled, None)).await
    }

    async fn fail(&self, problem: String) -> Result<Way, ScheduleError> {
        let Some(submission) = self.records.submission(&self.open.job).await? else { return Ok(Way::Again) };
        let orders = self.records.orders(&submission).await?;
        self.end(&orders, ending(JobState::Failed, Some(problem))).await
    }

    /// A ledger that knows more than the store is told all anew.
    async fn heed(&self, error: &ScheduleError) {
        if matches!(error, ScheduleError::Uncommitted(_))
            && let Err(error) = self.scheduler.ledger.forget(&self.open.job).await
        {
            tracing::warn!("the ledger goes on knowing too much: {error}");
        }
    }

    async fn plan(&self, submission: &Submission) -> Result<Plan, String> {
        let planner = Arc::clone(&self.scheduler.planner);
        let spec = submission.spec.clone();
        let planned = tokio::task::spawn_blocking(move || planner.plan(spec.as_bytes())).await;
        planned.map_err(|fault| format!("planning panicked: {fault}")).and_then(|planned| planned)
    }

    /// The plan that the job began with, as its shards are committed by that, with the writer that it is pinned to: the one
    /// it began with, or another once that has no worker left. `plan` is what this program would plan now.
    async fn pinned(&self, place: &Place, plan: Plan) -> Result<Plan, ScheduleError> {
        let own = plan.writer.clone();
        let before: Option<Plan> = place.find(&Key::Plan).await.or_else(accept::absent_if_damaged)?;
        let plan = before.filter(|before| before.spec_digest == plan.spec_digest).unwrap_or(plan);
        let writer = pin(&plan.writer, &own, &self.crews(&plan).await?);
        if writer != plan.writer {
            let before = &plan.writer;
            tracing::warn!("no worker of `{before}` is left: the rest is made by `{writer}`");
        }
        Ok(Plan { writer, ..plan })
    }

    /// The living workers of the pools that a plan needs.
    async fn crews(&self, plan: &Plan) -> Result<Vec<Crew>, ScheduleError> {
        let pools: BTreeSet<Pool> = plan.stages.iter().map(|stage| stage.pool).collect();
        let mut crews = Vec::new();
        for pool in pools {
            crews.push(self.scheduler.ledger.writers(pool).await?);
        }
        Ok(crews)
    }

    /// Where the version goes: the number that was claimed before, or the next.
    async fn place(&self, submission: &Submission, plan: &Plan) -> Result<Place, ScheduleError> {
        if let Some(place) = self.records.place(&submission.job).await? {
            return Ok(place);
        }
        let claimed =
            version::claim_for(self.records.store(), &submission.dataset, (&submission.job, plan.spec_digest));
        let Layout::Root { version, dataset, .. } = claimed.await? else {
            return Err(ScheduleError::Unclaimed(submission.dataset.to_string()));
        };
        self.records.settle_place(&submission.job, &Placed { dataset, version }).await?;
        let place = self.records.place(&submission.job).await?;
        place.ok_or_else(|| ScheduleError::Unclaimed(submission.dataset.to_string()))
    }

    /// Drives the job's shards, and tells the ledger again what the job was told whenever it has forgotten. Nothing when the
    /// writer it is pinned to is gone, and another is there; `own` is the writer of this program.
    async fn drive(
        &self,
        submission: &Submission,
        place: &Place,
        (plan, own): (&Arc<Plan>, &str),
    ) -> Result<Option<Ended>, ScheduleError> {
        let weight = Arc::new(AtomicU64::new(1));
        let dispatch = Dispatch {
            job: submission.job.clone(),
            plan: Arc::clone(plan),
            place: place.clone(),
            queue: Arc::clone(&self.scheduler.queue),
            ledger: Arc::clone(&self.scheduler.ledger),
            clock: Arc::clone(&self.scheduler.clock),
            stop: self.reign.stop.child(),
            windows: Arc::clone(&self.reign.windows),
            tenant: Some(self.open.tenant.clone()),
            weight: Arc::clone(&weight),
        };
        loop {
            let orders = self.records.orders(submission).await?;
            weight.store(u64::from(orders.priority) + 1, Ordering::Relaxed);
            self.fund(place, plan, &orders).await?;
            self.scheduler.ledger.set_run_state(&submission.job, RunState::of(&orders)).await?;
            self.scheduler.ledger.pin(&submission.job, &plan.writer).await?;
            let ended = tokio::select! {
                ended = dispatch.run() => ended?,
                () = self.deserted(plan, own) => return Ok(None),
                never = self.listen(submission, (place, plan), &weight) => match never {},
            };
            if ended != Ended::Forgotten {
                return Ok(Some(ended));
            }
        }
    }

    /// Hears of commands while the job is driven: whoever gave one told the ledger too, unless it was away, or has come back
    /// without its last second. So it is told again and again; what it knows changes nothing.
    async fn listen(&self, submission: &Submission, job: (&Place, &Plan), weight: &AtomicU64) -> Infallible {
        let clock = &self.scheduler.clock;
        let mut heard = None;
        loop {
            match self.records.orders(submission).await {
                Ok(orders) => {
                    weight.store(u64::from(orders.priority) + 1, Ordering::Relaxed);
                    match self.follow(submission, job, (&orders, heard != Some(orders))).await {
                        Ok(()) => heard = Some(orders),
                        Err(error) => tracing::warn!("a command waits: {error}"),
                    }
                }
                Err(error) => tracing::warn!("commands cannot be read: {error}"),
            }
            clock.sleep_until(clock.now_ms().saturating_add(LISTEN_MS)).await;
        }
    }

    /// Does what the job was told. The money first: what goes on may want to spend it.
    async fn follow(
        &self,
        submission: &Submission,
        (place, plan): (&Place, &Plan),
        (orders, is_new): (&Orders, bool),
    ) -> Result<(), ScheduleError> {
        self.fund(place, plan, orders).await?;
        self.scheduler.ledger.set_run_state(&submission.job, RunState::of(orders)).await?;
        if is_new { self.noted(submission, orders).await } else { Ok(()) }
    }

    /// What is done once for each command.
    async fn noted(&self, submission: &Submission, orders: &Orders) -> Result<(), ScheduleError> {
        if orders.is_waiting() {
            self.tell_of_pause(submission, orders).await?;
        }
        Ok(())
    }

    /// Waits until the job is to be pinned to another writer.
    async fn deserted(&self, plan: &Plan, own: &str) {
        let clock = &self.scheduler.clock;
        loop {
            clock.sleep_until(clock.now_ms().saturating_add(LISTEN_MS)).await;
            match self.crews(plan).await {
                Ok(crews) if pin(&plan.writer, own, &crews) != plan.writer => return,
                Ok(_) => {}
                Err(error) => tracing::warn!("nobody knows who works: {error}"),
            }
        }
    }

    /// Makes the ending durable, then closes. The ledger forgets first: a retry that comes right after the ending finds no
    /// attempts of before.
    async fn end(&self, orders: &Orders, wanted: Ending) -> Result<Way, ScheduleError> {
        let spent = self.spent().await.unwrap_or_else(|error| {
            tracing::warn!("nobody knows what the job has spent: {error}");
            None
        });
        let wanted = Ending { ended_ms: self.scheduler.clock.unix_ms(), spent, ..wanted };
        self.scheduler.ledger.forget(&self.open.job).await?;
        let ending = self.records.end(&self.open.job, orders.retries, &wanted).await?;
        self.scheduler.metrics.job_ended(ending.state);
        match &ending.message {
            Some(reason) => {
                trace::fail(&Span::current(), reason);
                tracing::warn!(state = ending.state.as_str(), "the job has ended: {reason}");
            }
            None => tracing::info!(state = ending.state.as_str(), "the job has ended"),
        }
        self.conclude(orders.retries, &ending).await?;
        self.close(orders).await
    }

    async fn close(&self, orders: &Orders) -> Result<Way, ScheduleError> {
        self.scheduler.ledger.forget(&self.open.job).await?;
        self.forget_budget().await?;
        self.records.close(&self.open.job, orders.retries).await?;
        Ok(Way::Closed)
    }
}

/// How often commands are looked for in the store, in milliseconds: the ledger's own word is quicker.
const LISTEN_MS: u64 = 5_000;

fn ending(state: JobState, message: Option<String>) -> Ending {
    Ending { state, message, ended_ms: 0, made: Made::default(), manifest: None, spent: None }
}

fn published(manifest: &Manifest, success: &Success) -> Ending {
    Ending { made: manifest.made(), manifest: Some(success.manifest), ..ending(JobState::Succeeded, None) }
}
