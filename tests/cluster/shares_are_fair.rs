//! Fair shares, shard by shard: the roles run in the test's own process over the real queue and ledger, and the order is that
//! in which shards pass a gate.

use shardmill_shared::job::JobId;
use shardmill_shared::process::Stop;
use shardmill_tests::cluster::Cluster;
use shardmill_tests::sandbox::{Meeting, Release, submission};
use tokio::task::JoinHandle;

const SLOTS: usize = 2;

/// Submits jobs of so many shards and such a priority, and waits until each has shards in the queue.
async fn submit(cluster: &Cluster, meeting: &Meeting, jobs: &[(&str, u64, u8)]) -> Vec<JobId> {
    let mut submitted = Vec::new();
    for (name, shards, priority) in jobs {
        let submission = submission(name, *shards, *priority);
        cluster.records().submit(&submission).await.unwrap();
        submitted.push(submission.job);
    }
    for job in &submitted {
        let is_open = async || meeting.ledger.view(job).await.is_ok_and(|view| !view.stages.is_empty());
        cluster.until("the job is driven", 60, is_open).await;
    }
    submitted
}

fn start(release: &Release, meeting: &Meeting, stop: &Stop) -> [JoinHandle<()>; 2] {
    let (scheduler, worker) = (release.scheduler(meeting, stop), release.worker(meeting, stop));
    [tokio::spawn(async move { scheduler.run().await }), tokio::spawn(async move { worker.run(SLOTS).await })]
}

/// Lets what runs end.
async fn end(release: &Release, stop: &Stop, roles: [JoinHandle<()>; 2]) {
    stop.set();
    release.gate.open(10_000);
    for role in roles {
        role.await.unwrap();
    }
}

/// Shards let through together, and slowly: the window follows the rate, and what a faster second adds to it comes in one
/// piece for each job.
const STEP: usize = 3;
/// Until the window has found its size.
const WARM_UP: usize = 201;
const COUNTED: usize = 999;

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_weights_hold_over_any_five_hundred() {
    let cluster = Cluster::start();
    let meeting = cluster.meeting(SLOTS).await;
    let release = Release::new("w 1");
    let stop = Stop::default();
    let roles = start(&release, &meeting, &stop);
    // A job's weight is its priority and one.
    let jobs = submit(&cluster, &meeting, &[("one", 2_000, 0), ("three", 2_000, 2)]).await;
    for passed in (STEP..=WARM_UP + COUNTED).step_by(STEP) {
        release.gate.open(STEP as u64);
        cluster.until("shards pass", 60, async || release.gate.passed().len() == passed).await;
    }
    let order = release.gate.passed();
    end(&release, &stop, roles).await;
    for (at, part) in order[WARM_UP..].windows(500).enumerate() {
        let of_three = part.iter().filter(|(job, _)| *job == jobs[1]).count();
        assert!((350..=400).contains(&of_three), "{of_three} of the five hundred from {at} on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_small_job_does_not_wait_for_a_large_one() {
    let cluster = Cluster::start();
    let meeting = cluster.meeting(SLOTS).await;
    let release = Release::new("w 1");
    let stop = Stop::default();
    let roles = start(&release, &meeting, &stop);
    let large = submit(&cluster, &meeting, &[("large", 5_000, 4)]).await.remove(0);
    let is_full = async || {
        let stage = meeting.ledger.view(&large).await.unwrap().stages.remove(0);
        stage.leased as usize == SLOTS && stage.waiting.len() == SLOTS
    };
    cluster.until("the large job has all slots, and as many shards wait", 60, is_full).await;
    let small = submit(&cluster, &meeting, &[("small", 5, 4)]).await.remove(0);
    let mut waited = 0;
    loop {
        // One shard ends, and another begins.
        let before = release.gate.passed().len();
        release.gate.open(1);
        cluster.until("a shard passes", 60, async || release.gate.passed().len() > before).await;
        if release.gate.passed()[before].0 == small {
            break;
        }
        waited += 1;
    }
    end(&release, &stop, roles).await;
    // Those that ran and those that waited: two durations. Some more are released while the small job is on its way to ask,
    // which takes its scheduler a few rounds on a busy machine.
    assert!(waited <= 5 * SLOTS, "{waited} shards of the large job ran first, and {SLOTS} run at once");
}
