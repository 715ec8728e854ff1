//! Removes versions that nobody is to read any more: those beyond the newest of a dataset, and what failed and cancelled jobs
//! left. Each is marked first and loses its `_SUCCESS` before its data, so it is there whole or not at all, and whoever dies
//! half-way is followed by another.

use std::num::NonZeroU32;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use shardmill_shared::job::{Ending, JobId, JobState, Key, Layout, Made, Name, ObjectPath, Success};
use shardmill_shared::store::{JobRecords, Place, Store};

use crate::ScheduleError;
use crate::limits::READS;
use crate::version::{Claim, claimed};

mod upkeep;

pub(crate) use upkeep::Upkeep;

/// Removes the versions of a dataset that are older than the newest `keep` ones; returns how many. The newest stays.
///
/// # Errors
/// When the store fails: to be repeated, it goes on where it was.
pub async fn retain(
    root: &Arc<dyn Store>,
    tenant: &Name,
    (dataset, keep): (&Name, NonZeroU32),
) -> Result<u64, ScheduleError> {
    let store = Arc::clone(JobRecords::of(root, tenant).store());
    let mut numbers = claimed(&store, dataset).await?;
    numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
    let (mut published, mut removed) = (0, 0);
    for version in numbers {
        let claims = Place { store: Arc::clone(&store), layout: Layout::Folder };
        let key = Key::Version(dataset.clone(), version);
        let Some(Claim { job, .. }) = claims.find(&key).await? else { continue };
        let layout = Layout::Root { job: job.clone(), dataset: dataset.clone(), version };
        let place = Place { layout, ..claims.clone() };
        if place.find::<Success>(&Key::Success).await?.is_none() {
            continue;
        }
        published += 1;
        if published > keep.get() {
            // Due at once: whoever finds it without its `_SUCCESS` removes the rest.
            mark(root, tenant, (&job, 0)).await?;
            remove(&place).await?;
            // No number is claimed twice as long as a newer one is there.
            store.delete(&claims.path(&key)).await?;
            root.delete(&Layout::Folder.path(&Key::Leftover(0, tenant.clone(), job))).await?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Marks what a job left that failed or was cancelled, to be removed after a grace period.
///
/// # Errors
/// When the store fails.
pub async fn mark(root: &Arc<dyn Store>, tenant: &Name, (job, ended_ms): (&JobId, u64)) -> Result<(), ScheduleError> {
    let path = Layout::Folder.path(&Key::Leftover(ended_ms, tenant.clone(), job.clone()));
    Ok(root.put(&path, bytes::Bytes::new()).await?)
}

/// Removes what is marked and whose job ended before a time, in milliseconds since 1970; returns how many versions.
///
/// # Errors
/// When the store fails: to be repeated, it goes on where it was.
pub async fn sweep(root: &Arc<dyn Store>, ended_before_ms: u64) -> Result<u64, ScheduleError> {
    let mut swept = 0;
    let mut listing = root.list(Some(&Layout::Folder.path(&Key::Leftovers))).await?;
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(swept);
        }
        for entry in page {
            let Some((ended_ms, tenant, job)) = marked(&entry.path) else { continue };
            if ended_ms >= ended_before_ms {
                return Ok(swept);
            }
            swept += u64::from(sweep_one(root, &tenant, (&job, ended_ms)).await?);
            root.delete(&entry.path).await?;
        }
    }
}

fn marked(path: &ObjectPath) -> Option<(u64, Name, JobId)> {
    let mut parts = path.as_str().rsplit('/');
    let (job, tenant, ended_ms) = (parts.next()?, parts.next()?, parts.next()?);
    Some((ended_ms.parse().ok()?, Name::new(tenant).ok()?, JobId::new(job).ok()?))
}

/// Removes what a marked job left, unless it is of use: the job goes on again, or has published its version.
async fn sweep_one(
    root: &Arc<dyn Store>,
    tenant: &Name,
    (job, ended_ms): (&JobId, u64),
) -> Result<bool, ScheduleError> {
    let records = JobRecords::of(root, tenant);
    let Some(submission) = records.submission(job).await? else { return Ok(false) };
    let retries = records.orders(&submission).await?.retries;
    let Some(ending) = records.ending(job, retries).await? else { return Ok(false) };
    let Some(place) = records.place(job).await? else { return Ok(false) };
    if place.find::<Success>(&Key::Success).await?.is_some() {
        return Ok(false);
    }
    if ending.state == JobState::Failed {
        // Its newer end has a mark of its own.
        if ending.ended_ms > ended_ms {
            return Ok(false);
        }
        // The next retry has ended before it begins: there is nothing left that it could go on from.
        records.end(job, retries + 1, &swept(&ending)).await?;
        if records.orders(&submission).await?.retries != retries {
            return Ok(false);
        }
    }
    remove(&place).await?;
    tracing::info!(job.id = %job, %tenant, "what the job left is removed");
    Ok(true)
}

fn swept(ending: &Ending) -> Ending {
    let message = "the files of the failed job were removed before it was tried again: submit its spec again";
    let (message, made) = (Some(message.to_owned()), Made::default());
    Ending { state: JobState::Failed, message, ended_ms: ending.ended_ms, made, manifest: None, spent: None }
}

/// Removes a version, `_SUCCESS` first.
async fn remove(place: &Place) -> Result<(), ScheduleError> {
    place.store.delete(&place.path(&Key::Success)).await?;
    let Some(folder) = place.layout.version_folder() else { return Ok(()) };
    let mut listing = place.store.list(Some(&folder)).await?;
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(());
        }
        let deletes = futures::stream::iter(page).map(|entry| async move { place.store.delete(&entry.path).await });
        deletes.buffer_unordered(READS).try_collect::<()>().await?;
    }
}

#[cfg(test)]
mod tests;
