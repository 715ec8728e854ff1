//! The worker's loop: take, begin, run, report, acknowledge. Every step may run twice.

use std::sync::Arc;

use shardmill_shared::job::{Made, Outcome, Pool};
use shardmill_shared::ledger::{Beat, Begin, LEASE_MS, Lease, Ledger, WorkerId};
use shardmill_shared::process::{Clock, Stop};
use shardmill_shared::queue::{Delivery, Message, Queue, QueueError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::attempt::Attempt;
use crate::error::HandleError;
use crate::execute::Execute;
use crate::limits::{PAUSE_MS, PIPELINE_PER_SLOT};
use crate::pipe::Counters;
use crate::{AttemptError, JobContext, Jobs};

/// A worker. Clones are the same worker.
#[derive(Clone)]
pub struct Worker {
    /// Its name in leases: one per process start.
    pub id: WorkerId,
    /// The pool it serves.
    pub pool: Pool,
    /// Where addresses of shards come from.
    pub queue: Arc<dyn Queue>,
    /// Where leases come from.
    pub ledger: Arc<dyn Ledger>,
    /// Where it learns of jobs.
    pub jobs: Arc<dyn Jobs>,
    /// What runs shards.
    pub executor: Arc<dyn Execute>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The order to stop: running attempts end at their next batch.
    pub stop: Stop,
    /// How often running attempts tell how far they are, in milliseconds; at most a third of a lease.
    pub beat_ms: u64,
}

/// The permits of one attempt.
struct Permits {
    /// Held until the rows are made.
    slot: OwnedSemaphorePermit,
    /// Held until the attempt is reported.
    pipeline: OwnedSemaphorePermit,
}

impl Worker {
    /// Runs shards, `slots` at a time, until it is told to stop or the queue is closed; then ends what is running.
    pub async fn run(&self, slots: usize) {
        let slots = slots.max(1);
        let slot = Arc::new(Semaphore::new(slots));
        let pipeline = Arc::new(Semaphore::new(slots * (1 + PIPELINE_PER_SLOT)));
        let mut attempts = JoinSet::new();
        loop {
            let next = async {
                let permits = Permits { pipeline: acquire(&pipeline).await, slot: acquire(&slot).await };
                (permits, self.take().await)
            };
            let (permits, delivery) = tokio::select! {
                biased;
                () = self.stop.wait() => break,
                next = next => next,
            };
            let Some(delivery) = delivery else { break };
            while attempts.try_join_next().is_some() {}
            let worker = self.clone();
            attempts.spawn(async move { worker.handle(delivery, permits).await });
        }
        while attempts.join_next().await.is_some() {}
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
        let message = &delivery.message;
        if let Err(error) = self.begin_and_run(message, permits).await {
            tracing::warn!(job.id = %message.job, shard.id = %message.shard, "a message comes again: {error}");
            return self.pause().await;
        }
        if let Err(error) = delivery.ack().await {
            tracing::warn!("a message may come again: {error}");
        }
    }

    async fn begin_and_run(&self, message: &Message, permits: Permits) -> Result<(), HandleError> {
        let Some(job) = self.jobs.find(&message.job).await? else { return Ok(()) };
        // `Mine` is a message that came twice to this worker: the lease answers for the shard, and should the running
        // attempt die with it, the scheduler asks again.
        let Begin::Go(fence) = self.ledger.begin(&message.job, &message.shard, &self.id).await? else { return Ok(()) };
        let lease = Lease { job: message.job.clone(), shard: message.shard.clone(), fence };
        let Permits { slot, pipeline } = permits;
        let outcome = match self.earlier_outcome(&job, message).await {
            Some(outcome) => outcome,
            None => self.run_leased(&job, &lease, slot).await,
        };
        self.ledger.report(&lease, &outcome).await?;
        drop(pipeline);
        Ok(())
    }

    /// What an earlier attempt committed without the ledger hearing of it.
    async fn earlier_outcome(&self, job: &JobContext, message: &Message) -> Option<Outcome> {
        if message.attempt == 1 {
            return None;
        }
        let commit = Attempt::earlier_commit(job, &message.shard).await.ok().flatten()?;
        Some(Outcome::Committed(Made::from(&commit)))
    }

    async fn run_leased(&self, job: &Arc<JobContext>, lease: &Lease, slot: OwnedSemaphorePermit) -> Outcome {
        let counters = Arc::<Counters>::default();
        let own_stop = self.stop.child();
        let running = Attempt {
            job: Arc::clone(job),
            shard: lease.shard.clone(),
            executor: Arc::clone(&self.executor),
            counters: Arc::clone(&counters),
            stop: own_stop.clone(),
        };
        let end = tokio::select! {
            end = running.run(slot) => end,
            () = self.keep(lease, &counters, &own_stop) => Err(AttemptError::Stopped),
        };
        end.map_or_else(|error| error.outcome(), |commit| Outcome::Committed(Made::from(&commit)))
    }

    /// Keeps the lease with heartbeats. When it is over, tells the attempt to stop, and ends when that takes longer than
    /// another lease.
    async fn keep(&self, lease: &Lease, counters: &Counters, own_stop: &Stop) {
        let mut until_ms = self.clock.now_ms().saturating_add(LEASE_MS);
        while self.clock.now_ms() < until_ms {
            self.clock.sleep_until(self.clock.now_ms().saturating_add(self.beat_ms)).await;
            let asked_ms = self.clock.now_ms();
            match self.ledger.heartbeat(lease, counters.made()).await {
                Ok(Beat::Continue) => until_ms = asked_ms.saturating_add(LEASE_MS),
                Ok(Beat::Stop) => break,
                Err(error) => tracing::warn!(shard.id = %lease.shard, "no heartbeat: {error}"),
            }
        }
        own_stop.set();
        self.clock.sleep_until(self.clock.now_ms().saturating_add(LEASE_MS)).await;
    }
}

async fn acquire(permits: &Arc<Semaphore>) -> OwnedSemaphorePermit {
    Arc::clone(permits).acquire_owned().await.expect("nobody closes the semaphore")
}
