//! The port, call by call.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};

use super::link::Call;
use super::{LedgerError, RedisLedger, WorkerId, check, reply};
use crate::job::{Failure, JobId, Made, Outcome, Pool, Progress, ShardId, StageId};
use crate::ledger::limits::VIEW_WAITING;
use crate::ledger::stage::deadly;
use crate::ledger::{
    Beat, Begin, Company, DEATHS, Epoch, Finding, LEAD_MS, LEASE_MS, Lease, Ledger, PRESENT_MS, RunState, Runner, View,
};

/// What one bitmap of the server can hold.
const MOST_SHARDS: u64 = 1 << 32;
/// Shards begun or noted by one script: no other caller waits long for it.
const TOGETHER: usize = 500;
/// How often who waits looks for itself, for a notice may be lost.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Changes of so long are told together: where thousands of shards end in a second, a look for each would be most of the work.
const GATHER: Duration = Duration::from_millis(20);
/// Counters of the server are signed.
const MOST_MADE: u64 = i64::MAX.unsigned_abs();

impl RedisLedger {
    fn on_shard<'a>(&self, script: &'a redis::Script, job: &JobId, shard: &ShardId) -> Call<'a> {
        self.on_stage(script, job, &shard.stage).arg(shard.index)
    }

    fn report_call(&self, lease: &Lease) -> Call<'_> {
        self.on_shard(&self.scripts.report, &lease.job, &lease.shard).arg(lease.fence.0)
    }

    /// Asks for the leases of one stage's shards, for one runner.
    async fn begin_stage(&self, beginnings: Vec<Beginning>) -> Vec<Result<Begin, LedgerError>> {
        let Some((job, shard, runner, _)) = beginnings.first() else { return Vec::new() };
        let company = match runner.company {
            Company::Others => "others",
            Company::None => "none",
        };
        let mut call = self.on_stage(&self.scripts.begin, job, &shard.stage).arg(&runner.worker.0);
        call = call.arg(LEASE_MS).arg(DEATHS).arg(company).arg(&runner.writer);
        for (_, shard, _, request) in &beginnings {
            call = call.arg(shard.index).arg(request);
        }
        match self.link.run::<Vec<(String, u64)>>(&call).await {
            Ok(begun) => begun.iter().map(reply::begin).collect(),
            Err(error) => vec![Err(error); beginnings.len()],
        }
    }

    /// Notes commits of one stage.
    async fn commit_stage(&self, commits: Vec<Committed>) -> Vec<Result<(), LedgerError>> {
        let Some((job, shard, _)) = commits.first() else { return Vec::new() };
        let done: Vec<(u64, Made)> = commits.iter().map(|(_, shard, made)| (shard.index, *made)).collect();
        vec![self.mark_all_done(job, &shard.stage, &done).await; commits.len()]
    }

    async fn revision(&self, job: &JobId) -> Result<u64, LedgerError> {
        self.link.run(&self.on_job(&self.scripts.revision, job)).await
    }
}

/// A lease that is asked for: job, shard, by whom, and the name of the request.
pub(super) type Beginning = (JobId, ShardId, Runner, String);
/// A commit that is reported: job, shard, what it made.
pub(super) type Committed = (JobId, ShardId, Made);

fn with_made(call: Call<'_>, made: Made) -> Call<'_> {
    call.arg(made.rows.min(MOST_MADE)).arg(made.bytes.min(MOST_MADE))
}

fn failure_text(failure: &Failure) -> String {
    serde_json::to_string(failure).expect("a failure is words only")
}

#[async_trait]
impl Ledger for RedisLedger {
    async fn open(&self, job: &JobId, stage: &StageId, shards: u64) -> Result<(), LedgerError> {
        if shards > MOST_SHARDS {
            let reason = format!("stage `{stage}` has {shards} shards, at most {MOST_SHARDS} fit; make shards larger");
            return Err(LedgerError::Refused { reason });
        }
        self.link.run(&self.on_stage(&self.scripts.open, job, stage).arg(shards)).await
    }

    async fn mark_done(&self, job: &JobId, shard: &ShardId, made: Made) -> Result<(), LedgerError> {
        self.mark_all_done(job, &shard.stage, &[(shard.index, made)]).await
    }

    async fn mark_all_done(&self, job: &JobId, stage: &StageId, done: &[(u64, Made)]) -> Result<(), LedgerError> {
        for done in done.chunks(TOGETHER) {
            let call = self.on_stage(&self.scripts.mark_done, job, stage);
            let call = done.iter().fold(call, |call, (index, made)| with_made(call.arg(index), *made));
            self.link.run::<()>(&call).await?;
        }
        Ok(())
    }

    async fn release(&self, job: &JobId, stage: &StageId, most: u64) -> Result<Vec<u64>, LedgerError> {
        let call = self.on_stage(&self.scripts.release, job, stage).arg(most).arg(self.requests.next());
        reply::indexes(&self.link.run::<String>(&call).await?)
    }

    async fn reopen(&self, job: &JobId, shard: &ShardId) -> Result<(), LedgerError> {
        self.link.run(&self.on_shard(&self.scripts.reopen, job, shard)).await
    }

    async fn set_run_state(&self, job: &JobId, state: RunState) -> Result<(), LedgerError> {
        self.link.run(&self.on_job(&self.scripts.set_run_state, job).arg(reply::run_state_word(state))).await
    }

    async fn pin(&self, job: &JobId, writer: &str) -> Result<(), LedgerError> {
        self.link.run(&self.on_job(&self.scripts.pin, job).arg(writer)).await
    }

    async fn forget(&self, job: &JobId) -> Result<(), LedgerError> {
        self.link.run(&self.on_job(&self.scripts.forget, job)).await
    }

    async fn begin(&self, job: &JobId, shard: &ShardId, runner: &Runner) -> Result<Begin, LedgerError> {
        let beginning = (job.clone(), shard.clone(), runner.clone(), self.requests.next());
        let is_one_script = |(job, shard, runner, _): &Beginning, (other, others, another, _): &Beginning| {
            job == other && shard.stage == others.stage && runner == another
        };
        self.beginnings.answer(beginning, is_one_script, |waiting| Box::pin(self.begin_stage(waiting))).await
    }

    async fn heartbeat(&self, lease: &Lease, made: Made) -> Result<Beat, LedgerError> {
        let call = self.on_shard(&self.scripts.heartbeat, &lease.job, &lease.shard).arg(lease.fence.0);
        reply::beat(&self.link.run::<String>(&with_made(call, made).arg(LEASE_MS)).await?)
    }

    async fn report(&self, lease: &Lease, outcome: &Outcome) -> Result<(), LedgerError> {
        let call = match outcome {
            Outcome::Committed(made) => {
                let commit = (lease.job.clone(), lease.shard.clone(), *made);
                let is_one_script = |(job, shard, _): &Committed, (other, others, _): &Committed| {
                    job == other && shard.stage == others.stage
                };
                return self
                    .commits
                    .answer(commit, is_one_script, |waiting| Box::pin(self.commit_stage(waiting)))
                    .await;
            }
            Outcome::Failed(failure) if failure.scope.counts() => {
                self.report_call(lease).arg("failed").arg(failure_text(failure))
            }
            Outcome::Failed(failure) => self.report_call(lease).arg("later").arg(failure_text(failure)),
            Outcome::Stopped => self.report_call(lease).arg("stopped"),
        };
        self.link.run(&call).await
    }

    async fn view(&self, job: &JobId) -> Result<View, LedgerError> {
        let call = self.on_job(&self.scripts.view, job).arg(VIEW_WAITING).arg(failure_text(&deadly()));
        reply::view(self.link.run(&call).await?)
    }

    async fn progress(&self, job: &JobId) -> Result<Progress, LedgerError> {
        let stages: Vec<reply::ProgressReply> = self.link.run(&self.on_job(&self.scripts.progress, job)).await?;
        Ok(Progress { stages: stages.iter().map(reply::stage_progress).collect::<Result<_, _>>()? })
    }

    async fn wait_change(&self, job: &JobId, seen: u64) -> Result<(), LedgerError> {
        let mut notices = self.notices.listen();
        let its_name = job.to_string();
        while self.revision(job).await? == seen {
            let noticed = async {
                loop {
                    match notices.recv().await {
                        Ok(notice) if notice.job != its_name || notice.revision <= seen => {}
                        Ok(_) | Err(RecvError::Lagged(_)) => return,
                        Err(RecvError::Closed) => std::future::pending().await,
                    }
                }
            };
            // Noticed or not, it looks.
            let _ = timeout(LOOK_EVERY, noticed).await;
        }
        sleep(GATHER).await;
        Ok(())
    }

    async fn wait_any(&self, seen: u64) -> u64 {
        let mut changes = self.notices.changes();
        *changes.wait_for(|changes| *changes != seen).await.expect("the ledger keeps the sender")
    }

    async fn present(&self, worker: &WorkerId, writer: &str, pool: Pool, slots: u32) -> Result<(), LedgerError> {
        let call = self.on_workers(&self.scripts.present).arg(self.ahead_ms()).arg(&worker.0);
        self.link.run(&call.arg(pool.as_str()).arg(slots).arg(PRESENT_MS).arg(writer)).await
    }

    async fn gone(&self, worker: &WorkerId) -> Result<(), LedgerError> {
        self.link.run(&self.on_workers(&self.scripts.gone).arg(&worker.0)).await
    }

    async fn writers(&self, pool: Pool) -> Result<BTreeMap<String, u64>, LedgerError> {
        self.link.run(&self.on_workers(&self.scripts.writers).arg(self.ahead_ms()).arg(pool.as_str())).await
    }

    async fn lead(&self, name: &str, holder: &WorkerId) -> Result<Option<Epoch>, LedgerError> {
        let call = self.on_lead(&self.scripts.lead, name).arg(self.ahead_ms()).arg(&holder.0).arg(LEAD_MS);
        Ok(self.link.run::<Option<u64>>(&call).await?.map(Epoch))
    }

    async fn resign(&self, name: &str, holder: &WorkerId) -> Result<(), LedgerError> {
        self.link.run(&self.on_lead(&self.scripts.resign, name).arg(&holder.0)).await
    }

    async fn check(&self) -> Vec<Finding> {
        check::findings(&self.link).await
    }
}
