//! One attempt of one shard: run, write, commit. The ledger hears of it afterwards.

use std::sync::Arc;

use shardmill_shared::job::{Commit, FileEntry, Key, Layout, ShardId};
use shardmill_shared::ledger::Lease;
use shardmill_shared::process::Stop;
use tokio::runtime::Handle;
use tracing::{Instrument, debug_span};

use crate::error::Refusal;
use crate::execute::{Assignment, ExecuteError, Executed};
use crate::pipe::{Counters, PipeSink};
use crate::take::Slot;
use crate::upload::{self, Stored, Written};
use crate::{AttemptError, JobContext};

/// What an attempt needs.
pub(crate) struct Attempt {
    pub(crate) job: Arc<JobContext>,
    pub(crate) lease: Lease,
    pub(crate) counters: Arc<Counters>,
    /// The worker's stop, or the attempt's alone.
    pub(crate) stop: Stop,
}

impl Attempt {
    /// Runs the shard until it is committed. `slot` is given back as soon as the rows are made.
    pub(crate) async fn run(self, slot: Option<Slot>) -> Result<Commit, AttemptError> {
        let job = Arc::clone(&self.job);
        let (stage, shard) = job.shard(&self.lease.shard).await?;
        let lease = Some(self.lease);
        let work = Assignment { job: self.job, stage, shard, lease, runtime: Handle::current() };
        let path = job.place.path(&work.file_key());
        let (mut sink, pieces) = PipeSink::new(self.counters, self.stop.clone());
        let executor = Arc::clone(&work.job.executor);
        let running = work.clone();
        let span = debug_span!("rows");
        let rows = tokio::task::spawn_blocking(move || span.in_scope(|| executor.execute(&running, &mut sink)));
        let made = async {
            let made = rows.await;
            drop(slot);
            made.map_err(|fault| AttemptError::Panicked(fault.to_string()))
        };
        let upload = upload::write(&*job.place.store, &path, pieces).instrument(debug_span!("upload"));
        let (made, written) = tokio::join!(made, upload);
        let (made, written) = (made?, written?);
        // Whoever has the lease by now may have committed: what is published is not replaced.
        let made = if self.stop.is_set() { Err(ExecuteError::Stopped) } else { made };
        commit(&work, made, written).instrument(debug_span!("commit")).await
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

pub(crate) fn commit_of(work: &Assignment, executed: Executed, stored: Option<Stored>) -> Commit {
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

pub(crate) fn refusal(error: ExecuteError) -> AttemptError {
    match error {
        ExecuteError::Stopped => AttemptError::Stopped,
        ExecuteError::Read(error) => AttemptError::Store(error),
        ExecuteError::Refused(reason) => AttemptError::Refused(Refusal { column: None, reason }),
        ExecuteError::Column { ref column, .. } => {
            AttemptError::Refused(Refusal { column: Some(column.clone()), reason: error.to_string() })
        }
        ExecuteError::Budget(reason) => AttemptError::Budget(reason),
        ExecuteError::Model(reason) => AttemptError::Model(reason),
        ExecuteError::Unanswered(reason) => AttemptError::Unanswered(reason),
        other @ (ExecuteError::Write(_) | ExecuteError::Counts(_) | ExecuteError::Interrupted(_)) => {
            AttemptError::Interrupted(other.to_string())
        }
    }
}
