//! Clocks of machines that run too fast, too slow and hours apart. The roles run in the test's own process, each with a clock
//! of its own, over the real queue and ledger.

use std::sync::Arc;

use async_trait::async_trait;
use shardmill_shared::job::{JobState, PRIORITY_USUAL};
use shardmill_shared::process::{Clock, Stop};
use shardmill_tests::cluster::Cluster;
use shardmill_tests::sandbox::{Release, clock, submission};

const SHARDS: u64 = 60;

/// A clock that goes wrong.
#[derive(Debug)]
struct Skewed {
    right: Arc<dyn Clock>,
    /// Its milliseconds in ten of the right one's.
    in_ten: u64,
    ahead_ms: u64,
}

#[async_trait]
impl Clock for Skewed {
    fn now_ms(&self) -> u64 {
        self.ahead_ms + self.right.now_ms() * self.in_ten / 10
    }

    fn unix_ms(&self) -> u64 {
        self.ahead_ms + self.right.unix_ms()
    }

    async fn sleep_until(&self, due_ms: u64) {
        self.right.sleep_until(due_ms.saturating_sub(self.ahead_ms).saturating_mul(10).div_ceil(self.in_ten)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_clocks_may_differ() {
    let cluster = Cluster::start();
    const HOUR_MS: u64 = 3_600_000;
    let with = |in_ten, ahead_ms| Release {
        clock: Arc::new(Skewed { right: clock(), in_ten, ahead_ms }),
        ..Release::new("w 1")
    };
    // The worker's heartbeats come three times too late, and the scheduler looks three times too often; then the other way.
    for (job, of_scheduler, of_worker) in
        [("job-1", with(30, 5 * HOUR_MS), with(3, 0)), ("job-2", with(3, 0), with(30, HOUR_MS))]
    {
        let (at_scheduler, at_worker) = (cluster.meeting(2).await, cluster.meeting(2).await);
        let stop = Stop::default();
        let (scheduler, worker) = (of_scheduler.scheduler(&at_scheduler, &stop), of_worker.worker(&at_worker, &stop));
        let roles =
            [tokio::spawn(async move { scheduler.run().await }), tokio::spawn(async move { worker.run(2).await })];
        let submission = submission(job, SHARDS, PRIORITY_USUAL);
        cluster.records().submit(&submission).await.unwrap();
        of_worker.gate.open(SHARDS / 2);
        cluster.until_done(&submission.job, SHARDS / 2).await;
        let view = at_worker.ledger.view(&submission.job).await.unwrap();
        assert!(
            view.stages.iter().flat_map(|stage| &stage.waiting).all(|shard| shard.attempt == 1),
            "nobody died: {view:?}"
        );
        of_worker.gate.open(SHARDS);
        let ending = cluster.ended(&submission.job, 120).await;
        assert_eq!(ending.state, JobState::Succeeded, "{ending:?}");
        assert_eq!(of_worker.gate.passed().len() as u64, SHARDS, "each shard ran once");
        assert_eq!(cluster.manifest(&submission.job).await.tables[0].files, SHARDS);
        stop.set();
        for role in roles {
            role.await.unwrap();
        }
    }
}
