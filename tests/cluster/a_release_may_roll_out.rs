//! A release whose files have other bytes rolls out in the middle of a job. The roles of both run in the test's own process,
//! over the real queue and ledger: one executable has one writer only.

use std::collections::BTreeMap;

use shardmill_shared::job::{Commit, Digest, JobId, JobState, Key, PRIORITY_USUAL, ShardId, StageId};
use shardmill_shared::process::Stop;
use shardmill_tests::cluster::Cluster;
use shardmill_tests::sandbox::{Release, SHARD_ROWS, submission};

const SHARDS: u64 = 60;

/// Who wrote how many files of a job. Each must be what its commit says, and of one writer.
async fn writers(cluster: &Cluster, job: &JobId, shards: std::ops::Range<u64>) -> BTreeMap<String, usize> {
    let place = cluster.records().place(job).await.unwrap().unwrap();
    let mut writers = BTreeMap::new();
    for index in shards {
        let shard = ShardId { stage: StageId::new("users").unwrap(), index };
        let Some(commit) = place.find::<Commit>(&Key::Commit(shard)).await.unwrap() else { continue };
        let file = &commit.files[0];
        let bytes = place.store.read(&place.layout.file(&file.key)).await.unwrap();
        assert_eq!((bytes.len() as u64, Digest::of(&bytes)), (file.bytes, file.blake3), "{}", file.key);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut of_rows: Vec<&str> = text.lines().map(|line| line.split_once(',').unwrap().1).collect();
        assert_eq!(of_rows.len() as u64, SHARD_ROWS);
        of_rows.dedup();
        assert_eq!(of_rows.len(), 1, "a file of two writers: {text}");
        *writers.entry(of_rows[0].to_owned()).or_default() += 1;
    }
    writers
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_job_stays_with_its_writer_while_that_has_workers() {
    let cluster = Cluster::start();
    let (old, new) = (Release::new("old"), Release::new("new"));
    let (stop_old, drain_old, stop_new, drain_new) =
        (Stop::default(), Stop::default(), Stop::default(), Stop::default());
    let at_old = cluster.meeting(2).await;
    let at_new = cluster.meeting(2).await;

    let (scheduler, worker) = (old.scheduler(&at_old, &stop_old), old.worker(&at_old, &drain_old));
    let old_scheduler = tokio::spawn(async move { scheduler.run().await });
    let old_worker = tokio::spawn(async move { worker.run(2).await });
    let submission = submission("job-1", SHARDS, PRIORITY_USUAL);
    cluster.records().submit(&submission).await.unwrap();
    let job = submission.job;
    old.gate.open(20);
    cluster.until_done(&job, 20).await;

    // The new release comes, schedulers first, and the old workers stay for a while.
    let (scheduler, worker) = (new.scheduler(&at_new, &stop_new), new.worker(&at_new, &drain_new));
    new.gate.open(SHARDS);
    let new_worker = tokio::spawn(async move { worker.run(2).await });
    stop_old.set();
    old_scheduler.await.unwrap();
    let new_scheduler = tokio::spawn(async move { scheduler.run().await });
    old.gate.open(20);
    cluster.until_done(&job, 40).await;
    assert_eq!(
        writers(&cluster, &job, 0..SHARDS).await,
        [("old".to_owned(), 40)].into(),
        "both live: the old one goes on"
    );

    // The old workers end what they have, and are gone.
    drain_old.set();
    old.gate.open(SHARDS);
    old_worker.await.unwrap();
    let ending = cluster.ended(&job, 120).await;
    assert_eq!(ending.state, JobState::Succeeded, "{ending:?}");
    let writers = writers(&cluster, &job, 0..SHARDS).await;
    assert_eq!(writers.values().sum::<usize>() as u64, SHARDS);
    assert!(writers["old"] >= 40 && writers["new"] > 0, "{writers:?}");
    assert_eq!(cluster.manifest(&job).await.writer, "new", "whoever it is pinned to at the end");

    drain_new.set();
    stop_new.set();
    new_worker.await.unwrap();
    new_scheduler.await.unwrap();
}
