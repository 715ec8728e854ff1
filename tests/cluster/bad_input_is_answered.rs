//! What is wrong on purpose or by accident gets a clear answer, and costs no job anything.

use std::path::PathBuf;

use shardmill_servers::s3::S3;
use shardmill_shared::job::{JobState, Key};
use shardmill_shared::queue::{Message, Queue, RabbitMqOptions, RabbitMqQueue};
use shardmill_tests::cluster::{Cluster, undisturbed};

use crate::{SCHEDULER, SPEC, WORKER};

/// Some shards that take a while.
const SLOW: &str = "
shardmill: 1
name: slow
output: {format: csv, shard_rows: 20000}
tables:
  users: {rows: 600000, columns: {id: {sequence: 1}, name: {faker: name}, email: {faker: email}}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_spec_that_may_not_be_is_refused_by_the_api() {
    let mut alone = Cluster::alone();
    alone.role("all", &["--slots", "1"]);
    let api = alone.api();
    let table = "tables: {a: {rows: 5, columns: {id: {sequence: 1}}}}";
    let deep = format!("shardmill: 1\nname: x\ntables: {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let tenfold = vec![format!("*a{}", level - 1); 10].join(", ");
        laughs.push_str(&format!("a{level}: &a{level} [{tenfold}]\n"));
    }
    for (what, text, part) in [
        ("a deep document", deep.as_str(), "limit"),
        ("aliases of aliases", laughs.as_str(), "aliases"),
        ("a name that leaves its folder", &format!("shardmill: 1\nname: ../../etc\n{table}"), "../../etc"),
        ("a table that leaves its folder", "shardmill: 1\nname: x\ntables: {../a: {rows: 5, columns: {}}}", "../a"),
        ("a path", &format!("shardmill: 1\nname: x\noutput: {{path: /etc}}\n{table}"), "path"),
        ("a host", &format!("shardmill: 1\nname: x\noutput: {{url: 's3://other/bucket'}}\n{table}"), "url"),
    ] {
        alone.write("bad.yaml", text);
        let (code, output) = alone.client(&api, &["submit", "bad.yaml"]);
        assert_eq!(code, Some(2), "{what}: {output}");
        assert!(output.contains(part), "{what}: {output}");
    }
    assert_eq!(alone.client(&api, &["job", "list"]), (Some(0), "none\n".to_owned()));
}

/// The commits of the users of the newest job of an installation in one process.
fn commits(alone: &Cluster, job: &str) -> PathBuf {
    alone.folder().join("store/default/jobs").join(job).join("commits/users")
}

/// Submits a spec, lets some of its shards be made, and pauses it.
async fn paused_halfway(alone: &Cluster) -> String {
    alone.write("slow.yaml", SLOW);
    let (_, output) = alone.client(&alone.api(), &["submit", "slow.yaml"]);
    let job = output.split_whitespace().next().expect("a job is shown").to_owned();
    let made = || std::fs::read_dir(commits(alone, &job)).map_or(0, Iterator::count);
    alone.until("some shards are made", 60, async || made() >= 3).await;
    assert_eq!(alone.client(&alone.api(), &["job", "pause", &job]).0, Some(0));
    job
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_tampered_with_ends_its_job_and_nothing_is_published() {
    let mut alone = Cluster::alone();
    alone.role("all", &["--slots", "1"]);
    let job = paused_halfway(&alone).await;
    let commit = commits(&alone, &job).join("1.json");
    let text = std::fs::read_to_string(&commit).expect("is there");
    std::fs::write(&commit, text.replacen("20000", "19999", 1)).expect("writes");
    let api = alone.api();
    assert_eq!(alone.client(&api, &["job", "resume", &job]).0, Some(0));
    let (code, output) = alone.client(&api, &["job", "watch", &job]);
    assert!(code == Some(1) && output.contains("covers 19999 rows where 20000 were planned"), "{output}");
    assert_eq!(alone.client(&api, &["dataset", "list"]), (Some(0), "none\n".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_gone_is_made_again() {
    let mut alone = Cluster::alone();
    alone.role("all", &["--slots", "1"]);
    let job = paused_halfway(&alone).await;
    std::fs::remove_file(commits(&alone, &job).join("1.json")).expect("removes");
    let api = alone.api();
    assert_eq!(alone.client(&api, &["job", "resume", &job]).0, Some(0));
    let (code, output) = alone.client(&api, &["job", "watch", &job]);
    assert_eq!(code, Some(0), "{output}\n{}", alone.logs());
    let job = shardmill_shared::job::JobId::new(&job).expect("an id");
    let place = alone.records().place(&job).await.expect("reads").expect("is placed");
    let manifest: shardmill_shared::job::Manifest = place.read(&Key::Manifest).await.expect("reads");
    assert_eq!(manifest, undisturbed(SLOW));
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_messages_of_nobody_disturb_no_job() {
    let mut cluster = Cluster::start();
    let queue = RabbitMqQueue::connect(&cluster.servers().rabbitmq.url(), RabbitMqOptions::default()).await;
    let queue = queue.expect("connects");
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("one", SPEC).await;
    cluster.until_done(&job, 2).await;
    let of = |tenant: Option<&str>, id: &str, stage: &str, index: u64| {
        let stage = shardmill_shared::job::StageId::new(stage).expect("allowed");
        let shard = shardmill_shared::job::ShardId { stage, index };
        let message = Message::new(shardmill_shared::job::JobId::new(id).expect("allowed"), shard, 1);
        Message { tenant: tenant.map(|name| shardmill_shared::job::Name::new(name).expect("allowed")), ..message }
    };
    for message in [
        of(None, "one", "users", 0),
        of(Some("nobody"), "one", "users", 0),
        of(Some("acme"), "nothing", "users", 0),
        of(Some("acme"), "one", "nothing", 0),
        of(Some("acme"), "one", "users", u64::MAX),
        of(Some("acme"), "one", "users", 0),
    ] {
        queue.publish(shardmill_shared::job::Pool::Generate, &message).await.expect("publishes");
    }
    cluster.succeeds(&job, SPEC).await;
    assert_eq!(cluster.ended(&job, 1).await.state, JobState::Succeeded);
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_a_role_that_cannot_work_says_why_and_does_not_start() {
    let s3 = S3::start().expect("starts");
    let mut cluster = Cluster::start_on_s3(&s3).await;
    cluster.servers().redis.command(&["ACL", "SETUSER", "reader", "on", ">secret", "~*", "+ping"]).expect("adds");
    let (redis, rabbitmq) = {
        let servers = cluster.servers();
        (servers.redis.url_as("reader", "secret"), servers.rabbitmq.url().replace("guest:guest", "guest:secret"))
    };
    for (setting, value, part) in [
        ("SHARDMILL_STORE__URL", "s3://no-such-bucket/data", "make the bucket or correct its name"),
        ("SHARDMILL_QUEUE__URL", rabbitmq.as_str(), "check user and password"),
        ("SHARDMILL_LEDGER__CA_FILE", "/nothing.pem", "ledger.ca_file: cannot read /nothing.pem"),
        ("SHARDMILL_LEDGER__URL", "rediss://127.0.0.1:1", "ledger.url"),
    ] {
        let (code, output) = cluster.refuses(&["--role", "worker"], &[(setting, value.to_owned())]);
        assert!(code == Some(1) && output.contains(part) && !output.contains("secret"), "{part}: {code:?} {output}");
    }
    let (code, output) = cluster.doctor(&[("SHARDMILL_LEDGER__URL", &redis)]);
    assert!(code == Some(1) && output.contains("allow the user") && !output.contains("secret"), "{code:?} {output}");
    cluster.servers().redis.config_set("maxmemory-policy", "allkeys-lru").expect("sets");
    cluster.role("worker", WORKER);
    assert!(cluster.logs().contains("maxmemory-policy is allkeys-lru"), "{}", cluster.logs());
}
