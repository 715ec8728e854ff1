//! One shard made again without a trace: its rows are made and digested as an attempt would, and nothing is written.

use std::sync::Arc;

use shardmill_shared::job::{Commit, ShardId};
use shardmill_shared::process::Stop;
use tokio::runtime::Handle;

use crate::attempt::{commit_of, refusal};
use crate::execute::Assignment;
use crate::pipe::PipeSink;
use crate::upload;
use crate::{AttemptError, JobContext};

/// The commit that an attempt of the shard would put.
///
/// # Errors
/// What an attempt of it would report.
pub async fn replay(job: Arc<JobContext>, shard: &ShardId) -> Result<Commit, AttemptError> {
    let (stage, shard) = job.shard(shard).await?;
    let work = Assignment { job, stage, shard, lease: None, runtime: Handle::current() };
    let (mut sink, pieces) = PipeSink::new(Arc::default(), Stop::default());
    let (executor, running) = (Arc::clone(&work.job.executor), work.clone());
    let rows = tokio::task::spawn_blocking(move || executor.execute(&running, &mut sink));
    let (made, stored) = tokio::join!(rows, upload::digest(pieces));
    let executed = made.map_err(|fault| AttemptError::Panicked(fault.to_string()))?.map_err(refusal)?;
    let commit = commit_of(&work, executed, stored);
    commit.check(&work.shard)?;
    Ok(commit)
}
