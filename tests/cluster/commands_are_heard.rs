//! Pause, resume and cancel in the middle of a job, even when the ledger forgets them.

use std::time::Duration;

use shardmill_shared::job::{Control, JobState};
use shardmill_shared::ledger::{Ledger, RunState};
use shardmill_tests::cluster::Cluster;

use crate::{SCHEDULER, SPEC, WORKER};

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_a_paused_job_stays_paused_and_a_cancelled_one_cancelled() {
    let mut cluster = Cluster::start();
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    let job = cluster.submit("job-1", SPEC).await;
    cluster.until_done(&job, 5).await;
    let (records, ledger) = (cluster.records(), cluster.ledger().await);
    records.command(&job, &Control::Pause).await.unwrap();
    ledger.set_run_state(&job, RunState::Paused).await.unwrap();
    let is_quiet = async || {
        let view = ledger.view(&job).await;
        view.is_ok_and(|view| view.run_state == RunState::Paused && view.stages.iter().all(|stage| stage.leased == 0))
    };
    cluster.until("nothing runs", 20, is_quiet).await;
    cluster.servers().redis.flush_all().unwrap();
    cluster.until("the pause is known again", 20, is_quiet).await;
    let done = async || ledger.progress(&job).await.unwrap().stages.iter().map(|stage| stage.shards_done).sum::<u64>();
    let before = done().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(done().await, before, "a paused job goes on");

    records.command(&job, &Control::Resume).await.unwrap();
    ledger.set_run_state(&job, RunState::Running).await.unwrap();
    cluster.until_done(&job, before + 5).await;

    records.command(&job, &Control::Cancel).await.unwrap();
    ledger.set_run_state(&job, RunState::Stopped).await.unwrap();
    let ending = cluster.ended(&job, 20).await;
    assert_eq!(ending.state, JobState::Cancelled);
    let place = records.place(&job).await.unwrap().unwrap();
    let success: Option<shardmill_shared::job::Success> =
        place.find(&shardmill_shared::job::Key::Success).await.unwrap();
    assert_eq!(success, None, "a cancelled job publishes nothing");
}
