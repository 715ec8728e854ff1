//! Jobs as the store has them: spec, plan and place are read once and kept for a while.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use shardmill_shared::job::{JobId, Key, Name, Plan};
use shardmill_shared::queue::Message;
use shardmill_shared::store::{JobRecords, Store};
use tokio::sync::OnceCell;

use super::{FindError, JobContext, Jobs};
use crate::execute::Execute;
use crate::limits::JOBS_KEPT;

/// Turns a spec into what runs its shards.
pub trait Compile: Send + Sync + Debug {
    /// The executor of a canonical spec. It takes processor time, and may block.
    ///
    /// # Errors
    /// The problem, when this program cannot make what the spec asks for.
    fn executor(&self, spec: &[u8]) -> Result<Arc<dyn Execute>, String>;
}

/// The jobs of every tenant of a store.
#[derive(Debug)]
pub struct StoredJobs {
    root: Arc<dyn Store>,
    compile: Arc<dyn Compile>,
    /// The jobs used lately, the last one at the end.
    known: Mutex<VecDeque<(JobId, Known)>>,
}

/// A job that is being read, or was: whoever asks meanwhile waits for the first.
type Known = Arc<OnceCell<Option<Arc<JobContext>>>>;

impl StoredJobs {
    /// Jobs of `root`, compiled by `compile`.
    pub fn new(root: Arc<dyn Store>, compile: Arc<dyn Compile>) -> Self {
        Self { root, compile, known: Mutex::default() }
    }

    fn cell(&self, job: &JobId) -> Known {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.iter().position(|(id, _)| id == job).and_then(|at| known.remove(at));
        let entry = found.unwrap_or_else(|| (job.clone(), Arc::default()));
        let cell = Arc::clone(&entry.1);
        known.push_back(entry);
        if known.len() > JOBS_KEPT {
            known.pop_front();
        }
        cell
    }

    fn forget(&self, job: &JobId) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).retain(|(id, _)| id != job);
    }

    async fn load(&self, tenant: &Name, job: &JobId) -> Result<Option<Arc<JobContext>>, FindError> {
        let records = JobRecords::of(&self.root, tenant);
        let Some(place) = records.place(job).await? else { return Ok(None) };
        let plan: Plan = place.read(&Key::Plan).await?;
        let path = place.path(&Key::Spec);
        let spec = place.store.read(&path).await.map_err(|error| FindError::Place(error.into()))?;
        let executor = self.executor(job, spec.clone()).await?;
        Ok(Some(Arc::new(JobContext { id: job.clone(), tenant: Some(tenant.clone()), plan, spec, place, executor })))
    }

    async fn executor(&self, job: &JobId, spec: Bytes) -> Result<Arc<dyn Execute>, FindError> {
        let compile = Arc::clone(&self.compile);
        let compiled = tokio::task::spawn_blocking(move || compile.executor(&spec)).await;
        let compiled = compiled.map_err(|fault| fault.to_string()).and_then(|compiled| compiled);
        compiled.map_err(|reason| FindError::Uncompiled { job: job.clone(), reason })
    }
}

#[async_trait]
impl Jobs for StoredJobs {
    async fn find(&self, message: &Message) -> Result<Option<Arc<JobContext>>, FindError> {
        let Some(tenant) = &message.tenant else { return Ok(None) };
        let cell = self.cell(&message.job);
        let job = cell.get_or_try_init(|| self.load(tenant, &message.job)).await?;
        if job.is_none() {
            // It may be planned later.
            self.forget(&message.job);
        }
        Ok(job.clone())
    }
}
