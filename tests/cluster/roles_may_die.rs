//! Schedulers killed, and workers told to end.

use std::io::{Read, Write};
use std::net::TcpStream;

use shardmill_servers::proxy::{Fault, Proxy};
use shardmill_servers::s3::S3;
use shardmill_shared::ledger::Ledger;
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, SPEC, WORKER};

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_another_scheduler_takes_over() {
    let mut cluster = Cluster::start();
    cluster.role("leader", SCHEDULER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 5).await;
    cluster.role("follower", SCHEDULER);
    cluster.kill("leader");
    cluster.role("worker", WORKER);
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_worker_that_is_told_to_end_gives_back_what_it_runs() {
    let mut cluster = Cluster::start();
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", SPEC).await;
    for shards in [3, 10, 20] {
        cluster.until_done(&job, shards).await;
        cluster.role("next", WORKER);
        assert_eq!(cluster.terminate("worker"), Some(0), "{}", cluster.logs());
        cluster.role("worker", WORKER);
        assert_eq!(cluster.terminate("next"), Some(0), "{}", cluster.logs());
    }
    cluster.succeeds(&job, SPEC).await;
}

/// The HTTP status that an address answers with; 0 where nobody does.
fn status(address: &str, path: &str) -> u16 {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    let status = |answer: String| answer.split_whitespace().nth(1).and_then(|status| status.parse().ok());
    ask().ok().and_then(status).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_a_worker_tells_whether_it_takes_shards() {
    let s3 = S3::start().unwrap();
    let mut cluster = Cluster::start_on_s3(&s3).await;
    let proxy = Proxy::start_http(s3.address()).unwrap();
    cluster.role("scheduler", SCHEDULER);
    cluster.role_with("worker", WORKER, &[("SHARDMILL_STORE__ENDPOINT", proxy.url())]);
    let worker = cluster.metrics();
    cluster.until("it is healthy", 60, async || status(&worker, "/healthz") == 200).await;
    cluster.until_written_down("shardmill.generate").await;
    cluster.servers().rabbitmq.kill().unwrap();
    cluster.until("it is not, without its queue", 60, async || status(&worker, "/healthz") == 503).await;
    assert_eq!(status(&worker, "/metrics"), 200);
    cluster.servers().rabbitmq.restart().unwrap();
    cluster.until("it is again", 120, async || status(&worker, "/healthz") == 200).await;

    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 1).await;
    // A shard that cannot be written yet: the drain lasts until it is.
    proxy.set(Fault::Dark);
    let ledger = cluster.ledger().await;
    let leased = async || ledger.view(&job).await.is_ok_and(|view| view.stages.iter().any(|stage| stage.leased > 0));
    cluster.until("a shard waits for the store", 60, async || proxy.requests() > 0 && leased().await).await;
    cluster.ask_to_end("worker");
    let drains = async || status(&worker, "/readyz") == 503 && status(&worker, "/healthz") == 200;
    cluster.until("it drains, and is well", 60, drains).await;
    proxy.heal();
    assert_eq!(cluster.terminate("worker"), Some(0), "{}", cluster.logs());
}
