//! Redis and RabbitMQ killed, restarted and wiped in the middle of a job.

use shardmill_shared::job::JobId;
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, SPEC, WORKER};

async fn running() -> (Cluster, JobId) {
    let mut cluster = Cluster::start();
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 10).await;
    (cluster, job)
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_wiped_ledger_is_rebuilt_from_the_store() {
    let (mut cluster, job) = running().await;
    cluster.servers().redis.flush_all().unwrap();
    cluster.until_done(&job, 30).await;
    cluster.servers().redis.flush_all().unwrap();
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_killed_ledger_comes_back() {
    let (mut cluster, job) = running().await;
    cluster.servers().redis.kill().unwrap();
    cluster.servers().redis.restart().unwrap();
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_ledger_that_is_told_to_end_comes_back() {
    let (mut cluster, job) = running().await;
    for done in [20, 35] {
        cluster.servers().redis.restart_gently().unwrap();
        cluster.until_done(&job, done).await;
    }
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_ledger_may_come_back_without_its_last_seconds() {
    let (mut cluster, job) = running().await;
    let earlier = cluster.servers().redis.copy().unwrap();
    cluster.until_done(&job, 25).await;
    cluster.servers().redis.restart_with(&earlier).unwrap();
    cluster.until_done(&job, 40).await;
    cluster.servers().redis.restart_with(&earlier).unwrap();
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_killed_queue_comes_back() {
    let (mut cluster, job) = running().await;
    cluster.until_written_down("shardmill.generate").await;
    cluster.servers().rabbitmq.kill().unwrap();
    cluster.servers().rabbitmq.restart().unwrap();
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_wiped_queue_is_filled_again() {
    let (mut cluster, job) = running().await;
    cluster.servers().rabbitmq.kill().unwrap();
    cluster.servers().rabbitmq.wipe_and_restart().unwrap();
    cluster.succeeds(&job, SPEC).await;
}
