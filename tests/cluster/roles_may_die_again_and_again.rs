//! Workers, schedulers and APIs that end one after another, all through a job.

use std::time::Duration;

use shardmill_servers::process::free_port;
use shardmill_shared::job::{JobId, JobState};
use shardmill_shared::ledger::Ledger;
use shardmill_tests::cluster::{Cluster, undisturbed};
use shardmill_tests::sandbox::Luck;
use tokio::task::JoinSet;

use crate::{API, SCHEDULER, WORKER, id};

/// Five hundred shards of some milliseconds.
const SPEC: &str = "
shardmill: 1
name: people
output: {shard_rows: 4000}
tables:
  people:
    rows: 2000000
    columns: {id: {sequence: 1}, name: {faker: name}, email: {faker: email}, city: {faker: city}}
";
const WORKERS: [&str; 3] = ["worker-a", "worker-b", "worker-c"];

async fn running() -> (Cluster, JobId) {
    let mut cluster = Cluster::start();
    cluster.role("scheduler", SCHEDULER);
    for name in WORKERS {
        cluster.role(name, WORKER);
    }
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 20).await;
    (cluster, job)
}

async fn has_ended(cluster: &Cluster, job: &JobId) -> bool {
    cluster.records().ending(job, 0).await.unwrap().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_worker_is_killed_every_two_seconds() {
    let (mut cluster, job) = running().await;
    let mut luck = Luck::new();
    let ledger = cluster.ledger().await;
    // The ledger forgets a job that is over.
    let done = async || {
        ledger
            .progress(&job)
            .await
            .map_or(u64::MAX, |progress| progress.stages.iter().map(|stage| stage.shards_done).sum())
    };
    let mut kills = 0;
    while kills < 12 && !has_ended(&cluster, &job).await {
        let victim = WORKERS[luck.below(WORKERS.len())];
        cluster.kill(victim);
        cluster.role(victim, WORKER);
        kills += 1;
        // Two seconds, or less on a machine where the job would be over by then.
        let before = done().await;
        let some_more = cluster.until("ten more shards", 180, async || done().await >= before.saturating_add(10));
        let _ = tokio::time::timeout(Duration::from_secs(2), some_more).await;
    }
    assert!(kills >= 2, "{kills}");
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_workers_are_told_to_end_again_and_again() {
    let (mut cluster, job) = running().await;
    let ledger = cluster.ledger().await;
    let mut luck = Luck::new();
    for _ in 0..10 {
        let victim = WORKERS[luck.below(WORKERS.len())];
        assert_eq!(cluster.terminate(victim), Some(0), "{}", cluster.logs());
        cluster.role(victim, WORKER);
        // The ledger forgets a job that is over.
        let Ok(view) = ledger.view(&job).await else { continue };
        for stage in view.stages {
            assert_eq!(stage.failed, [], "an attempt failed");
            assert!(
                stage.waiting.iter().all(|shard| shard.attempt == 1),
                "an attempt was counted: {:?}",
                stage.waiting
            );
        }
    }
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_leader_and_follower_are_killed() {
    let (mut cluster, job) = running().await;
    cluster.role("follower", SCHEDULER);
    for done in [60, 150] {
        cluster.until_done(&job, done).await;
        for name in ["scheduler", "follower"] {
            cluster.kill(name);
            cluster.role(name, SCHEDULER);
        }
    }
    // From here on both live, and one of them does nothing.
    cluster.succeeds(&job, SPEC).await;
}

const CLIENTS: usize = 3;
/// Jobs that each of them submits.
const JOBS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_an_api_that_is_killed_loses_no_job_and_doubles_none() {
    let mut cluster = Cluster::start();
    let small = SPEC.replace("rows: 1000000", "rows: 3000");
    cluster.write("spec.yaml", &small);
    let listen = [("SHARDMILL_API__LISTEN", format!("127.0.0.1:{}", free_port().unwrap()))];
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role_with("api", API, &listen);
    let api = cluster.api();
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (commands, api) = (cluster.commands(), api.clone());
        clients.spawn_blocking(move || {
            let submit = |key: &str| {
                let run = || commands.run(&api, &["submit", "spec.yaml", "--idempotency-key", key]);
                // An API that is away is asked again, as often as it takes.
                let (code, output) =
                    (0..1_000).map(|_| run()).find(|(code, _)| *code != Some(4)).expect("it comes back");
                assert_eq!(code, Some(0), "{output}");
                id(&output)
            };
            let key = |number: usize| format!("client {client} job {number}");
            (0..JOBS).flat_map(|number| [submit(&key(number)), submit(&key(number))]).collect::<Vec<JobId>>()
        });
    }
    let records = cluster.records();
    let accepted = async || records.list(None, 1_000).await.unwrap().len();
    while accepted().await < CLIENTS * JOBS {
        let before = accepted().await;
        cluster.kill("api");
        cluster.role_with("api", API, &listen);
        cluster.until("another job is accepted", 60, async || accepted().await > before).await;
    }
    let answers = clients.join_all().await;
    let mut jobs: Vec<JobId> = Vec::new();
    for pair in answers.concat().chunks(2) {
        assert_eq!(pair[0], pair[1], "one key is one job");
        jobs.push(pair[0].clone());
    }
    jobs.sort_unstable_by_key(ToString::to_string);
    let listed = cluster.records().list(None, 1_000).await.unwrap();
    let mut listed: Vec<JobId> = listed.into_iter().map(|listed| listed.job).collect();
    listed.sort_unstable_by_key(ToString::to_string);
    assert_eq!(listed, jobs, "no job is lost, and none is doubled");
    let expected = undisturbed(&small);
    for job in &jobs {
        assert_eq!(cluster.ended(job, 120).await.state, JobState::Succeeded);
        assert_eq!(cluster.manifest(job).await, expected);
    }
}
