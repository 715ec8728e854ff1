//! Jobs through the API, from the command line: on a cluster, and in one process that is killed.

use shardmill_shared::job::{JobState, Key, Manifest};
use shardmill_tests::cluster::{Cluster, undisturbed};

use crate::{API, SCHEDULER, SPEC, WORKER, id};

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_job_is_submitted_watched_and_found() {
    let mut cluster = Cluster::start();
    cluster.write("spec.yaml", SPEC);
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("api", API);
    let first = cluster.api();
    let submit = ["submit", "spec.yaml", "--idempotency-key", "tonight"];
    let (code, output) = cluster.client(&first, &submit);
    assert_eq!(code, Some(0), "{output}");
    let job = id(&output);
    // The API that answered dies; another knows everything.
    cluster.kill("api");
    assert_eq!(cluster.client(&first, &["job", "list"]).0, Some(4));
    cluster.role("api", API);
    let api = cluster.api();
    let (code, again) = cluster.client(&api, &submit);
    assert_eq!((code, id(&again)), (Some(0), job.clone()), "{again}");
    let (code, output) = cluster.client(&api, &["job", "watch", &job.to_string()]);
    assert_eq!(code, Some(0), "{output}\n{}", cluster.logs());
    assert!(output.contains("succeeded") && output.contains("version=1"), "{output}");
    let (code, output) = cluster.client(&api, &["dataset", "versions", "shop"]);
    assert!(code == Some(0) && output.contains("version=1"), "{output}");
    let place = cluster.records().place(&job).await.unwrap().unwrap();
    let manifest: Manifest = place.read(&Key::Manifest).await.unwrap();
    assert_eq!(manifest, undisturbed(SPEC));

    cluster.write("bad.yaml", "shardmill: 1\nname: x\ntables: {a: {rows: 5, colums: {}}}\n");
    let (code, output) = cluster.client(&api, &["submit", "bad.yaml"]);
    assert!(code == Some(2) && output.contains("line 3") && output.contains("colums"), "{output}");
    cluster.write("shardmill-admin.key", "smk_0123456789012345678901234567890123456789");
    assert_eq!(cluster.client(&api, &["job", "list"]).0, Some(1), "a key that nobody knows");
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_commands_come_through_the_api() {
    let mut cluster = Cluster::start();
    cluster.write("spec.yaml", SPEC);
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("api", API);
    let api = cluster.api();
    let job = id(&cluster.client(&api, &["submit", "spec.yaml"]).1);
    cluster.until_done(&job, 5).await;
    let state = |word: &str| cluster.client(&api, &["job", "show", &job.to_string()]).1.contains(word);
    assert_eq!(cluster.client(&api, &["job", "pause", &job.to_string()]).0, Some(0));
    cluster.until("it is paused", 10, async || state("paused")).await;
    assert_eq!(cluster.client(&api, &["job", "priority", &job.to_string(), "9"]).0, Some(0));
    assert!(state("priority=9"));
    assert_eq!(cluster.client(&api, &["job", "resume", &job.to_string()]).0, Some(0));
    cluster.until_done(&job, 10).await;
    assert_eq!(cluster.client(&api, &["job", "cancel", &job.to_string()]).0, Some(0));
    let records = cluster.records();
    let is_over = async || records.ending(&job, 0).await.unwrap().is_some_and(|end| end.state == JobState::Cancelled);
    cluster.until("it is cancelled", 20, is_over).await;
    assert_eq!(cluster.client(&api, &["job", "watch", &job.to_string()]).0, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_with_every_role_survives_kills() {
    let mut alone = Cluster::alone();
    alone.write("spec.yaml", SPEC);
    alone.role("all", &["--slots", "2"]);
    let (code, output) = alone.client(&alone.api(), &["submit", "spec.yaml"]);
    assert_eq!(code, Some(0), "{output}");
    let job = id(&output);
    let records = alone.records();
    let commits = async || match records.place(&job).await.unwrap() {
        Some(place) => place.store.list(Some(&place.path(&Key::Job))).await.unwrap().next_page().await.unwrap().len(),
        None => 0,
    };
    for least in [10, 30] {
        alone.until("shards are committed", 60, async || commits().await > least).await;
        alone.kill("all");
        alone.role("all", &["--slots", "2"]);
    }
    let (code, output) = alone.client(&alone.api(), &["job", "watch", &job.to_string()]);
    assert_eq!(code, Some(0), "{output}\n{}", alone.logs());
    let place = records.place(&job).await.unwrap().unwrap();
    let manifest: Manifest = place.read(&Key::Manifest).await.unwrap();
    assert_eq!(manifest, undisturbed(SPEC));
}
