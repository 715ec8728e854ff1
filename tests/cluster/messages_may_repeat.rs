//! Messages that come twice: published again, and taken back from a worker that is slow.

use shardmill_servers::rabbitmq::RabbitMqSetup;
use shardmill_shared::job::{JobState, Name, Pool, ShardId, StageId};
use shardmill_shared::queue::{Message, Queue, RabbitMqOptions, RabbitMqQueue};
use shardmill_tests::cluster::{Cluster, TENANT, undisturbed};

use crate::{SCHEDULER, SPEC, WORKER};

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_every_message_three_times_more() {
    let mut cluster = Cluster::start();
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 3).await;
    let queue = RabbitMqQueue::connect(&cluster.servers().rabbitmq.url(), RabbitMqOptions::default()).await.unwrap();
    let stage = StageId::new("users").unwrap();
    let message = |index| {
        let shard = ShardId { stage: stage.clone(), index };
        Message { tenant: Some(Name::new(TENANT).unwrap()), ..Message::new(job.clone(), shard, 1) }
    };
    // Shards that are done, that run, that wait, and that were not released yet.
    let messages: Vec<Message> = (0..70).map(message).collect();
    for _ in 0..3 {
        queue.publish_all(Pool::Generate, &messages).await.unwrap();
    }
    cluster.succeeds(&job, SPEC).await;
}

/// Shards that take longer than the server waits for an acknowledgement.
const LONG: &str = "
shardmill: 1
name: long
output: {shard_rows: 400000}
tables:
  people:
    rows: 1600000
    columns: {id: {sequence: 1}, name: {faker: name}, email: {faker: email}, street: {faker: street_address}, city: {faker: city}, company: {faker: company}}
";

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_an_impatient_server_costs_no_row() {
    let setup = RabbitMqSetup { consumer_timeout_ms: Some(1_000), ..RabbitMqSetup::default() };
    let mut cluster = Cluster::start_impatient(&setup);
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", LONG).await;
    let ending = cluster.ended(&job, 180).await;
    assert_eq!(ending.state, JobState::Succeeded, "{ending:?}\n{}", cluster.logs());
    assert_eq!(cluster.manifest(&job).await, undisturbed(LONG));
    let log = cluster.servers().rabbitmq.log().unwrap();
    assert!(log.contains("timed out"), "no acknowledgement was late: make the shards longer");
}
