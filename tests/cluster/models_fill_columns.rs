//! Columns that a model fills, by workers that are killed, over a ledger that is lost: every row once, and never more than the
//! budget by the provider's own bill.

use std::time::Duration;

use serde_json::Value;
use shardmill_shared::job::{JobId, JobState, NanoUsd};
use shardmill_shared::ledger::budget::{Budgets, Scope};
use shardmill_tests::cluster::{Cluster, Provider, TENANT};

use crate::{API, SCHEDULER, id};

/// Twelve shards of fifty reviews and their answers: 1 200 calls.
const REVIEWS: &str = "
shardmill: 1
name: reviews
output: {format: jsonl, shard_rows: 50}
budget: {usd: 5}
tables:
  reviews:
    rows: 600
    columns:
      id: {sequence: 1}
      review: {llm_text: {model: rehearsal/mock-1, prompt: 'Review product {{ id }}.', max_output_tokens: 40}}
      answer: {llm_text: {model: rehearsal/mock-1, prompt: 'Answer {{ review }}', max_output_tokens: 20}}
";
const CALLS: u64 = 1_200;
/// Two shards at a time, of 64 questions each: what a worker that is killed may have paid for in vain.
const WORKER: &[&str] = &["--role", "worker", "--pool", "llm", "--slots", "2"];
const IN_FLIGHT: u64 = 128;

/// Starts a worker: of all roles it alone has the provider's key.
fn worker(cluster: &mut Cluster) {
    cluster.role_with("worker", WORKER, &[("REHEARSAL_KEY", "any".to_owned())]);
}

/// The rows of a version, read from its files.
fn rows(cluster: &Cluster, version: u64) -> Vec<Value> {
    let folder = cluster.store_folder().join(format!("{TENANT}/datasets/reviews/{version}/reviews"));
    let mut parts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    parts.sort();
    let text: String = parts.iter().map(|part| std::fs::read_to_string(part).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn assert_whole(rows: &[Value]) {
    let ids: Vec<u64> = rows.iter().map(|row| row["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=600).collect::<Vec<_>>());
    let is_filled =
        |row: &Value| !row["review"].as_str().unwrap().is_empty() && !row["answer"].as_str().unwrap().is_empty();
    assert!(rows.iter().all(is_filled));
}

async fn charged(cluster: &Cluster, provider: &Provider, calls: u64) {
    cluster.until(&format!("{calls} calls are charged"), 120, async || provider.charged() >= calls).await;
}

/// What the budget says is spent.
async fn spent(cluster: &Cluster, job: &JobId) -> Option<NanoUsd> {
    let tenant = shardmill_shared::job::Name::new(TENANT).unwrap();
    let view = cluster.ledger().await.view_budget(Some(&tenant), &Scope::Job(job.clone())).await;
    view.ok().flatten().map(|view| view.spent)
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_killed_workers_buy_at_most_what_was_in_flight() {
    let mut cluster = Cluster::start();
    let provider = cluster.provider(&["--latency", "150ms"], "");
    cluster.role("scheduler", SCHEDULER);
    worker(&mut cluster);
    let job = cluster.submit("job-1", REVIEWS).await;
    let mut kills = 0;
    for calls in [150, 500, 850] {
        charged(&cluster, &provider, calls).await;
        cluster.kill("worker");
        kills += 1;
        worker(&mut cluster);
    }
    let ending = cluster.ended(&job, 180).await;
    assert_eq!(ending.state, JobState::Succeeded, "{ending:?}\n{}", cluster.logs());
    assert_whole(&rows(&cluster, 1));
    let calls = provider.charged();
    assert!((CALLS..=CALLS + kills * IN_FLIGHT).contains(&calls), "{calls} calls after {kills} kills");
    let (spent, bill) = (ending.spent.unwrap(), provider.nano_dollars());
    assert!(spent >= NanoUsd(bill), "{spent:?} counted, {bill} nano-dollars charged");
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_spent_budget_pauses_the_job_and_a_higher_one_goes_on() {
    let mut cluster = Cluster::start();
    let provider = cluster.provider(&["--latency", "20ms"], "");
    cluster.write("reviews.yaml", &REVIEWS.replace("usd: 5", "usd: 0.02"));
    cluster.role("scheduler", SCHEDULER);
    worker(&mut cluster);
    worker(&mut cluster);
    cluster.role("api", API);
    let api = cluster.api();
    let (code, output) = cluster.client(&api, &["submit", "reviews.yaml", "--watch"]);
    assert_eq!(code, Some(3), "{output}\n{}", cluster.logs());
    assert!(output.contains("waits_for=budget") && output.contains("--raise-to"), "{output}");
    let job = id(output.lines().last().unwrap());
    let (bill, calls) = (provider.nano_dollars(), provider.charged());
    assert!(bill > 0 && bill <= 20_000_000, "{bill} nano-dollars for two cents");
    let (code, output) = cluster.client(&api, &["job", "budget", &job.to_string(), "--raise-to", "0.001"]);
    assert!(code == Some(1) && output.contains("has spent"), "{code:?} {output}");
    // A leader that comes later finds the job as it is.
    cluster.kill("scheduler");
    cluster.role("scheduler", SCHEDULER);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(provider.charged(), calls, "a job that waits buys nothing");

    let (code, output) = cluster.client(&api, &["job", "budget", &job.to_string(), "--raise-to", "5"]);
    assert_eq!(code, Some(0), "{output}");
    let (code, output) = cluster.client(&api, &["job", "watch", &job.to_string()]);
    assert_eq!(code, Some(0), "{output}\n{}", cluster.logs());
    assert_whole(&rows(&cluster, 1));
    assert_eq!(provider.charged(), CALLS, "what two cents have bought is not bought again");
    let ending = cluster.ended(&job, 10).await;
    assert_eq!(ending.spent, Some(NanoUsd(provider.nano_dollars())), "to the last nano-dollar");

    let (code, output) = cluster.client(&api, &["submit", "reviews.yaml", "--watch"]);
    assert_eq!(code, Some(0), "two cents are enough where nothing has changed: {output}\n{}", cluster.logs());
    assert_eq!(provider.charged(), CALLS, "every answer is known from the version before");
    assert_eq!(rows(&cluster, 2), rows(&cluster, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_budget_holds_when_the_ledger_is_lost() {
    let mut cluster = Cluster::start();
    let provider = cluster.provider(&["--latency", "150ms"], "");
    cluster.role("scheduler", SCHEDULER);
    worker(&mut cluster);
    worker(&mut cluster);
    let job = cluster.submit("job-1", &REVIEWS.replace("usd: 5", "usd: 0.12")).await;
    charged(&cluster, &provider, 100).await;
    cluster.servers().redis.flush_all().unwrap();
    charged(&cluster, &provider, 300).await;
    cluster.servers().redis.kill().unwrap();
    cluster.servers().redis.restart().unwrap();
    let records = cluster.records();
    let submission = records.submission(&job).await.unwrap().unwrap();
    let is_parked = async || records.orders(&submission).await.unwrap().is_parked;
    cluster.until("the budget is spent", 120, is_parked).await;
    let bill = NanoUsd(provider.nano_dollars());
    assert!(bill > NanoUsd::ZERO && bill <= NanoUsd(120_000_000), "{bill:?} for twelve cents");
    let counted = spent(&cluster, &job).await;
    assert!(counted.is_some_and(|counted| counted >= bill), "{counted:?} counted, {bill:?} charged");
    records.command(&job, &shardmill_shared::job::Control::Budget { cap: NanoUsd::dollars(5) }).await.unwrap();
    let ending = cluster.ended(&job, 180).await;
    assert_eq!(ending.state, JobState::Succeeded, "{ending:?}\n{}", cluster.logs());
    assert_whole(&rows(&cluster, 1));
    // With the ledger its leases were lost twice: two workers begin their shards again, with every answer that had come.
    let calls = provider.charged();
    assert!((CALLS..=CALLS + 4 * IN_FLIGHT).contains(&calls), "{calls} calls");
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_workers_share_a_providers_limit() {
    let mut cluster = Cluster::start();
    // The provider enforces what the operator says of it.
    let limits = "limits = {requests_per_minute = 6000}";
    let provider = cluster.provider(&["--latency", "50ms", "--requests-per-minute", "6000"], limits);
    cluster.role("scheduler", SCHEDULER);
    for _ in 0..3 {
        worker(&mut cluster);
    }
    let job = cluster.submit("job-1", REVIEWS).await;
    let ending = cluster.ended(&job, 180).await;
    assert_eq!(ending.state, JobState::Succeeded, "{ending:?}\n{}", cluster.logs());
    assert_whole(&rows(&cluster, 1));
    let bill = provider.bill();
    assert_eq!(bill["charged"], CALLS);
    let refused = bill["rate_limited"].as_u64().unwrap_or_else(|| panic!("{bill}"));
    assert!(refused <= CALLS / 100, "{refused} calls were refused: {bill}");
}
