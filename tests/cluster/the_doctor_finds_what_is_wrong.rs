//! `shardmill doctor` on servers that are well, and on some that are not.

use shardmill_tests::cluster::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_well_and_ill_servers_are_told_apart() {
    let mut cluster = Cluster::start();
    let (code, output) = cluster.doctor(&[]);
    assert_eq!(code, Some(0), "{output}");
    for part in ["of two creates the second is refused", "RabbitMQ 3.", "answers in"] {
        assert!(output.contains(part), "{part}: {output}");
    }
    cluster.servers().redis.config_set("maxmemory-policy", "allkeys-lru").unwrap();
    cluster.servers().redis.config_set("maxmemory", "100mb").unwrap();
    let (code, output) = cluster.doctor(&[]);
    assert!(output.contains("allkeys-lru"), "{code:?} {output}");
    let nobody = "amqp://nobody:secret@127.0.0.1:1/";
    let (code, output) = cluster.doctor(&[("SHARDMILL_QUEUE__URL", nobody)]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("error") && output.contains("queue.url"), "{output}");
    assert!(!output.contains("secret"), "{output}");
}
