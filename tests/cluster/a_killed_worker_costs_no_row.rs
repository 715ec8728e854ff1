//! `kill -9` of workers in the middle of their shards.

use shardmill_servers::s3::S3;
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, SPEC, WORKER};

async fn workers_die(mut cluster: Cluster) {
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", SPEC).await;
    for shards in [10, 30] {
        cluster.until_done(&job, shards).await;
        cluster.kill("worker");
        cluster.role("worker", WORKER);
    }
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_in_a_folder() {
    workers_die(Cluster::start()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_in_a_bucket() {
    let s3 = S3::start().unwrap();
    workers_die(Cluster::start_on_s3(&s3).await).await;
}
