//! The queue port on a real RabbitMQ: its law, and what happens when the server is killed, wiped, hung or wrongly used.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::StreamExt;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};
use shardmill_servers::certificate::Certificate;
use shardmill_servers::process::free_port;
use shardmill_servers::rabbitmq::{RabbitMq, RabbitMqSetup, shared};
use shardmill_shared::job::{JobId, Pool, ShardId, StageId};
use shardmill_shared::queue::{
    Acked, Delivery, Message, Queue, QueueError, RabbitMqOptions, RabbitMqQueue, conformance,
};
use tokio::time::{Instant, sleep, timeout};

/// A message as this program's successor may write it.
const NEWER: &[u8] = br#"{"version": 3, "new": true}"#;

/// How long anything here may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A server that is not killed: the shared one, or one of its own.
struct AnyServer {
    url: String,
    _own: Option<RabbitMq>,
}

impl AnyServer {
    fn start() -> Self {
        if let Some(url) = shared() {
            return Self { url, _own: None };
        }
        let own = RabbitMq::start().expect("a server starts");
        Self { url: own.url(), _own: Some(own) }
    }

    /// A channel beside the adapter's.
    async fn channel(&self) -> Channel {
        let connection = Connection::connect(&self.url, ConnectionProperties::default()).await.expect("connects");
        connection.create_channel().await.expect("opens")
    }
}

/// Names of this test alone, also on a shared server.
fn options(test: &str, slots: usize) -> RabbitMqOptions {
    RabbitMqOptions { prefix: format!("test-{}-{test}", std::process::id()), slots, ..RabbitMqOptions::default() }
}

async fn connect(url: &str, options: RabbitMqOptions) -> RabbitMqQueue {
    RabbitMqQueue::connect(url, options).await.expect("connects")
}

async fn delete(server: &AnyServer, prefix: &str) {
    let channel = server.channel().await;
    for queue in ["generate", "sql", "llm", "dead"] {
        let name = format!("{prefix}.{queue}");
        channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.expect("deletes");
    }
}

fn message(index: u64) -> Message {
    let stage = StageId::new("users").expect("allowed");
    Message::new(JobId::new("job").expect("allowed"), ShardId { stage, index }, 1)
}

async fn take(queue: &RabbitMqQueue, pool: Pool) -> Delivery {
    timeout(PATIENCE, queue.take(pool)).await.expect("a message comes").expect("takes")
}

async fn take_and_ack(queue: &RabbitMqQueue, pool: Pool) -> u64 {
    let delivery = take(queue, pool).await;
    let index = delivery.message.shard.index;
    assert_eq!(delivery.ack().await, Ok(Acked::Yes));
    index
}

async fn take_all(queue: &RabbitMqQueue, count: usize) -> Vec<u64> {
    let mut came = Vec::new();
    while came.len() < count {
        came.push(take_and_ack(queue, Pool::Generate).await);
    }
    came.sort_unstable();
    came
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "{what} does not come about");
        sleep(Duration::from_millis(50)).await;
    }
}

async fn publish_bytes(channel: &Channel, queue: &str, body: &[u8]) {
    let options = BasicPublishOptions::default();
    channel.basic_publish("".into(), queue.into(), options, body, BasicProperties::default()).await.expect("sends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_the_law_of_queues_is_kept() {
    let server = AnyServer::start();
    let options = options("law", 8);
    let queue = connect(&server.url, options.clone()).await;
    assert_eq!(queue.server().product, "RabbitMQ");
    assert!(queue.server().is_rabbitmq(3, 8), "{:?}", queue.server());
    assert!(!queue.is_consuming());
    conformance::all(&queue).await;
    drop(queue);
    delete(&server, &options.prefix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_five_thousand_messages_arrive_exactly() {
    let server = AnyServer::start();
    let options = options("many", 64);
    let queue = connect(&server.url, options.clone()).await;
    let messages: Vec<Message> = (0..5_000).map(message).collect();
    let started = Instant::now();
    queue.publish_all(Pool::Generate, &messages).await.expect("publishes");
    let published = started.elapsed();
    assert_eq!(queue.depth(Pool::Generate).await, Ok(5_000));
    let started = Instant::now();
    assert_eq!(take_all(&queue, 5_000).await, (0..5_000).collect::<Vec<u64>>());
    println!("5000 messages published in {published:?}, taken in {:?}", started.elapsed());
    assert_eq!(queue.depth(Pool::Generate).await, Ok(0));
    drop(queue);
    delete(&server, &options.prefix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_killed_server_repeats_exactly_what_was_not_acknowledged() {
    let mut server = RabbitMq::start().expect("a server starts");
    let options = options("killed", 3);
    let queue = connect(&server.url(), options.clone()).await;
    for pool in [Pool::Generate, Pool::Sql] {
        assert_eq!(queue.depth(pool).await, Ok(0));
        let name = format!("{}.{}", options.prefix, pool.as_str());
        until("a lasting queue", async || server.has_written_down(&name).expect("reads")).await;
    }
    let waiting = async { take_and_ack(&queue, Pool::Sql).await };
    let killing = async {
        let messages: Vec<Message> = (0..10).map(message).collect();
        queue.publish_all(Pool::Generate, &messages).await.expect("publishes");
        let mut missing: BTreeSet<u64> = (0..10).collect();
        for index in take_all(&queue, 4).await {
            missing.remove(&index);
        }
        // A channel has one message at a time: now that each of the three has its next, the acknowledgements before are
        // safe.
        let mut held = Vec::new();
        for _ in 0..3 {
            held.push(take(&queue, Pool::Generate).await);
        }
        server.kill().expect("kills");
        until("the loss is seen", async || !queue.is_consuming()).await;
        server.restart().expect("restarts");
        let back = Instant::now();
        until("taking goes on", async || queue.is_consuming()).await;
        assert!(back.elapsed() < Duration::from_secs(20), "{:?}", back.elapsed());
        for delivery in held {
            assert_eq!(delivery.ack().await, Ok(Acked::MayRepeat));
        }
        assert_eq!(take_all(&queue, missing.len()).await, missing.into_iter().collect::<Vec<u64>>());
        queue.publish(Pool::Generate, &message(99)).await.expect("publishes");
        assert_eq!(take_and_ack(&queue, Pool::Generate).await, 99, "nothing else was left");
        queue.publish(Pool::Sql, &message(42)).await.expect("publishes");
    };
    let (waited, ()) = tokio::join!(waiting, killing);
    assert_eq!(waited, 42);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_wiped_server_is_used_again() {
    let mut server = RabbitMq::start().expect("a server starts");
    let queue = connect(&server.url(), options("wiped", 2)).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    let held = take(&queue, Pool::Generate).await;
    server.wipe_and_restart().expect("restarts");
    queue.publish_all(Pool::Generate, &[message(2), message(3)]).await.expect("publishes");
    assert_eq!(held.ack().await, Ok(Acked::MayRepeat));
    assert_eq!(take_all(&queue, 2).await, [2, 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_hung_server_is_left_and_found_again() {
    let server = RabbitMq::start().expect("a server starts");
    let queue = connect(&server.url(), RabbitMqOptions { patience_ms: 500, ..options("hung", 2) }).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    assert_eq!(take_and_ack(&queue, Pool::Generate).await, 1);
    server.freeze().expect("freezes");
    // Its threads stop one after the other: it may still hear the first.
    let unheard =
        async || matches!(queue.publish(Pool::Generate, &message(2)).await, Err(QueueError::Transient { .. }));
    until("it hears nothing", unheard).await;
    until("the loss is seen", async || !queue.is_consuming()).await;
    server.thaw().expect("thaws");
    let back = Instant::now();
    until("taking goes on", async || queue.is_consuming()).await;
    assert!(back.elapsed() < Duration::from_secs(5), "{:?}", back.elapsed());
    until("publishing goes on", async || queue.publish(Pool::Generate, &message(3)).await.is_ok()).await;
    // The second was sent before anyone knew: it may be there, once or more, or not.
    while take_and_ack(&queue, Pool::Generate).await != 3 {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_message_held_too_long_goes_to_another_and_disturbs_nobody() {
    let setup = RabbitMqSetup { consumer_timeout_ms: Some(2_000), ..RabbitMqSetup::default() };
    let server = RabbitMq::start_with(&setup).expect("a server starts");
    let queue = connect(&server.url(), options("held", 2)).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    let held = take(&queue, Pool::Generate).await;
    let again = take(&queue, Pool::Generate).await;
    assert_eq!(again.message, held.message);
    assert_eq!(held.ack().await, Ok(Acked::MayRepeat));
    assert_eq!(again.ack().await, Ok(Acked::Yes));
    let messages: Vec<Message> = (2..12).map(message).collect();
    queue.publish_all(Pool::Generate, &messages).await.expect("publishes");
    assert_eq!(take_all(&queue, 10).await, (2..12).collect::<Vec<u64>>());
}

/// The server stops listening to connections that published; taking has one of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_server_out_of_space_takes_nothing_in_and_still_hands_out() {
    let setup =
        RabbitMqSetup { lines: vec!["disk_free_limit.absolute = 1000000GB".to_owned()], ..RabbitMqSetup::default() };
    let server = RabbitMq::start_with(&setup).expect("a server starts");
    let queue = connect(&server.url(), RabbitMqOptions { patience_ms: 1_000, ..options("full", 1) }).await;
    let started = Instant::now();
    let unheard = queue.publish(Pool::Generate, &message(1)).await;
    assert!(matches!(unheard, Err(QueueError::Transient { .. })), "{unheard:?}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    drop(timeout(Duration::from_millis(1), queue.take(Pool::Generate)).await);
    until("a consumer", async || queue.is_consuming()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_tls_is_spoken_with_a_certificate_of_ones_own() {
    let (certificate, port) = (Certificate::make().expect("makes"), free_port().expect("a port"));
    let lines = vec![
        format!("listeners.ssl.default = 127.0.0.1:{port}"),
        format!("ssl_options.certfile = {}", certificate.file().display()),
        format!("ssl_options.keyfile = {}", certificate.key_file().display()),
    ];
    let server = RabbitMq::start_with(&RabbitMqSetup { lines, ..RabbitMqSetup::default() }).expect("a server starts");
    let url = format!("amqps://guest:guest@localhost:{port}/%2f");
    let trusting = RabbitMqOptions { ca_pem: Some(certificate.pem().expect("reads")), ..options("tls", 1) };
    let queue = connect(&url, trusting.clone()).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    assert_eq!(take_and_ack(&queue, Pool::Generate).await, 1);
    let other = Certificate::make().expect("makes").pem().expect("reads");
    for ca_pem in [None, Some(other)] {
        let suspicious = RabbitMqOptions { ca_pem, ..options("tls", 1) };
        let error = RabbitMqQueue::connect(&url, suspicious).await.expect_err("the certificate is unknown");
        let is_clear = matches!(&error, QueueError::Refused { reason } if reason.contains("queue.ca_file"));
        assert!(is_clear, "{error}");
    }
    drop(queue);
    conformance::all(&connect(&url, RabbitMqOptions { prefix: "lawful".to_owned(), slots: 64, ..trusting }).await)
        .await;
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_deleted_queue_is_declared_again() {
    let server = AnyServer::start();
    let options = options("deleted", 2);
    let queue = connect(&server.url, options.clone()).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    let held = take(&queue, Pool::Generate).await;
    let name = format!("{}.generate", options.prefix);
    let channel = server.channel().await;
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.expect("deletes");
    queue.publish(Pool::Generate, &message(2)).await.expect("publishes");
    assert_eq!(take_and_ack(&queue, Pool::Generate).await, 2);
    drop(held);
    drop(queue);
    delete(&server, &options.prefix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_what_is_no_message_becomes_a_dead_letter() {
    let server = AnyServer::start();
    let options = options("malformed", 1);
    let queue = connect(&server.url, options.clone()).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    let channel = server.channel().await;
    let (name, dead) = (format!("{}.generate", options.prefix), format!("{}.dead", options.prefix));
    assert_eq!(queue.dead_letters().await, Ok(0));
    publish_bytes(&channel, &name, b"no message").await;
    queue.publish(Pool::Generate, &message(2)).await.expect("publishes");
    assert_eq!(take_all(&queue, 2).await, [1, 2]);
    until("the dead letter is counted", async || queue.dead_letters().await == Ok(1)).await;
    let mut found = None;
    until("the dead letter", async || {
        found = channel.basic_get(dead.clone().into(), BasicGetOptions { no_ack: true }).await.expect("asks");
        found.is_some()
    })
    .await;
    assert_eq!(found.map(|letter| letter.delivery.data), Some(b"no message".to_vec()));
    drop(queue);
    delete(&server, &options.prefix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_a_message_of_a_newer_program_is_put_back() {
    let server = AnyServer::start();
    let options = options("newer", 1);
    let queue = connect(&server.url, options.clone()).await;
    queue.publish(Pool::Generate, &message(1)).await.expect("publishes");
    assert_eq!(take_and_ack(&queue, Pool::Generate).await, 1);
    let (channel, name) = (server.channel().await, format!("{}.generate", options.prefix));
    publish_bytes(&channel, &name, NEWER).await;
    until("the newer message is taken", async || queue.depth(Pool::Generate).await == Ok(0)).await;
    let consumer = channel.basic_consume(name.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
    let mut newer_worker = consumer.await.expect("consumes");
    let came = timeout(PATIENCE, newer_worker.next()).await.expect("it comes").expect("goes on").expect("is no error");
    assert_eq!((came.data.as_slice(), came.redelivered), (NEWER, true));
    came.ack(BasicAckOptions::default()).await.expect("acknowledges");
    drop(queue);
    delete(&server, &options.prefix).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_rabbitmq_what_someone_must_mend_is_refused_at_once() {
    let server = AnyServer::start();
    let started = Instant::now();
    let host = server.url.rsplit('@').next().expect("an address");
    let wrong_user = format!("amqp://guest:opensesame@{host}");
    let (place, _) = server.url.rsplit_once('/').expect("a virtual host");
    let wrong_place = format!("{place}/nowhere");
    for (url, word) in [(wrong_user, "password"), (wrong_place, "virtual host")] {
        let error = RabbitMqQueue::connect(&url, options("refused", 1)).await.expect_err("is refused");
        let QueueError::Refused { reason } = &error else { panic!("not refused: {error}") };
        assert!(reason.contains(word) && !reason.contains("opensesame"), "{reason}");
    }
    let options = options("other", 1);
    let name = format!("{}.generate", options.prefix);
    let declared = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let channel = server.channel().await;
    channel.queue_declare(name.clone().into(), declared, FieldTable::default()).await.expect("declares");
    let queue = connect(&server.url, options).await;
    let refused = queue.publish(Pool::Generate, &message(1)).await;
    let Err(QueueError::Refused { reason }) = refused else { panic!("not refused: {refused:?}") };
    assert!(reason.contains(&name), "{reason}");
    let refused = timeout(PATIENCE, queue.take(Pool::Generate)).await.expect("answers");
    assert!(matches!(refused, Err(QueueError::Refused { .. })), "{:?}", refused.err());
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    channel.queue_delete(name.into(), QueueDeleteOptions::default()).await.expect("deletes");
}
