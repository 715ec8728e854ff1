//! The commits of a stage, as the store has them.

use futures::stream::{self, Stream, StreamExt};
use shardmill_shared::job::{Commit, Key, ShardId, Stage};
use shardmill_shared::store::Place;

use crate::ScheduleError;
use crate::limits::READS;

/// Reads and checks the commits of the shards `indexes` of `stage`, in that order, a few at a time.
pub(crate) fn read<'a>(
    place: &'a Place,
    stage: &'a Stage,
    indexes: impl Iterator<Item = u64> + Send + 'a,
) -> impl Stream<Item = Result<Commit, ScheduleError>> + Send + 'a {
    stream::iter(indexes).map(move |index| read_one(place, stage, index)).buffered(READS)
}

async fn read_one(place: &Place, stage: &Stage, index: u64) -> Result<Commit, ScheduleError> {
    let key = Key::Commit(ShardId { stage: stage.id.clone(), index });
    let shard = stage.shard(index).ok_or_else(|| ScheduleError::NoCommit(place.path(&key)))?;
    let commit: Commit = place.read(&key).await?;
    commit.check(&shard)?;
    Ok(commit)
}

/// Hands every commit that the store lists for `stage` to `see`.
pub(crate) async fn each_listed(
    place: &Place,
    stage: &Stage,
    mut see: impl AsyncFnMut(Commit) -> Result<(), ScheduleError>,
) -> Result<(), ScheduleError> {
    let folder = place.path(&Key::Commits(stage.id.clone()));
    let mut listing = place.store.list(Some(&folder)).await?;
    loop {
        let page = listing.next_page().await?;
        if page.is_empty() {
            return Ok(());
        }
        let index_of = |name: &str| name.strip_suffix(".json")?.parse::<u64>().ok();
        let mut indexes = Vec::with_capacity(page.len());
        for entry in page.iter().filter(|entry| !entry.path.is_hidden()) {
            let index = index_of(entry.path.file_name());
            indexes.push(index.ok_or_else(|| ScheduleError::NoCommit(entry.path.clone()))?);
        }
        let mut commits = std::pin::pin!(read(place, stage, indexes.into_iter()));
        while let Some(commit) = commits.next().await {
            see(commit?).await?;
        }
    }
}

/// The sum of what the shards of a counting stage counted.
pub(crate) async fn counted(place: &Place, counter: &Stage) -> Result<u64, ScheduleError> {
    let mut total = 0_u64;
    let shards = counter.shards().exact().unwrap_or(0);
    let mut commits = std::pin::pin!(read(place, counter, 0..shards));
    while let Some(commit) = commits.next().await {
        let more = commit?.counted.unwrap_or(0);
        total = total.checked_add(more).ok_or(shardmill_shared::job::PlanError::TooManyRows)?;
    }
    Ok(total)
}
