//! A job through its states, its shards and its failures.

use serde_json::{Value, json};
use shardmill_shared::job::{
    Account, Commit, Digest, Failure, FailureClass, FileEntry, GivenUp, Outcome, Scope, ShardId, Stage, StageId,
};
use shardmill_shared::ledger::{Begin, Company, Lease, Ledger, Runner, WorkerId};

use super::*;
use crate::testing::{SPEC, World, acme, get, plan};

fn stage() -> StageId {
    StageId::new("users").expect("allowed")
}

fn shard(index: u64) -> ShardId {
    ShardId { stage: stage(), index }
}

fn runner() -> Runner {
    Runner { worker: WorkerId("w".to_owned()), writer: "w 1".to_owned(), company: Company::Others }
}

async fn fail(world: &World, job: &JobId, index: u64, message: &str) {
    fail_with(world, job, index, Failure::new(Scope::Final, message)).await;
}

async fn fail_with(world: &World, job: &JobId, index: u64, failure: Failure) {
    let begun = world.ledger.begin(job, &shard(index), &runner()).await.expect("begins");
    let Begin::Go(fence) = begun else { panic!("{begun:?}") };
    let lease = Lease { job: job.clone(), shard: shard(index), fence };
    world.ledger.report(&lease, &Outcome::Failed(failure)).await.expect("reports");
}

async fn read(world: &World, job: &JobId, what: &str) -> Value {
    world.send(get(&format!("/v1/jobs/{job}{what}"))).await.json()
}

#[tokio::test]
async fn a_job_goes_through_its_states() {
    let world = World::new().await;
    let job = world.planned().await;
    let at = |job: &Value| (job["state"].clone(), job["version"].clone());
    assert_eq!(at(&read(&world, &job, "").await), (json!("running"), json!(3)), "the ledger knows nothing yet");
    world.ledger.set_run_state(&job, shardmill_shared::ledger::RunState::Running).await.expect("tells");
    assert_eq!(at(&read(&world, &job, "").await), (json!("planning"), json!(3)));
    world.ledger.open(&job, &stage(), 10).await.expect("opens");
    world.ledger.mark_done(&job, &shard(0), Made { rows: 10, bytes: 200 }).await.expect("marks");
    let running = read(&world, &job, "").await;
    assert_eq!(at(&running), (json!("running"), json!(3)));
    let stages = json!([{"stage": "users", "shards_done": 1, "shards_total": 10, "shards_failed": 0,
        "made": {"rows": 10, "bytes": 200}}]);
    assert_eq!((&running["progress"]["stages"], &running["made"]), (&stages, &json!({"rows": 10, "bytes": 200})));
    let made = Made { rows: 100, bytes: 2_000 };
    let manifest = shardmill_shared::job::Digest::of(b"m");
    let ending = Ending {
        state: JobState::Succeeded,
        message: None,
        ended_ms: 1_793_000_060_000,
        made,
        manifest: Some(manifest),
        spent: None,
    };
    world.records().end(&job, 0, &ending).await.expect("ends");
    let over = read(&world, &job, "").await;
    assert_eq!((&over["state"], &over["progress"]), (&json!("succeeded"), &Value::Null));
    assert_eq!(over["ended"], "2026-10-26T07:34:20.000Z");
    assert_eq!(over["links"]["version"], "/v1/datasets/shop/versions/3");
    assert_eq!(over["manifest"], manifest.to_string());
}

#[tokio::test]
async fn a_job_whose_shards_are_all_committed_is_finishing() {
    let world = World::new().await;
    let job = world.planned().await;
    world.ledger.open(&job, &stage(), 2).await.expect("opens");
    for index in 0..2 {
        assert_eq!(read(&world, &job, "").await["state"], "running");
        world.ledger.mark_done(&job, &shard(index), Made::default()).await.expect("marks");
    }
    assert_eq!(read(&world, &job, "").await["state"], "finishing");
}

#[tokio::test]
async fn a_job_with_a_stage_to_come_is_running() {
    let world = World::new().await;
    let job = world.planned().await;
    let place = world.records().place(&job).await.expect("reads").expect("is placed");
    let mut longer = plan(&acme(), SPEC);
    let last = Stage { id: StageId::new("orders").expect("allowed"), ..longer.stages[0].clone() };
    longer.stages.push(last);
    place.put(&Key::Plan, &longer).await.expect("plans");
    world.ledger.open(&job, &stage(), 1).await.expect("opens");
    world.ledger.mark_done(&job, &shard(0), Made::default()).await.expect("marks");
    let running = read(&world, &job, "").await;
    assert_eq!(running["state"], "running");
    assert_eq!(running["progress"]["stages"][1]["shards_total"], Value::Null);
}

#[tokio::test]
async fn shards_are_counted_stage_by_stage() {
    let world = World::new().await;
    let unplanned = world.submit().await;
    assert_eq!(read(&world, &unplanned, "/shards").await, json!({"stages": []}));
    let job = world.planned().await;
    let unknown = read(&world, &job, "/shards").await;
    assert_eq!((&unknown["stages"][0]["total"], &unknown["stages"][0]["done"]), (&json!(10), &Value::Null));
    world.ledger.open(&job, &stage(), 10).await.expect("opens");
    world.ledger.mark_done(&job, &shard(0), Made::default()).await.expect("marks");
    fail(&world, &job, 4, "row 41 cannot be made").await;
    world.ledger.begin(&job, &shard(5), &runner()).await.expect("begins");
    let known = read(&world, &job, "/shards").await;
    let expected = json!({"stage": "users", "pool": "generate", "total": 10, "done": 1, "leased": 1, "waiting": 7,
        "failed": 1, "failures": [{"index": 4, "attempts": 1, "deaths": 0, "message": "row 41 cannot be made"}]});
    assert_eq!(known["stages"], json!([expected]));
}

#[tokio::test]
async fn failures_are_grouped_with_the_most_frequent_first() {
    let world = World::new().await;
    let job = world.planned().await;
    world.ledger.open(&job, &stage(), 10).await.expect("opens");
    for (index, class, column, message) in FAILURES {
        let column = column.map(str::to_owned);
        fail_with(&world, &job, index, Failure { class, column, ..Failure::new(Scope::Final, message) }).await;
    }
    let failures = read(&world, &job, "/failures").await;
    let groups = failures["failures"].as_array().expect("a list");
    let summary: Vec<_> = groups.iter().map(|group| (&group["class"], &group["column"], &group["count"])).collect();
    let expected = [("refused", Some("users.age"), 2), ("store", None, 1), ("refused", Some("users.name"), 1)];
    let expected = expected.map(|(class, column, count)| (json!(class), json!(column), json!(count)));
    assert_eq!(summary, expected.iter().map(|(class, column, count)| (class, column, count)).collect::<Vec<_>>());
    assert_eq!(groups[0]["first"], json!({"shard": "users/2", "message": "20", "attempts": 1, "deaths": 0}));
    assert!(groups[0]["hint"].as_str().is_some_and(|hint| hint.contains("change")), "{failures}");
}

const FAILURES: [(u64, FailureClass, Option<&str>, &str); 4] = [
    (1, FailureClass::Store, None, "busy"),
    (2, FailureClass::Refused, Some("users.age"), "20"),
    (3, FailureClass::Refused, Some("users.age"), "30"),
    (4, FailureClass::Refused, Some("users.name"), "40"),
];

#[tokio::test]
async fn shards_and_failures_are_known_after_the_end() {
    let world = World::new().await;
    let job = world.planned().await;
    let place = world.records().place(&job).await.expect("reads").expect("is placed");
    let key = shardmill_shared::job::ObjectPath::new("users/part-00000.csv").expect("allowed");
    let file = FileEntry { key, rows: 10, bytes: 9, blake3: Digest::of(b"x") };
    let commit = Commit { shard: shard(0), rows: 10, files: vec![file], account: Account::written(10), counted: None };
    place.put(&Key::Commit(shard(0)), &commit).await.expect("commits");
    let failure = Failure { column: Some("users.age".to_owned()), ..Failure::new(Scope::Final, "41 is no age") };
    let given_up = GivenUp { shard: shard(4), attempts: 1, deaths: 0, failure };
    world.records().give_up(&job, 0, &[given_up]).await.expect("puts");
    let message = Some("1 shards failed".to_owned());
    let ending =
        Ending { state: JobState::Failed, message, ended_ms: 1, made: Made::default(), manifest: None, spent: None };
    world.records().end(&job, 0, &ending).await.expect("ends");

    let failures = read(&world, &job, "/failures").await;
    assert_eq!(failures["message"], "1 shards failed");
    assert_eq!(
        (&failures["failures"][0]["column"], &failures["failures"][0]["count"]),
        (&json!("users.age"), &json!(1))
    );
    let stage = &read(&world, &job, "/shards").await["stages"][0];
    let counts = ["total", "done", "leased", "waiting", "failed"].map(|name| stage[name].as_u64());
    assert_eq!(counts, [Some(10), Some(1), Some(0), Some(8), Some(1)], "{stage}");
    let page = read(&world, &job, "/shards/users?limit=5").await;
    let states: Vec<_> = page["shards"].as_array().expect("a list").iter().map(|shard| &shard["state"]).collect();
    assert_eq!(states, ["done", "open", "open", "open", "failed"]);
    assert_eq!(page["shards"][0]["files"][0]["blake3"], Digest::of(b"x").to_string());
    assert_eq!(page["shards"][4]["failure"]["message"], "41 is no age");
    let rest = read(&world, &job, "/shards/users?limit=5&cursor=5").await;
    assert_eq!((&rest["shards"][4]["index"], &rest["next"]), (&json!(9), &Value::Null));
    assert_eq!(read(&world, &job, "/shards/users?cursor=18446744073709551615").await["shards"], json!([]));
    for (path, status) in [("/shards/users?cursor=x", 400), ("/shards/users?limit=0", 400), ("/shards/orders", 404)] {
        assert_eq!(world.send(get(&format!("/v1/jobs/{job}{path}"))).await.status, status, "{path}");
    }
    assert_eq!(world.send(get(&format!("/v1/jobs/{job}/spec"))).await.body, SPEC);
}
