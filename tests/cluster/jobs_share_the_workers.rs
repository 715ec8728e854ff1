//! Several jobs at once, of one dataset.

use shardmill_shared::job::JobState;
use shardmill_tests::cluster::{Cluster, undisturbed};

use crate::{SCHEDULER, SPEC, WORKER};

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_two_jobs_of_one_dataset_make_two_versions() {
    let mut cluster = Cluster::start();
    cluster.role("scheduler", SCHEDULER);
    cluster.role("worker", WORKER);
    cluster.role("worker", WORKER);
    let other = SPEC.replace("name: shop", "name: shop\nseed: 9");
    let jobs = [cluster.submit("job-1", SPEC).await, cluster.submit("job-2", &other).await];
    let expected = [undisturbed(SPEC), undisturbed(&other)];
    let mut versions = Vec::new();
    for (job, expected) in jobs.iter().zip(expected) {
        let ending = cluster.ended(job, 180).await;
        assert_eq!(ending.state, JobState::Succeeded, "{ending:?}\n{}", cluster.logs());
        assert_eq!(cluster.manifest(job).await, expected);
        versions.push(cluster.version(job).await);
    }
    versions.sort_unstable();
    assert_eq!(versions, [1, 2]);
}
