//! The commits of a stage, as the store has them.

use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use shardmill_shared::job::{Commit, Key, ShardId, Stage};
use shardmill_shared::store::{Listing, Place};

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
    let commit: Commit = place.find(&key).await?.ok_or_else(|| ScheduleError::Uncommitted(place.path(&key)))?;
    commit.check(&shard)?;
    Ok(commit)
}

/// The commits that the store lists for a stage, a page at a time.
pub(crate) struct Pages<'a> {
    place: &'a Place,
    stage: &'a Stage,
    listing: Box<dyn Listing>,
}

impl<'a> Pages<'a> {
    pub(crate) async fn start(place: &'a Place, stage: &'a Stage) -> Result<Self, ScheduleError> {
        let folder = place.path(&Key::Commits(stage.id.clone()));
        Ok(Self { place, stage, listing: place.store.list(Some(&folder)).await? })
    }

    /// The next commits, at most as many as a page of a listing has; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Vec<Commit>, ScheduleError> {
        let page = self.listing.next_page().await?;
        let index_of = |name: &str| name.strip_suffix(".json")?.parse::<u64>().ok();
        let mut indexes = Vec::with_capacity(page.len());
        for entry in page.iter().filter(|entry| !entry.path.is_hidden()) {
            let index = index_of(entry.path.file_name());
            indexes.push(index.ok_or_else(|| ScheduleError::NoCommit(entry.path.clone()))?);
        }
        read(self.place, self.stage, indexes.into_iter()).try_collect().await
    }
}

/// What each shard of a counting stage counted; settled in the store before anyone acts on it.
pub(crate) async fn sums(place: &Place, counter: &Stage) -> Result<Vec<u64>, ScheduleError> {
    let key = Key::Sums(counter.id.clone());
    if let Some(sums) = place.find(&key).await? {
        return Ok(sums);
    }
    let shards = counter.shards().exact().unwrap_or(0);
    let mut sums = Vec::new();
    let mut commits = std::pin::pin!(read(place, counter, 0..shards));
    while let Some(commit) = commits.next().await {
        sums.push(commit?.counted.unwrap_or(0));
    }
    place.settle(&key, &sums).await?;
    Ok(sums)
}
