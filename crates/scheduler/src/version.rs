//! The versions of a dataset in a store root: a number is claimed by conditional create, before anything is written under it.

use serde::{Deserialize, Serialize};
use shardmill_shared::job::{Digest, JobId, Key, Layout, Name, NameError, Success, encode};
use shardmill_shared::store::{Place, PlaceError, Put, Store};
use std::sync::Arc;

use crate::ScheduleError;
use crate::limits::CLAIMS;

/// The claim to a version number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The job that makes the version.
    pub job: JobId,
    /// The digest of its canonical spec.
    pub spec: Digest,
}

/// The content of `latest.json`: the highest version with `_SUCCESS`, as a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latest {
    /// The version's number.
    pub version: u64,
}

/// Where a local job of that spec works: the newest version when that is one of the same spec, else a new one.
///
/// # Errors
/// When the store fails, or too many rivals claim at the same time.
pub async fn claim(store: &Arc<dyn Store>, dataset: &Name, spec: Digest) -> Result<Layout, ScheduleError> {
    first_of(store, dataset, |version| Claim { job: job_of(dataset, version), spec }).await
}

/// Where a job of a cluster works: the newest version when the job has claimed that before, else the next. A number that
/// was claimed by a scheduler that died before it placed the job may stay empty.
///
/// # Errors
/// When the store fails, or too many rivals claim at the same time.
pub async fn claim_for(
    store: &Arc<dyn Store>,
    dataset: &Name,
    (job, spec): (&JobId, Digest),
) -> Result<Layout, ScheduleError> {
    first_of(store, dataset, |_| Claim { job: job.clone(), spec }).await
}

/// The first number, from the newest on, whose claim is the wanted one.
async fn first_of(
    store: &Arc<dyn Store>,
    dataset: &Name,
    wanted: impl Fn(u64) -> Claim,
) -> Result<Layout, ScheduleError> {
    let newest = newest(store, dataset).await?;
    for version in newest.max(1)..=newest.saturating_add(CLAIMS) {
        let claim = wanted(version);
        let layout = Layout::Root { job: claim.job.clone(), dataset: dataset.clone(), version };
        let path = layout.path(&Key::Version(dataset.clone(), version));
        let put = store.put_once(&path, encode(&claim).into()).await?;
        if put == Put::Created || read(store, &layout, version).await? == claim {
            return Ok(layout);
        }
    }
    Err(ScheduleError::Unclaimed(dataset.to_string()))
}

/// Moves `latest.json` forward to the version of `place`; never back. In a folder there is nothing to move.
///
/// # Errors
/// When the store fails.
pub async fn advance_latest(place: &Place) -> Result<(), ScheduleError> {
    let Layout::Root { dataset, version, .. } = &place.layout else { return Ok(()) };
    let key = Key::Latest(dataset.clone());
    let latest: Option<Latest> = match place.find(&key).await {
        Err(PlaceError::Damaged { .. }) => None,
        found => found?,
    };
    if latest.is_some_and(|latest| latest.version >= *version) {
        return Ok(());
    }
    place.put(&key, &Latest { version: *version }).await?;
    // A later version may have been published since that look, and its word been replaced by this one.
    let mut later = claimed(&place.store, dataset).await?;
    later.retain(|number| number > version);
    later.sort_unstable();
    for version in later.into_iter().rev() {
        if is_published(place, version).await? {
            place.put(&key, &Latest { version }).await?;
            break;
        }
    }
    Ok(())
}

/// Whether another version of the same dataset is there.
async fn is_published(place: &Place, version: u64) -> Result<bool, ScheduleError> {
    let mut layout = place.layout.clone();
    if let Layout::Root { version: number, .. } = &mut layout {
        *number = version;
    }
    let other = Place { store: Arc::clone(&place.store), layout };
    Ok(other.find::<Success>(&Key::Success).await?.is_some())
}

/// The highest number that was claimed; 0 when none was.
async fn newest(store: &Arc<dyn Store>, dataset: &Name) -> Result<u64, ScheduleError> {
    Ok(claimed(store, dataset).await?.into_iter().max().unwrap_or(0))
}

/// Every number that was claimed, in no order.
pub(crate) async fn claimed(store: &Arc<dyn Store>, dataset: &Name) -> Result<Vec<u64>, ScheduleError> {
    let folder = Layout::Folder.path(&Key::Versions(dataset.clone()));
    let mut listing = store.list(Some(&folder)).await?;
    let mut numbers = Vec::new();
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(numbers);
        }
        let number = |name: &str| name.strip_suffix(".json")?.parse::<u64>().ok();
        numbers.extend(page.iter().filter_map(|entry| number(entry.path.file_name())));
    }
}

async fn read(store: &Arc<dyn Store>, layout: &Layout, version: u64) -> Result<Claim, ScheduleError> {
    let place = Place { store: Arc::clone(store), layout: layout.clone() };
    let Layout::Root { dataset, .. } = layout else { return Err(ScheduleError::Unclaimed(String::new())) };
    Ok(place.read(&Key::Version(dataset.clone(), version)).await?)
}

/// The id of the local job that makes a version: the same at every start, so that it can be resumed.
fn job_of(dataset: &Name, version: u64) -> JobId {
    let digest = Digest::of(format!("{dataset}/{version}").as_bytes()).to_string();
    let id: Result<JobId, NameError> = JobId::new(&format!("local-{}", &digest[..16]));
    id.expect("hexadecimal digits are allowed in a name")
}

#[cfg(test)]
mod tests {
    use shardmill_shared::store::MemoryStore;

    use super::*;

    fn number(layout: &Layout) -> u64 {
        match layout {
            Layout::Root { version, .. } => *version,
            Layout::Folder => 0,
        }
    }

    #[tokio::test]
    async fn a_spec_keeps_its_version_until_another_comes() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let shop = Name::new("shop").expect("allowed");
        let mut versions = Vec::new();
        for spec in ["a", "a", "b", "b", "a"] {
            let layout = claim(&store, &shop, Digest::of(spec.as_bytes())).await.expect("claims");
            versions.push(number(&layout));
        }
        assert_eq!(versions, [1, 1, 2, 2, 3]);
    }

    #[tokio::test]
    async fn latest_only_moves_forward() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let dataset = Name::new("shop").expect("allowed");
        for (version, expected) in [(2, 2), (1, 2), (3, 3)] {
            let layout = Layout::Root { job: job_of(&dataset, version), dataset: dataset.clone(), version };
            let place = Place { store: Arc::clone(&store), layout };
            advance_latest(&place).await.expect("moves");
            let latest: Latest = place.read(&Key::Latest(dataset.clone())).await.expect("is there");
            assert_eq!(latest.version, expected);
        }
    }

    #[tokio::test]
    async fn latest_is_not_put_back_by_one_that_looked_before() {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let (dataset, spec) = (Name::new("shop").expect("allowed"), Digest::of(b"a"));
        let mut places = Vec::new();
        for spec in [spec, Digest::of(b"b")] {
            let layout = claim(&store, &dataset, spec).await.expect("claims");
            places.push(Place { store: Arc::clone(&store), layout });
        }
        let success = Success { manifest: spec, spec };
        places[1].settle(&Key::Success, &success).await.expect("publishes");
        // The word of the second was replaced, or is yet to come: either way the first knows.
        advance_latest(&places[0]).await.expect("moves");
        let latest: Latest = places[0].read(&Key::Latest(dataset)).await.expect("is there");
        assert_eq!(latest.version, 2);
    }
}
