//! The law of ledgers: what every adapter must do, run against each. It panics where the law is broken.

use super::{Begin, Company, Lease, Ledger, Runner, StageView, WorkerId};
use crate::job::{Failure, JobId, Made, Outcome, Scope, ShardId, StageId};

pub mod budget;
pub mod limit;
mod release;
mod lease;
mod death;
mod state;
mod crew;

/// Runs the whole suite, but for what needs time to pass, against a ledger that knows no job.
pub async fn all(ledger: &dyn Ledger) {
    release::an_unknown_job_is_told(ledger).await;
    release::shards_are_released_once(ledger).await;
    release::a_shard_begun_early_is_not_released(ledger).await;
    release::many_commits_are_noted_together(ledger).await;
    lease::a_shard_has_one_lease(ledger).await;
    lease::a_commit_counts_whatever_became_of_its_lease(ledger).await;
    lease::a_pinned_job_is_left_to_its_writer(ledger).await;
    lease::a_failure_counts_under_its_own_lease(ledger).await;
    lease::a_failure_is_told_as_it_was(ledger).await;
    lease::a_stopped_attempt_does_not_count(ledger).await;
    lease::many_leases_are_asked_for_and_reported_at_once(ledger).await;
    state::a_stopped_job_gives_no_lease(ledger).await;
    state::a_paused_job_ends_what_runs(ledger).await;
    state::a_job_may_be_stopped_before_it_is_open(ledger).await;
    state::a_forgotten_job_is_unknown(ledger).await;
    state::a_change_wakes_who_waits(ledger).await;
    state::any_change_wakes_who_waits_for_any(ledger).await;
    state::progress_adds_running_attempts(ledger).await;
    crew::slots_are_those_of_living_workers(ledger).await;
    crew::slots_are_counted_by_writer(ledger).await;
    crew::one_leads(ledger).await;
}

/// Runs the part of the suite that needs time to pass; `advance` lets so many milliseconds pass for the ledger. Less than
/// a second may pass by itself.
pub async fn in_time(ledger: &dyn Ledger, advance: &(dyn Fn(u64) + Sync)) {
    death::a_lease_without_heartbeats_ends(ledger, advance).await;
    death::a_shard_that_kills_runs_alone_and_then_no_more(ledger, advance).await;
    crew::a_silent_worker_does_not_count(ledger, advance).await;
    crew::a_silent_leader_is_replaced(ledger, advance).await;
}

const MADE: Made = Made { rows: 10, bytes: 100 };

fn worker(name: &str) -> WorkerId {
    WorkerId(name.to_owned())
}

/// A worker of the writer of all that are pinned to none.
fn runner(name: &str) -> Runner {
    Runner { worker: worker(name), writer: "w 1".to_owned(), company: Company::Others }
}

fn job_id(name: &str) -> JobId {
    JobId::new(name).expect("the suite's names are allowed")
}

fn stage() -> StageId {
    StageId::new("users").expect("the suite's names are allowed")
}

fn shard(index: u64) -> ShardId {
    ShardId { stage: stage(), index }
}

async fn job(ledger: &dyn Ledger, name: &str, shards: u64) -> JobId {
    let job = job_id(name);
    ledger.open(&job, &stage(), shards).await.expect("opens");
    job
}

async fn view(ledger: &dyn Ledger, job: &JobId) -> StageView {
    ledger.view(job).await.expect("sees").stages.remove(0)
}

async fn lease(ledger: &dyn Ledger, job: &JobId, index: u64, name: &str) -> Lease {
    match ledger.begin(job, &shard(index), &runner(name)).await.expect("begins") {
        Begin::Go(fence) => Lease { job: job.clone(), shard: shard(index), fence },
        other => panic!("expected a lease, got {other:?}"),
    }
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed(Failure::new(Scope::Shard, message))
}
