//! The worker's loop: take, begin, run, report, acknowledge. Every step may run twice.

use std::sync::Arc;
use std::time::Duration;

use shardmill_shared::job::{Commit, Made, Outcome, Pool};
use shardmill_shared::ledger::{Beat, Begin, Company, LEASE_MS, Lease, Ledger, PRESENT_MS, Runner, WorkerId};
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, Stop, trace};
use shardmill_shared::queue::{Delivery, Message, Queue, QueueError};
use tokio::sync::{OwnedSemaphorePermit, RwLock, Semaphore};
use tokio::task::JoinSet;
use tracing::{Instrument, Span, debug_span};

use crate::attempt::Attempt;
use crate::error::HandleError;
use crate::limits::{PAUSE_MS, PIPELINE_PER_SLOT, RUN_MS};
use crate::pipe::Counters;
use crate::{AttemptError, JobContext, Jobs};

/// A worker. Clones are the same worker.
#[derive(Clone)]
pub struct Worker {
    /// Its name in leases: one per process start.
    pub id: WorkerId,
    /// Whose bytes it writes: attempts of one writer write identical files.
    pub writer: String,
    /// The pool it serves.
    pub pool: Pool,
    /// Where addresses of shards come from.
    pub queue: Arc<dyn Queue>,
    /// Where leases come from.
    pub ledger: Arc<dyn Ledger>,
    /// Where it learns of jobs.
    pub jobs: Arc<dyn Jobs>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The order to take no more; what runs is run to its end.
    pub drain: Stop,
    /// The order to stop: running attempts end at their next batch.
    pub stop: Stop,
    /// Held by every attempt from its lease to its report, and by one that must run alone for itself; shared by all workers of
    /// a process.
    pub together: Arc<RwLock<()>>,
    /// How often running attempts tell how far they are, in milliseconds; at most a third of a lease.
    pub beat_ms: u64,
    /// Where it counts what it does.
    pub metrics: Metrics,
}

/// The permits of one message.
struct Permits {
    /// Held until the rows are made.
    slot: Slot,
    /// Held until the message is acknowledged.
    pipeline: OwnedSemaphorePermit,
}

/// The permit to make rows, which the shards of a run share.
pub(crate) type Slot = Arc<OwnedSemaphorePermit>;

impl Worker {
    /// Runs shards, `slots` at a time, until it is told to stop or the queue is closed; then ends what is running.
    pub async fn run(&self, slots: usize) {
        let slots = slots.max(1);
        let slot = Arc::new(Semaphore::new(slots));
        let pipeline = Arc::new(Semaphore::new(in_hand(slots)));
        let mut attempts = JoinSet::new();
        let presence = tokio::spawn(self.clone().presence(slots));
        self.metrics.worker_begins(self.pool);
        loop {
            let next = async {
                let permits = Permits { pipeline: acquire(&pipeline).await, slot: Arc::new(acquire(&slot).await) };
                (permits, self.take().await)
            };
            let (permits, delivery) = tokio::select! {
                biased;
                () = self.stop.wait() => break,
                () = self.drain.wait() => break,
                next = next => next,
            };
            let Some(delivery) = delivery else { break };
            while attempts.try_join_next().is_some() {}
            attempts.spawn(self.clone().handle(delivery, permits));
        }
        presence.abort();
        // Nobody counts on a worker that is leaving; that it is gone follows from its silence too.
        if let Err(error) = self.ledger.gone(&self.id).await {
            tracing::warn!("the ledger could not be told that this worker takes no more: {error}");
        }
        while attempts.join_next().await.is_some() {}
    }

    /// What all lines of an attempt and all steps of its trace belong to. A trace of its own, which points to the job's:
    /// of a million shards few are kept.
    fn span(&self, message: &Message) -> Span {
        let Message { job, shard, attempt, .. } = message;
        // Of the highest level: its fields belong to every line of the attempt, however little is written.
        let span = tracing::error_span!("shard", job.id = %job, shard.id = %shard, attempt, worker = self.id.0);
        trace::link(&span, message.trace.as_deref());
        span
    }

    /// Tells the ledger again and again that this worker lives.
    async fn presence(self, slots: usize) {
        loop {
            if let Err(error) = self.ledger.present(&self.id, &self.writer, self.pool, slots as u32).await {
                tracing::warn!("the ledger could not be told that this worker lives: {error}");
            }
            self.clock.sleep_until(self.clock.now_ms().saturating_add(PRESENT_MS / 3)).await;
        }
    }

    /// The next message; nothing once the queue is closed.
    async fn take(&self) -> Option<Delivery> {
        loop {
            match self.queue.take(self.pool).await {
                Ok(delivery) => return Some(delivery),
                Err(QueueError::Closed) => return None,
                Err(error) => {
                    tracing::warn!("no shard can be taken: {error}");
                    self.pause().await;
                }
            }
        }
    }

    async fn pause(&self) {
        self.clock.sleep_until(self.clock.now_ms().saturating_add(PAUSE_MS)).await;
    }

    /// Sees one message through. A message whose shard another lease or commit answers for is forgotten; one that could
    /// not be judged comes again.
    async fn handle(self, delivery: Delivery, permits: Permits) {
        let Permits { slot, pipeline } = permits;
        if self.run_all(&delivery.message, slot).await.is_err() {
            return self.pause().await;
        }
        if let Err(error) = delivery.ack().await {
            tracing::warn!("a message may come again: {error}");
        }
        drop(pipeline);
    }

    /// The shards of a message, one after the other. What is left of a run that takes long, or whose worker is to end, goes
    /// back as a message of its own.
    async fn run_all(&self, run: &Message, slot: Slot) -> Result<(), HandleError> {
        let until_ms = self.clock.now_ms().saturating_add(RUN_MS);
        let mut slot = Some(slot);
        for (place, message) in (0..).zip(run.shards()) {
            let is_over = self.drain.is_set() || self.stop.is_set() || self.clock.now_ms() > until_ms;
            if place > 0 && is_over {
                return Ok(self.queue.publish(self.pool, &run.after(place)).await?);
            }
            // With the rows of the last one its slot is free, whatever became of their commit.
            let shared = if place == run.more { slot.take() } else { slot.clone() };
            let span = self.span(&message);
            let handled = async {
                let end = self.begin_and_run(&message, shared).await;
                end.inspect_err(|error| {
                    trace::fail(&Span::current(), &error.to_string());
                    tracing::warn!("a message comes again: {error}");
                })
            };
            handled.instrument(span).await?;
        }
        Ok(())
    }

    /// A lease is held only while the shard may run: beside others, or, when the ledger suspects it of ending workers, alone.
    async fn begin_and_run(&self, message: &Message, slot: Option<Slot>) -> Result<(), HandleError> {
        let beside = self.together.read().await;
        let begun = self.begin(message, Company::Others).await?;
        if begun != Begin::Alone {
            return self.follow(begun, message, slot).await;
        }
        drop(beside);
        let _alone = self.together.write().await;
        let begun = self.begin(message, Company::None).await?;
        self.follow(begun, message, slot).await
    }

    async fn begin(&self, message: &Message, company: Company) -> Result<Begin, HandleError> {
        let runner = Runner { worker: self.id.clone(), writer: self.writer.clone(), company };
        let begin = self.ledger.begin(&message.job, &message.shard, &runner);
        Ok(begin.instrument(debug_span!("begin")).await?)
    }

    async fn follow(&self, begun: Begin, message: &Message, slot: Option<Slot>) -> Result<(), HandleError> {
        let fence = match begun {
            Begin::Go(fence) => fence,
            Begin::OtherWriter => return self.leave_to_fellows(message).await,
            // `Mine` is a message that came twice to this worker: the lease answers for the shard, and should the running
            // attempt die with it, the scheduler asks again.
            Begin::Mine(_) | Begin::Alone | Begin::Busy | Begin::Done | Begin::Stopped => {
                self.metrics.message_needless(self.pool);
                return Ok(());
            }
        };
        let begun_ms = self.clock.now_ms();
        let lease = Lease { job: message.job.clone(), shard: message.shard.clone(), fence };
        let outcome = self.run_leased(message, &lease, slot).await;
        self.ledger.report(&lease, &outcome).instrument(debug_span!("report")).await?;
        if let Outcome::Committed(made) = outcome {
            let took = Duration::from_millis(self.clock.now_ms().saturating_sub(begun_ms));
            tracing::debug!(rows = made.rows, bytes = made.bytes, "committed");
            self.metrics.shard_done(self.pool, made, took);
        }
        if outcome == Outcome::Stopped && self.stop.is_set() {
            // Given back uncounted: somebody else begins it at once.
            self.queue.publish(self.pool, message).await?;
        }
        Ok(())
    }

    /// Puts a message behind the others, slowly: it may be this worker again that takes it.
    async fn leave_to_fellows(&self, message: &Message) -> Result<(), HandleError> {
        self.pause().await;
        Ok(self.queue.publish(self.pool, message).await?)
    }

    async fn run_leased(&self, message: &Message, lease: &Lease, slot: Option<Slot>) -> Outcome {
        let counters = Arc::<Counters>::default();
        let own_stop = self.stop.child();
        let run = async {
            let job = self.find(message).await?;
            if let Some(commit) = earlier_commit(&job, message).await {
                return Ok(commit);
            }
            let lease = lease.clone();
            Attempt { job, lease, counters: Arc::clone(&counters), stop: own_stop.clone() }.run(slot).await
        };
        let end = tokio::select! {
            end = run => end,
            () = self.keep(lease, &counters, &own_stop) => Err(AttemptError::Stopped),
        };
        end.map_or_else(|error| self.in_vain(&error), |commit| Outcome::Committed(Made::from(&commit)))
    }

    fn in_vain(&self, error: &AttemptError) -> Outcome {
        match error {
            AttemptError::Stopped => self.metrics.shard_stopped(self.pool),
            error => {
                self.metrics.shard_failed(self.pool, error.class().as_str());
                trace::fail(&Span::current(), &error.to_string());
                tracing::warn!("the attempt failed: {error}");
            }
        }
        error.outcome()
    }

    /// The job of a message. Asked for under the lease, so that one which cannot be run here is a failed attempt and not a
    /// message that comes again for ever.
    async fn find(&self, message: &Message) -> Result<Arc<JobContext>, AttemptError> {
        let found = self.jobs.find(message).await?;
        found.ok_or_else(|| AttemptError::Unknown(message.job.clone()))
    }

    /// Keeps the lease with heartbeats. When it is over, tells the attempt to stop, and ends when that takes longer than
    /// another lease.
    async fn keep(&self, lease: &Lease, counters: &Counters, own_stop: &Stop) {
        let mut until_ms = self.clock.now_ms().saturating_add(LEASE_MS);
        while self.clock.now_ms() < until_ms {
            tokio::select! {
                () = self.clock.sleep_until(self.clock.now_ms().saturating_add(self.beat_ms)) => {}
                // The process ends: an attempt that hangs at its store is given back, not left to die with its lease.
                () = own_stop.wait() => return self.clock.sleep_until(self.clock.now_ms().saturating_add(LEASE_MS / 3)).await,
            }
            let asked_ms = self.clock.now_ms();
            match self.ledger.heartbeat(lease, counters.made()).await {
                Ok(Beat::Continue) => until_ms = asked_ms.saturating_add(LEASE_MS),
                Ok(Beat::Stop) => break,
                Err(error) => tracing::warn!("no heartbeat: {error}"),
            }
        }
        own_stop.set();
        self.clock.sleep_until(self.clock.now_ms().saturating_add(LEASE_MS)).await;
    }
}

/// How many messages a worker of so many slots has in hand: those it runs and those whose commit is under way.
pub fn in_hand(slots: usize) -> usize {
    slots.max(1) * (1 + PIPELINE_PER_SLOT)
}

/// What an earlier attempt committed without the ledger hearing of it.
async fn earlier_commit(job: &JobContext, message: &Message) -> Option<Commit> {
    if message.attempt == 1 {
        return None;
    }
    Attempt::earlier_commit(job, &message.shard).await.ok().flatten()
}

async fn acquire(permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(permits).acquire_owned().await.expect("nobody closes the semaphore")
}
