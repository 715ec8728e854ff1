//! A shard that needs more memory than its worker has ends the worker, whoever takes it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use shardmill_shared::job::{Ending, JobId, JobState};
use shardmill_tests::cluster::{Cluster, undisturbed};

use crate::{API, SCHEDULER, id};

/// Forty shards of some kilobytes; that of index 20 has four hundred texts of a megabyte.
const SPEC: &str = "
shardmill: 1
name: notes
output: {shard_rows: 1000}
tables:
  notes:
    rows: 40000
    columns:
      id: {sequence: 1}
      name: {faker: name}
      note: {expression: \"rpad('x', 1000000, 'y') if id > 20000 and id <= 20400 else 'short'\"}
";
const POISON: &str = "notes/20";
/// Five times what a worker has at its usual work, and less than the texts of that shard.
const MEMORY_BYTES: u64 = 300 << 20;
const WORKER: &[&str] = &["--role", "worker", "--slots", "2"];

/// Waits for the end of a job whose workers die, and counts how often one did.
async fn ended(cluster: &mut Cluster, job: &JobId) -> (Ending, usize) {
    let mut deaths = 0;
    for _ in 0..2_000 {
        deaths += cluster.revive();
        if let Some(ending) = cluster.records().ending(job, 0).await.unwrap() {
            return (ending, deaths);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the job does not end\n{}", cluster.logs());
}

/// When each file of the table was written.
fn written(store: &Path) -> BTreeMap<String, SystemTime> {
    let files = std::fs::read_dir(store.join("default/datasets/notes/1/notes")).unwrap().map(Result::unwrap);
    let written =
        files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().modified().unwrap()));
    // What a worker leaves that dies over a file is hidden.
    written.filter(|(name, _)| !name.starts_with('.')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn needs_rabbitmq_needs_redis_it_fails_alone_and_is_retried_alone() {
    let mut cluster = Cluster::start();
    cluster.write("spec.yaml", SPEC);
    cluster.role("api", API);
    let api = cluster.api();
    cluster.role("scheduler", SCHEDULER);
    cluster.role_within(MEMORY_BYTES, "worker", WORKER);
    cluster.role_within(MEMORY_BYTES, "worker", WORKER);
    let (code, output) = cluster.client(&api, &["submit", "spec.yaml"]);
    assert_eq!(code, Some(0), "{output}");
    let job = id(&output);
    let (ending, deaths) = ended(&mut cluster, &job).await;
    assert_eq!(ending.state, JobState::Failed, "{ending:?}");
    let message = ending.message.unwrap();
    let expected = format!("1 shards failed; {POISON} after 3 attempts: it ended its worker three times");
    assert!(message.starts_with(&expected), "{message}");
    assert!((2..=3).contains(&deaths), "{deaths} workers died");
    let (code, output) = cluster.client(&api, &["job", "watch", &job.to_string()]);
    assert!(code == Some(1) && output.contains(&expected), "{output}");
    let before = written(&cluster.store_folder());
    assert_eq!(before.len(), 39, "every innocent shard is committed: {before:?}");

    // The operator gives the workers more memory.
    for _ in 0..2 {
        cluster.role("roomy", WORKER);
        cluster.kill("worker");
    }
    let (code, output) = cluster.client(&api, &["job", "retry", &job.to_string()]);
    assert_eq!(code, Some(0), "{output}");
    let (code, output) = cluster.client(&api, &["job", "watch", &job.to_string()]);
    assert!(code == Some(0) && output.contains("succeeded"), "{output}\n{}", cluster.logs());
    assert_eq!(cluster.manifest(&job).await, undisturbed(SPEC));
    let mut after = written(&cluster.store_folder());
    assert!(after.remove("part-00020.parquet").is_some());
    assert_eq!(after, before, "nothing else was made again");
}
