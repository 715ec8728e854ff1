//! The scheduler's role in a cluster: one leads, and drives every open job; the others wait to take over.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shardmill_shared::job::{Plan, Pool};
use shardmill_shared::ledger::budget::Budgets;
use shardmill_shared::ledger::{Epoch, Ledger, WorkerId};
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, Stop};
use shardmill_shared::queue::Queue;
use shardmill_shared::store::{OpenJob, Store, open_jobs};
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use crate::ScheduleError;
use crate::dispatch::Windows;
use crate::fire::Calendar;
use crate::herald::{Herald, Webhooks};
use crate::keep::Upkeep;
use crate::limits::REIGN_MS;

mod pin;
mod course;

use course::{Course, Reign};

/// What the leadership is called in the ledger.
const LEADERSHIP: &str = "scheduler";

/// Turns a spec into a plan.
pub trait Planner: Send + Sync + Debug {
    /// The plan of a canonical spec. It takes processor time, and may block.
    ///
    /// # Errors
    /// The problems, when this program cannot make what the spec asks for.
    fn plan(&self, spec: &[u8]) -> Result<Plan, String>;
}

/// A scheduler. Several may run; one of them leads.
#[derive(Clone, Debug)]
pub struct Scheduler {
    /// Its name: one per process start.
    pub id: WorkerId,
    /// The store of all tenants.
    pub root: Arc<dyn Store>,
    /// Carries addresses of shards.
    pub queue: Arc<dyn Queue>,
    /// Keeps leases and progress.
    pub ledger: Arc<dyn Ledger>,
    /// Keeps what jobs may spend.
    pub budgets: Arc<dyn Budgets>,
    /// Makes plans.
    pub planner: Arc<dyn Planner>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The order to stop.
    pub stop: Stop,
    /// Whether it leads now, for whoever watches.
    pub leads: Arc<AtomicBool>,
    /// Where it counts what it does.
    pub metrics: Metrics,
    /// How long what failed and cancelled jobs left stays, in milliseconds.
    pub failed_ms: u64,
    /// Whom jobs may tell what becomes of them.
    pub webhooks: Webhooks,
}

impl Scheduler {
    /// Leads whenever nobody else does, until it is told to stop. What is committed stays; the next leader goes on from there.
    pub async fn run(&self) {
        self.metrics.scheduler_begins();
        while !self.stop.is_set() {
            match self.ledger.lead(LEADERSHIP, &self.id).await {
                Ok(Some(epoch)) => {
                    tracing::info!(scheduler = %self.id.0, epoch = epoch.0, "leads");
                    self.leads.store(true, Ordering::Relaxed);
                    self.reign(epoch).await;
                    self.leads.store(false, Ordering::Relaxed);
                }
                Ok(None) => {}
                Err(error) => tracing::warn!("nobody can lead: {error}"),
            }
            self.pause().await;
        }
    }

    /// Drives open jobs while it leads. How long a look at the store takes is no matter: the leadership is kept beside it.
    async fn reign(&self, epoch: Epoch) {
        let (windows, bell) = (Arc::<Windows>::default(), Arc::new(Notify::new()));
        let mut duties = self.duties(&bell);
        let reign = Reign { epoch, stop: self.stop.child(), windows, bell };
        let mut driven = HashMap::new();
        tokio::select! {
            () = self.stop.wait() => {}
            () = self.lead_on(epoch) => {}
            never = self.drive(&reign, &mut driven) => match never {},
            Some(ended) = duties.join_next() => tracing::error!("a duty of the leader ended by itself: {ended:?}"),
        }
        reign.stop.set();
        duties.shutdown().await;
        for (_, task) in driven {
            task.abort();
            let _ = task.await;
        }
        if let Err(error) = self.ledger.resign(LEADERSHIP, &self.id).await {
            tracing::warn!("the leadership is left to run out: {error}");
        }
    }

    /// Keeps the leadership until another has it, or has had it.
    async fn lead_on(&self, epoch: Epoch) {
        loop {
            self.pause().await;
            match self.ledger.lead(LEADERSHIP, &self.id).await {
                Ok(Some(now)) if now == epoch => {}
                Ok(Some(_)) => return tracing::warn!(scheduler = %self.id.0, "the ledger had forgotten who leads"),
                Ok(None) => return tracing::warn!(scheduler = %self.id.0, "another scheduler leads"),
                // While the ledger is away nobody else can lead, and nothing can be decided.
                Err(error) => tracing::warn!("the leadership cannot be kept: {error}"),
            }
        }
    }

    /// Jobs whose driving ended come again, unless they are closed.
    async fn drive(&self, reign: &Reign, driven: &mut HashMap<OpenJob, JoinHandle<()>>) -> Infallible {
        let mut noticed = 0;
        loop {
            driven.retain(|_, task| !task.is_finished());
            if let Err(error) = self.look_around(reign, driven).await {
                tracing::warn!("open jobs cannot be listed: {error}");
            }
            tokio::select! {
                () = self.pause() => {}
                now = self.ledger.wait_any(noticed), if driven.is_empty() => noticed = now,
            }
        }
    }

    /// What the leader does besides driving jobs. Each goes on until it is cut off, at any point.
    fn duties(&self, bell: &Arc<Notify>) -> JoinSet<()> {
        let (root, clock) = (|| Arc::clone(&self.root), || Arc::clone(&self.clock));
        let mut duties = JoinSet::new();
        duties.spawn(Calendar::new(root(), clock()).run());
        duties.spawn(Upkeep { root: root(), clock: clock(), failed_ms: self.failed_ms }.run());
        let (webhooks, bell) = (self.webhooks.clone(), Arc::clone(bell));
        duties.spawn(Herald { root: root(), clock: clock(), webhooks, bell, tries: HashMap::new() }.run());
        duties
    }

    async fn look_around(
        &self,
        reign: &Reign,
        driven: &mut HashMap<OpenJob, JoinHandle<()>>,
    ) -> Result<(), ScheduleError> {
        for pool in [Pool::Generate, Pool::Sql, Pool::Llm] {
            reign.windows.adapt(pool, self.ledger.slots(pool).await?);
        }
        for open in open_jobs(&self.root).await? {
            let course = |open: &OpenJob| tokio::spawn(Course::of(self, open.clone(), reign).run());
            driven.entry(open).or_insert_with_key(course);
        }
        Ok(())
    }

    async fn pause(&self) {
        tokio::select! {
            () = self.clock.sleep_until(self.clock.now_ms().saturating_add(REIGN_MS)) => {}
            () = self.stop.wait() => {}
        }
    }
}

#[cfg(test)]
mod tests;
