//! What operators see of a job: its trace from the request to the shards, its lines in the logs, its counts.

use serde_json::Value;
use shardmill_servers::collector::{Collector, Seen};
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, WORKER};

const SMALL: &str = "
shardmill: 1
name: shop
output: {format: csv, shard_rows: 100}
tables: {users: {rows: 1000, columns: {id: {sequence: 1}}}}
";

/// What a client sends that is traced itself.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn observed(collector: &Collector, shard_ratio: &str) -> Vec<(&'static str, String)> {
    vec![
        ("SHARDMILL_LOG__FORMAT", "json".to_owned()),
        ("SHARDMILL_LOG__LEVEL", "info,shardmill_worker=debug,lapin=off,async_rs=off".to_owned()),
        ("SHARDMILL_TRACES__ENDPOINT", collector.endpoint()),
        ("SHARDMILL_TRACES__SHARD_RATIO", shard_ratio.to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ]
}

/// Submits the small spec as a client that is traced, and answers the job's id.
fn submit(cluster: &Cluster) -> String {
    let headers = [("traceparent", TRACEPARENT), ("x-request-id", "the-request")];
    let answer = cluster.post(&cluster.api(), "/v1/jobs", &headers, SMALL);
    answer["id"].as_str().unwrap_or_else(|| panic!("{answer}\n{}", cluster.logs())).to_owned()
}

/// The lines of a log that are JSON.
fn lines(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn named<'a>(spans: &'a [Seen], name: &str) -> Vec<&'a Seen> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// The steps of an attempt, each below its shard.
fn has_steps(spans: &[Seen], shard: &Seen) -> bool {
    let is_below = |name: &str| spans.iter().any(|span| span.name == name && span.parent == shard.id);
    ["begin", "rows", "upload", "commit", "report"].into_iter().all(is_below)
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_trace_goes_from_the_request_to_every_shard() {
    let collector = Collector::start().unwrap();
    let settings = observed(&collector, "1");
    let mut cluster = Cluster::start();
    cluster.role_with("scheduler", SCHEDULER, &settings);
    cluster.role_with("worker", WORKER, &settings);
    // As all programs with OpenTelemetry are told.
    let (name, endpoint) = ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
    let shared: Vec<_> = settings
        .into_iter()
        .filter(|(name, _)| !name.ends_with("TRACES__ENDPOINT"))
        .chain([(name, endpoint)])
        .collect();
    cluster.role_with("api", &["--role", "api"], &shared);
    let job = submit(&cluster);
    let all_came = async || {
        let spans = collector.seen();
        let shards = named(&spans, "shard");
        named(&spans, "job").len() == 1 && shards.len() >= 10 && shards.iter().all(|shard| has_steps(&spans, shard))
    };
    cluster.until("all spans came", 60, all_came).await;
    let spans = collector.seen();

    let request = named(&spans, "POST /v1/jobs")[0];
    assert_eq!((request.role.as_str(), request.trace.as_str()), ("api", TRACE));
    assert_eq!(request.parent, "b7ad6b7169203331");
    assert_eq!(request.attributes["request.id"], "the-request");
    let of_job = named(&spans, "job")[0];
    assert_eq!((of_job.role.as_str(), of_job.trace.as_str(), &of_job.parent), ("scheduler", TRACE, &request.id));
    assert_eq!(of_job.attributes["job.id"], job);
    for step in ["plan", "dispatch", "publish"] {
        assert_eq!(named(&spans, step)[0].parent, of_job.id, "{step}");
    }
    for shard in named(&spans, "shard") {
        assert_eq!((shard.role.as_str(), shard.parent.as_str()), ("worker", ""), "an attempt is a trace of its own");
        assert_eq!(shard.links, [TRACE], "{shard:?}");
        assert_eq!((&shard.attributes["job.id"], &shard.failure), (&job, &None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_kept_and_every_line_tells_whose_it_is() {
    let collector = Collector::start().unwrap();
    let mut alone = Cluster::alone();
    // A folder where a shard's file ought to be: its attempts fail, and the others do not.
    alone.make_folder("store/default/datasets/shop/1/users/part-00003.csv/in-the-way");
    alone.role_with("all", &["--slots", "2"], &observed(&collector, "0"));
    let job = submit(&alone);
    let tried_thrice = async || {
        let spans = collector.seen();
        named(&spans, "shard").len() >= 3 && !named(&spans, "job").is_empty()
    };
    alone.until("the failed attempts and the job came", 60, tried_thrice).await;
    let spans = collector.seen();
    for shard in named(&spans, "shard") {
        assert_eq!(shard.attributes["shard.id"], "users/3", "only failures are kept");
        assert!(shard.failure.as_ref().is_some_and(|reason| reason.contains("part-00003.csv")), "{shard:?}");
        assert_eq!(shard.links, [TRACE]);
        assert!(spans.iter().any(|span| span.name == "rows" && span.parent == shard.id), "its steps are kept too");
    }
    let attempts: Vec<&str> = named(&spans, "shard").iter().map(|shard| shard.attributes["attempt"].as_str()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
    assert!(named(&spans, "job")[0].failure.as_ref().is_some_and(|reason| reason.contains("users/3")), "{spans:?}");

    let lines = lines(&alone.whole_log());
    let of = |target: &str| lines.iter().filter(|line| line["target"] == target).collect::<Vec<_>>();
    let (attempts, jobs, requests) =
        (of("shardmill_worker::take"), of("shardmill_scheduler::lead::course"), of("shardmill_api::observe"));
    assert!(attempts.len() >= 12 && jobs.len() >= 2 && !requests.is_empty(), "{}", alone.logs());
    for line in attempts {
        let shard = line["shard.id"].as_str().unwrap_or_else(|| panic!("{line}"));
        assert!(shard.starts_with("users/") && line["attempt"].is_u64() && line["worker"].is_string(), "{line}");
        assert_eq!(line["job.id"], job.as_str(), "{line}");
    }
    for line in jobs {
        assert_eq!((&line["job.id"], &line["tenant"]), (&Value::from(job.as_str()), &Value::from("default")), "{line}");
    }
    let submitted = requests.iter().find(|line| line["request.id"] == "the-request").unwrap();
    assert_eq!((&submitted["route"], &submitted["status"]), (&Value::from("/v1/jobs"), &Value::from(202)));
    assert_eq!(submitted["tenant"], "default");
    assert!(!alone.whole_log().contains("smk_"), "a key is in the logs");
    assert!(!format!("{spans:?}").contains("smk_"), "a key is in the traces");

    let page = alone.get(&alone.metrics(), "/metrics");
    for series in [
        "shardmill_shards_done_total{pool=\"generate\"} 9",
        "shardmill_shards_failed_total{pool=\"generate\",class=\"store\"} 3",
        "shardmill_jobs_ended_total{state=\"failed\"} 1",
        "shardmill_rows_total{pool=\"generate\"} 900",
        "shardmill_http_requests_total{method=\"POST\",route=\"/v1/jobs\",status=\"202\"} 1",
        "shardmill_jobs_open 0",
    ] {
        assert!(page.contains(series), "no {series} in\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_harms_nobody_and_is_told_once() {
    let mut settings = observed(&Collector::start().unwrap(), "1");
    // Nobody listens there, and no test is ever given that port.
    let gone = "127.0.0.1:9";
    settings.retain(|(name, _)| *name != "SHARDMILL_TRACES__ENDPOINT");
    settings.push(("SHARDMILL_TRACES__ENDPOINT", format!("http://user:secret@{gone}")));
    let mut alone = Cluster::alone();
    alone.role_with("all", &["--slots", "2"], &settings);
    let job = submit(&alone);
    let (code, output) = alone.client(&alone.api(), &["job", "watch", &job]);
    assert_eq!(code, Some(0), "{output}\n{}", alone.logs());
    let is_told = async || alone.whole_log().contains("the collector of traces does not take them");
    alone.until("the loss is told", 30, is_told).await;
    let log = alone.newest_log().to_owned();
    assert_eq!(alone.terminate("all"), Some(0));
    let text = std::fs::read_to_string(log).unwrap();
    assert_eq!(text.matches("the collector of traces").count(), 1, "{text}");
    assert!(!text.contains("secret") && !text.contains("opentelemetry"), "{text}");
}
