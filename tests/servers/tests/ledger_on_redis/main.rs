//! The ledger on a real Redis: the law of ledgers, and what only a server can do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shardmill_servers::certificate::Certificate;
use shardmill_servers::redis::Redis;
use shardmill_shared::job::{Failure, JobId, Made, Outcome, Scope, ShardId, StageId};
use shardmill_shared::ledger::{
    Begin, Company, Lease, Ledger, LedgerError, RedisLedger, RedisOptions, Runner, Severity, WorkerId, conformance,
};
use tokio::time::timeout;

mod interrupted;
mod likeness;

const MADE: Made = Made { rows: 10, bytes: 100 };
const SECOND: Duration = Duration::from_secs(1);

/// The shared server that tests may use but not break, or one of this test's own.
struct Place {
    url: String,
    _own: Option<Redis>,
}

impl Place {
    fn find() -> Self {
        match shared() {
            Some(url) => Self { url, _own: None },
            None => {
                let own = private();
                Self { url: own.url(), _own: Some(own) }
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how a developer names a server that runs already")]
fn shared() -> Option<String> {
    std::env::var("SHARDMILL_TEST_REDIS").ok()
}

fn private() -> Redis {
    Redis::start().expect("redis-server starts")
}

/// Options under a prefix that no other test uses.
fn options(test: &str) -> RedisOptions {
    RedisOptions { prefix: format!("test-{test}-{}", std::process::id()), ..RedisOptions::default() }
}

async fn connect(url: &str, test: &str) -> RedisLedger {
    RedisLedger::connect(url, options(test)).await.expect("connects")
}

fn job() -> JobId {
    JobId::new("job").expect("allowed")
}

fn stage() -> StageId {
    StageId::new("users").expect("allowed")
}

fn shard(index: u64) -> ShardId {
    ShardId { stage: stage(), index }
}

fn runner(name: &str) -> Runner {
    Runner { worker: worker(name), writer: "w 1".to_owned(), company: Company::Others }
}

fn worker(name: &str) -> WorkerId {
    WorkerId(name.to_owned())
}

fn lease(index: u64, begun: Begin) -> Lease {
    let (Begin::Go(fence) | Begin::Mine(fence)) = begun else { panic!("{begun:?}") };
    Lease { job: job(), shard: shard(index), fence }
}

#[tokio::test]
async fn needs_redis_keeps_the_law_of_ledgers() {
    let place = Place::find();
    let ahead_ms = Arc::<AtomicU64>::default();
    let options = RedisOptions { ahead_ms: Arc::clone(&ahead_ms), ..options("law") };
    let ledger = RedisLedger::connect(&place.url, options).await.expect("connects");
    conformance::all(&ledger).await;
    let advance = |by_ms| {
        ahead_ms.fetch_add(by_ms, Ordering::Relaxed);
    };
    conformance::in_time(&ledger, &advance).await;
}

#[tokio::test]
async fn needs_redis_a_wiped_server_is_told_and_gives_no_number_twice() {
    let server = private();
    let ledger = connect(&server.url(), "wipe").await;
    ledger.open(&job(), &stage(), 3).await.expect("opens");
    let before = lease(0, ledger.begin(&job(), &shard(0), &runner("a")).await.expect("begins"));
    let revision = ledger.view(&job()).await.expect("sees").revision;
    let epoch = ledger.lead("scheduler", &worker("a")).await.expect("leads");
    server.flush_all().expect("wipes");
    assert_eq!(ledger.view(&job()).await, Err(LedgerError::Unknown("job".to_owned())));
    assert!(matches!(ledger.heartbeat(&before, MADE).await, Err(LedgerError::Unknown(_))));
    assert!(matches!(ledger.wait_change(&job(), revision).await, Err(LedgerError::Unknown(_))));
    ledger.open(&job(), &stage(), 3).await.expect("opens anew");
    let after = lease(0, ledger.begin(&job(), &shard(0), &runner("b")).await.expect("begins"));
    assert!(after.fence > before.fence);
    assert!(ledger.view(&job()).await.expect("sees").revision > revision);
    assert!(ledger.lead("scheduler", &worker("b")).await.expect("leads") > epoch);
}

#[tokio::test]
async fn needs_redis_a_wrong_password_is_refused_without_naming_it() {
    let server = private();
    for user in ["worker|+@all", "limited|+@all|-evalsha", "deaf|+@all|resetchannels"] {
        let mut words = vec!["ACL", "SETUSER"];
        words.extend(user.split('|'));
        words.extend(["on", ">s3cret", "~*"]);
        server.command(&words).expect("makes a user");
    }
    let connect = async |user: &str, password: &str| {
        RedisLedger::connect(&server.url_as(user, password), options("password")).await
    };
    let refused = connect("worker", "wr0ng").await.expect_err("a wrong password");
    let LedgerError::Refused { reason } = &refused else { panic!("{refused:?}") };
    assert!(!reason.contains("wr0ng") && reason.contains("password"), "{reason}");
    let ledger = connect("worker", "s3cret").await.expect("the right password");
    assert!(!format!("{ledger:?}").contains("s3cret"));
    let limited = connect("limited", "s3cret").await.expect("connects");
    let refused = limited.open(&job(), &stage(), 1).await.expect_err("may not run scripts");
    assert!(matches!(&refused, LedgerError::Refused { reason } if !reason.contains("s3cret")), "{refused:?}");
    let deaf = connect("deaf", "s3cret").await.expect("connects");
    deaf.open(&job(), &stage(), 1).await.expect("a user without channels may work");
    let seen = deaf.view(&job()).await.expect("sees").revision;
    ledger.mark_done(&job(), &shard(0), MADE).await.expect("marks");
    timeout(2 * SECOND, deaf.wait_change(&job(), seen)).await.expect("looks by itself").expect("sees");
    let plain = server.url_as("worker", "s3cret").replace("redis:", "rediss:");
    let broken = RedisLedger::connect(&plain, options("tls")).await.expect_err("the server speaks no TLS");
    assert!(matches!(&broken, LedgerError::Transient { reason } if !reason.contains("s3cret")), "{broken:?}");
    let refused = RedisLedger::connect("redis://worker:s3cret@:x", options("url")).await.expect_err("no URL");
    assert!(!refused.to_string().contains("s3cret"), "{refused}");
}

#[tokio::test]
async fn needs_redis_two_processes_hear_of_each_other() {
    let place = Place::find();
    let (one, other) = (connect(&place.url, "hear").await, connect(&place.url, "hear").await);
    one.open(&job(), &stage(), 2).await.expect("opens");
    let job = job();
    for index in 0..2 {
        let seen = other.view(&job).await.expect("sees").revision;
        let any = timeout(SECOND, other.wait_any(0)).await.expect("at first anything may have changed");
        let (heard, any_heard, ()) =
            tokio::join!(timeout(SECOND, other.wait_change(&job, seen)), timeout(SECOND, other.wait_any(any)), async {
                one.mark_done(&job, &shard(index), MADE).await.expect("marks");
            });
        heard.expect("hears in time").expect("hears");
        any_heard.expect("hears in time");
    }
    let seen = other.view(&job).await.expect("sees");
    assert_eq!(seen.stages[0].done, 2);
    one.forget(&job).await.expect("forgets");
}

#[tokio::test]
async fn needs_redis_a_million_shards_take_five_megabytes() {
    let server = private();
    let ledger = connect(&server.url(), "memory").await;
    ledger.open(&job(), &stage(), 1_000_000).await.expect("opens");
    ledger.view(&job()).await.expect("a view keeps all keys, but not again so soon");
    ledger.mark_done(&job(), &shard(999_999), MADE).await.expect("the bitmap has its full size");
    ledger.begin(&job(), &shard(500_000), &runner("a")).await.expect("begins one that was not released");
    let released = ledger.release(&job(), &stage(), 4_300).await.expect("releases");
    let mut failures = Vec::new();
    for index in &released[..300] {
        let held = lease(*index, ledger.begin(&job(), &shard(*index), &runner("a")).await.expect("begins"));
        if *index < 50 {
            let failure = Failure::new(Scope::Shard, "x".repeat(200));
            failures.push((held, Outcome::Failed(failure)));
        }
    }
    for (held, outcome) in &failures {
        ledger.report(held, outcome).await.expect("reports");
    }
    let tag = format!("{{{}:job}}", options("memory").prefix);
    server.command(&["EXPIRE", &format!("{tag}:users:done"), "1000"]).expect("as if nobody had changed it for days");
    server.command(&["HDEL", &format!("{tag}:job"), "kept_s"]).expect("as if the last view were long ago");
    assert_eq!(ledger.view(&job()).await.expect("sees").stages[0].waiting.len(), 4_000);
    let sum = "local sum = 0 for _, key in ipairs(redis.call('KEYS', '*')) do \
               assert(redis.call('TTL', key) > 600000, key) \
               sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end return sum";
    let bytes: u64 =
        server.command(&["EVAL", sum, "0"]).expect("every key dies some day")[1..].parse().expect("a number");
    assert!((125_000..5_000_000).contains(&bytes), "{bytes} bytes");
    ledger.forget(&job()).await.expect("forgets");
    assert_eq!(server.command(&["DBSIZE"]).expect("answers"), ":0");
}

#[tokio::test]
async fn needs_redis_check_finds_what_is_wrong() {
    let server = private();
    let ledger = connect(&server.url(), "check").await;
    assert_eq!(ledger.check().await, []);
    server.config_set("maxmemory-policy", "allkeys-lru").expect("sets");
    server.config_set("appendonly", "no").expect("sets");
    let findings = ledger.check().await;
    let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Warning, Severity::Warning], "{findings:?}");
    drop(server);
    let findings = ledger.check().await;
    assert_eq!(findings[0].severity, Severity::Error);
}

#[tokio::test]
async fn needs_redis_tls_is_spoken_with_a_certificate_of_ones_own() {
    let (server, certificate) = (private(), Certificate::make().expect("makes"));
    let url = server.start_tls(&certificate).expect("speaks TLS");
    let trusting = |ca_pem| RedisOptions { ca_pem, ..options("tls") };
    let ca_pem = certificate.pem().expect("reads");
    let ledger = RedisLedger::connect(&url, trusting(Some(ca_pem.clone()))).await.expect("connects");
    conformance::all(&ledger).await;
    let other = Certificate::make().expect("makes").pem().expect("reads");
    for ca_pem in [None, Some(other)] {
        let error = RedisLedger::connect(&url, trusting(ca_pem)).await.expect_err("the certificate is unknown");
        let is_clear = matches!(&error, LedgerError::Refused { reason } if reason.contains("ledger.ca_file"));
        assert!(is_clear, "{error}");
    }
    for (url, ca_pem) in [(server.url(), ca_pem), (url, "no certificate".to_owned())] {
        let error = RedisLedger::connect(&url, trusting(Some(ca_pem))).await.expect_err("is refused");
        assert!(matches!(error, LedgerError::Refused { .. }), "{error}");
    }
}
