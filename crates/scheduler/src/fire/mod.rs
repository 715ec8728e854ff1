//! Fires schedules: compares what is due with what was decided, and does the next right thing. A decision is put once under
//! the next number before anything else happens, and the job follows from it: whoever leads next makes the same job.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;
use shardmill_shared::process::Clock;
use shardmill_shared::schedule::{Fire, FireOutcome, Schedule, fire_job};
use shardmill_shared::store::{JobRecords, PlaceError, Put, ScheduleRecords, Scheduled, Store, all_schedules};

use crate::ScheduleError;
use crate::limits::{FIRES_KEPT, READS, SCHEDULES_MS};

mod decide;

pub use decide::{Before, Verdict, due, next_ms, verdict};

/// The schedules of all tenants, in the hands of the scheduler that leads.
#[derive(Debug)]
pub struct Calendar {
    root: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    known: HashMap<Scheduled, Known>,
}

/// What is known of a schedule. Another leader may know more: then a decision is refused, and all is read again.
#[derive(Debug)]
struct Known {
    revision: u64,
    schedule: Schedule,
    last: Option<(u64, Fire)>,
    /// Whether the job of the last fire was seen to exist.
    is_settled: bool,
}

impl Known {
    fn last(&self) -> Option<&Fire> {
        self.last.as_ref().map(|(_, fire)| fire)
    }
}

impl Calendar {
    /// The schedules in the store of all tenants. Nothing is read yet.
    pub fn new(root: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self { root, clock, known: HashMap::new() }
    }

    /// Fires whatever is due, for ever. To be dropped when another leads.
    pub async fn run(mut self) {
        loop {
            if let Err(error) = self.look().await {
                tracing::warn!("schedules cannot be listed: {error}");
            }
            let wait_ms = self.wait_ms();
            self.clock.sleep_until(self.clock.now_ms().saturating_add(wait_ms)).await;
        }
    }

    /// Looks once at every schedule. What cannot be decided now is looked at again the next time.
    ///
    /// # Errors
    /// When the schedules cannot be listed.
    pub async fn look(&mut self) -> Result<(), ScheduleError> {
        let newest = all_schedules(&self.root).await?;
        let mut known = std::mem::take(&mut self.known);
        let of_revision = |known: Option<Known>, revision| known.filter(|known| known.revision == revision);
        let wanted: Vec<_> = newest
            .into_iter()
            .map(|(one, revision)| {
                let known = of_revision(known.remove(&one), revision);
                (one, revision, known)
            })
            .collect();
        let this = &*self;
        let looks = wanted.into_iter().map(|(one, revision, known)| async move {
            match this.look_at(&one, revision, known).await {
                Ok(known) => known.map(|known| (one, known)),
                Err(error) => {
                    tracing::warn!(tenant = %one.tenant, schedule = %one.name, "a schedule waits: {error}");
                    None
                }
            }
        });
        let looked: Vec<_> = futures::stream::iter(looks).buffer_unordered(READS).collect().await;
        self.known = looked.into_iter().flatten().collect();
        Ok(())
    }

    /// Forgets all fires of long ago.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_fires(root: &Arc<dyn Store>) -> Result<(), ScheduleError> {
        for one in all_schedules(root).await?.into_keys() {
            ScheduleRecords::of(root, &one.tenant).forget_fires(&one.name, FIRES_KEPT).await?;
        }
        Ok(())
    }

    /// How long nothing is due, as far as is known.
    fn wait_ms(&self) -> u64 {
        let now_ms = self.clock.unix_ms();
        let next = self.known.values().filter_map(|known| next_ms(&known.schedule, known.last(), now_ms)).min();
        next.map_or(SCHEDULES_MS, |next| next.saturating_sub(now_ms).min(SCHEDULES_MS))
    }

    /// Decides what is due of a schedule; nothing is known of it any more when another leader has decided.
    async fn look_at(
        &self,
        one: &Scheduled,
        revision: u64,
        known: Option<Known>,
    ) -> Result<Option<Known>, ScheduleError> {
        let records = ScheduleRecords::of(&self.root, &one.tenant);
        let mut known = match known {
            Some(known) => known,
            None => {
                let last = records.fires(&one.name, 1).await?.pop();
                let schedule = records.revision(&one.name, revision).await?;
                Known { revision, schedule, last, is_settled: false }
            }
        };
        self.settle(one, &records, &mut known).await?;
        let now_ms = self.clock.unix_ms();
        let Some(due) = due(&known.schedule, known.last(), now_ms) else { return Ok(Some(known)) };
        let outcome = match verdict(known.schedule.overlap, self.before(one, known.last()).await?) {
            Verdict::Wait => return Ok(Some(known)),
            Verdict::Fire => FireOutcome::Job(fire_job(&one.tenant, &one.name, due.at_ms)),
            Verdict::Skip => {
                let Some(last) = known.last() else { return Ok(Some(known)) };
                FireOutcome::Skipped(last.newest_job().clone())
            }
        };
        let fire = Fire { at_ms: due.at_ms, missed: due.missed, revision, decided_ms: now_ms, outcome };
        let number = known.last.as_ref().map_or(1, |(number, _)| number + 1);
        if records.decide(&one.name, number, &fire).await? == Put::AlreadyExists {
            return Ok(None);
        }
        tracing::info!(tenant = %one.tenant, schedule = %one.name, missed = fire.missed, "fires: {:?}", fire.outcome);
        known = Known { last: Some((number, fire)), is_settled: false, ..known };
        self.settle(one, &records, &mut known).await?;
        Ok(Some(known))
    }

    /// Makes sure that the job of the last fire exists: whoever decided it may have died before it did.
    async fn settle(&self, one: &Scheduled, records: &ScheduleRecords, known: &mut Known) -> Result<(), ScheduleError> {
        if known.is_settled {
            return Ok(());
        }
        if let Some((_, Fire { revision, decided_ms, outcome: FireOutcome::Job(job), .. })) = &known.last {
            let jobs = JobRecords::of(&self.root, &one.tenant);
            if jobs.is_open(job).await?.unwrap_or(true) {
                let schedule = records.revision(&one.name, *revision).await?;
                match jobs.submit(&schedule.submission(&one.tenant, &one.name, (job, *decided_ms))).await {
                    Err(PlaceError::Conflict { .. }) => {
                        tracing::error!(job.id = %job, "a job of this id is there already, and is another");
                    }
                    submitted => submitted?,
                }
            }
        }
        known.is_settled = true;
        Ok(())
    }

    async fn before(&self, one: &Scheduled, last: Option<&Fire>) -> Result<Before, ScheduleError> {
        let Some(last) = last else { return Ok(Before::Over) };
        let is_open = JobRecords::of(&self.root, &one.tenant).is_open(last.newest_job()).await?;
        Ok(if is_open == Some(true) { Before::Open } else { Before::Over })
    }
}
