//! Cut networks and a store that answers 503, through proxies.

use std::net::SocketAddr;
use std::time::Duration;

use shardmill_servers::proxy::{Fault, Proxy};
use shardmill_servers::s3::S3;
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, SPEC, WORKER};

/// The address in a server's URL, and the URL by another address.
fn by(url: &str, proxy: impl Fn(SocketAddr) -> Proxy) -> (Proxy, String) {
    let server = url.split("://").nth(1).and_then(|rest| rest.rsplit('@').next());
    let address = server.and_then(|server| server.split('/').next()).expect("the address has a server");
    let proxy = proxy(address.parse().expect("the server is a number and a port"));
    let through = url.replace(address, &proxy.address().to_string());
    (proxy, through)
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_worker_that_is_cut_off_comes_back() {
    let mut cluster = Cluster::start();
    let start = |address| Proxy::start(address).unwrap();
    let (to_redis, redis) = by(&cluster.servers().redis.url(), start);
    let (to_rabbitmq, rabbitmq) = by(&cluster.servers().rabbitmq.url(), start);
    let settings = [("SHARDMILL_LEDGER__URL", redis), ("SHARDMILL_QUEUE__URL", rabbitmq)];
    cluster.role("scheduler", SCHEDULER);
    cluster.role_with("worker", WORKER, &settings);
    let job = cluster.submit("job-1", SPEC).await;
    for (shards, proxy) in [(5, &to_redis), (15, &to_rabbitmq)] {
        cluster.until_done(&job, shards).await;
        proxy.cut();
        tokio::time::sleep(Duration::from_secs(3)).await;
        proxy.heal();
        cluster.until_done(&job, shards + 5).await;
    }
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_a_store_that_is_overloaded_is_asked_again() {
    let s3 = S3::start().unwrap();
    let mut cluster = Cluster::start_on_s3(&s3).await;
    let proxy = Proxy::start_http(s3.address()).unwrap();
    let settings = [("SHARDMILL_STORE__ENDPOINT", proxy.url())];
    cluster.role_with("scheduler", SCHEDULER, &settings);
    cluster.role_with("worker", WORKER, &settings);
    cluster.role_with("worker", WORKER, &settings);
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 5).await;
    proxy.set(Fault::Unavailable { per_cent: 20, seed: 7 });
    cluster.until("twenty requests were refused", 120, async || proxy.faults() >= 20).await;
    proxy.heal();
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_a_store_that_tears_uploads_is_cut_off_and_slow_leaves_no_half_file() {
    let s3 = S3::start().unwrap();
    let mut cluster = Cluster::start_on_s3(&s3).await;
    let proxy = Proxy::start_http(s3.address()).unwrap();
    let settings = [("SHARDMILL_STORE__ENDPOINT", proxy.url())];
    cluster.role("scheduler", SCHEDULER);
    cluster.role_with("worker", WORKER, &settings);
    cluster.role_with("worker", WORKER, &settings);
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 5).await;
    // Parts of files; commits and other records are shorter.
    proxy.set(Fault::CutBody { after_bytes: 20_000, times: 20 });
    cluster.until("twenty uploads were torn", 60, async || proxy.faults() == 20).await;
    cluster.until_done(&job, 25).await;
    proxy.cut();
    tokio::time::sleep(Duration::from_secs(3)).await;
    proxy.heal();
    cluster.until_done(&job, 30).await;
    proxy.set(Fault::Delay(Duration::from_millis(500)));
    cluster.until_done(&job, 40).await;
    proxy.heal();
    cluster.succeeds(&job, SPEC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_needs_s3_a_store_that_lets_two_create_is_refused() {
    let s3 = S3::start().unwrap();
    let cluster = Cluster::start_on_s3(&s3).await;
    let proxy = Proxy::start_http(s3.address()).unwrap();
    proxy.set(Fault::DropHeader("if-none-match"));
    let settings = [("SHARDMILL_STORE__ENDPOINT", proxy.url())];
    for role in ["api", "scheduler", "worker"] {
        let (code, output) = cluster.refuses(&["--role", role], &settings);
        assert_eq!(code, Some(1), "{role}: {output}");
        for part in ["store.url", "If-None-Match", "store.single_writer"] {
            assert!(output.contains(part), "{role}: no {part} in {output}");
        }
    }
    assert!(proxy.faults() > 0, "no header was dropped");
}
