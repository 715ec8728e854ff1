//! A cluster of real processes over real servers: jobs end with the rows of an undisturbed build, whatever is killed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod a_killed_worker_costs_no_row;
mod a_shard_may_kill_its_worker;
mod commands_are_heard;
mod the_doctor_finds_what_is_wrong;
mod jobs_share_the_workers;
mod shares_are_fair;
mod clocks_may_differ;
mod networks_may_fail;
mod messages_may_repeat;
mod servers_may_die;
mod roles_may_die;
mod roles_may_die_again_and_again;
mod a_release_may_roll_out;
mod the_api_serves_jobs;
mod people_use_the_command;
mod schedules_fire;
mod a_job_is_seen;
mod bad_input_is_answered;
mod models_fill_columns;

use shardmill_shared::job::JobId;

/// About a hundred shards of users and of their orders, whose number must be counted first; some ten seconds of work.
const SPEC: &str = "
shardmill: 1
name: shop
output: {format: parquet, shard_rows: 20000}
tables:
  users:
    rows: 1400000
    columns: {id: {sequence: 1}, name: {faker: name}, email: {faker: email}, city: {faker: city}}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 0.2, iid: true}
    columns: {id: {sequence: 1}, user_id: {lookup: users.id}, price: {type: float, distribution: {type: lognormal, mean: 3, sigma: 1}}}
";

/// Arguments of a worker that runs one shard at a time.
const WORKER: &[&str] = &["--role", "worker", "--slots", "1"];
const SCHEDULER: &[&str] = &["--role", "scheduler"];
const API: &[&str] = &["--role", "api"];

/// The job that a client's output begins with.
fn id(output: &str) -> JobId {
    JobId::new(output.split_whitespace().next().expect("a job is shown")).expect("its id comes first")
}
