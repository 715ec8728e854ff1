//! One attempt of one shard: run, write, commit. The ledger hears of it afterwards.

use std::sync::Arc;

use shardmill_shared::job::{Commit, FileEntry, Key, Layout, ShardId};
use shardmill_shared::process::Stop;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;

use crate::execute::{Assignment, Execute, ExecuteError, Executed};
use crate::pipe::{Counters, PipeSink};
use crate::upload::{self, Stored, Written};
use crate::{AttemptError, JobContext};

/// What an attempt needs.
pub(crate) struct Attempt {
    pub(crate) job: Arc<JobContext>,
    pub(crate) shard: ShardId,
    pub(crate) executor: Arc<dyn Execute>,
    pub(crate) counters: Arc<Counters>,
    /// The worker's stop, or the attempt's alone.
    pub(crate) stop: Stop,
}

impl Attempt {
    /// Runs the shard until it is committed. `slot` is given back as soon as the rows are made.
    pub(crate) async fn run(self, slot: OwnedSemaphorePermit) -> Result<Commit, AttemptError> {
        let job = Arc::clone(&self.job);
        let (stage, shard) = job.shard(&self.shard).await?;
        let work = Assignment { job: self.job, stage, shard, runtime: Handle::current() };
        let path = job.place.path(&work.file_key());
        let (mut sink, pieces) = PipeSink::new(self.counters, self.stop);
        let executor = self.executor;
        let running = work.clone();
        let rows = tokio::task::spawn_blocking(move || executor.execute(&running, &mut sink));
        let made = async {
            let made = rows.await;
            drop(slot);
            made.map_err(|fault| AttemptError::Panicked(fault.to_string()))
        };
        let (made, written) = tokio::join!(made, upload::write(&*job.place.store, &path, pieces));
        commit(&work, made?, written?).await
    }

    /// The commit that an earlier attempt left without the ledger hearing of it.
    pub(crate) async fn earlier_commit(job: &JobContext, shard: &ShardId) -> Result<Option<Commit>, AttemptError> {
        let (_, shard) = job.shard(shard).await?;
        let Some(commit) = job.place.find::<Commit>(&Key::Commit(shard.id.clone())).await? else { return Ok(None) };
        commit.check(&shard)?;
        Ok(Some(commit))
    }
}

/// The file first, then the commit: no commit names a file that is not there.
async fn commit(
    work: &Assignment,
    made: Result<Executed, ExecuteError>,
    written: Option<Written>,
) -> Result<Commit, AttemptError> {
    let executed = match (made, written) {
        (Err(error), written) => {
            if let Some(written) = written {
                written.abort().await;
            }
            return Err(refusal(error));
        }
        (Ok(executed), None) => (executed, None),
        (Ok(executed), Some(written)) => (executed, Some(written.finish().await?)),
    };
    let commit = commit_of(work, executed.0, executed.1);
    commit.check(&work.shard)?;
    work.job.place.settle(&Key::Commit(work.shard.id.clone()), &commit).await?;
    Ok(commit)
}

fn commit_of(work: &Assignment, executed: Executed, stored: Option<Stored>) -> Commit {
    let file = stored.map(|stored| FileEntry {
        // A commit names its files by their place in the version, so that it is the same in every layout.
        key: Layout::Folder.path(&work.file_key()),
        rows: executed.account.written,
        bytes: stored.bytes,
        blake3: stored.digest,
    });
    Commit {
        shard: work.shard.id.clone(),
        rows: work.shard.rows.end - work.shard.rows.start,
        files: file.into_iter().collect(),
        account: executed.account,
        counted: executed.counted,
    }
}

fn refusal(error: ExecuteError) -> AttemptError {
    match error {
        ExecuteError::Stopped => AttemptError::Stopped,
        ExecuteError::Read(error) => AttemptError::Store(error),
        other => AttemptError::Refused(other.to_string()),
    }
}
