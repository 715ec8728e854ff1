//! What is done once a job is over, and before it is closed: every step may be repeated by the next leader.

use shardmill_shared::job::{Ending, JobState, Layout, Orders, Submission};
use shardmill_shared::store::{PlaceError, StoreError};

use super::Course;
use crate::herald::{Event, announce};
use crate::{ScheduleError, keep};

impl Course {
    /// Tells webhooks, marks what is left of a job that failed, and removes versions beyond those that are to be kept.
    pub(super) async fn conclude(&self, retries: u32, ending: &Ending) -> Result<(), ScheduleError> {
        let job = &self.open.job;
        let (root, tenant) = (&self.scheduler.root, &self.open.tenant);
        let Some(submission) = self.records.submission(job).await? else { return Ok(()) };
        self.tell(&submission, Event::Ended(retries, ending)).await?;
        if ending.state != JobState::Succeeded {
            return keep::mark(root, tenant, (job, ending.ended_ms)).await;
        }
        let Some(most) = submission.afterwards.keep else { return Ok(()) };
        match keep::retain(root, tenant, (&submission.dataset, most)).await {
            // The version is published all the same; an operator must allow it, and then the next job does it.
            Err(ScheduleError::Place(PlaceError::Store(error @ StoreError::Permission { .. }))) => {
                tracing::error!(job.id = %job, "old versions of `{}` stay: {error}", submission.dataset);
                Ok(())
            }
            end => end.map(|_| ()),
        }
    }

    /// Tells webhooks that the job is paused, once for each pause.
    pub(super) async fn tell_of_pause(&self, submission: &Submission, orders: &Orders) -> Result<(), ScheduleError> {
        let reason = if orders.is_paused { "user" } else { "budget" };
        self.tell(submission, Event::Paused(orders.pauses, self.scheduler.clock.unix_ms(), reason)).await
    }

    async fn tell(&self, submission: &Submission, event: Event<'_>) -> Result<(), ScheduleError> {
        if submission.afterwards.notify.is_empty() {
            return Ok(());
        }
        let version = self.records.place(&self.open.job).await?.and_then(|place| match place.layout {
            Layout::Root { version, .. } => Some(version),
            Layout::Folder => None,
        });
        announce(&self.records, &self.scheduler.root, submission, (event, version)).await?;
        self.reign.bell.notify_one();
        Ok(())
    }
}
