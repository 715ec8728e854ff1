//! Attempts are bounded; a shard that fails for good fails the job, after everything else was committed.

use std::sync::Arc;

use shardmill_cli::local::RunError;
use shardmill_shared::ledger::ATTEMPTS;
use shardmill_shared::store::MemoryStore;
use shardmill_tests::sandbox::{Scripted, folder, job, run, tree, undisturbed};

#[tokio::test(start_paused = true)]
async fn a_shard_that_recovers_is_tried_again() {
    run(job(Arc::new(MemoryStore::default()), Scripted::failing("users/1", ATTEMPTS - 1))).await.expect("recovers");
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_always_fails_ends_the_job_unpublished() {
    let root = tempfile::tempdir().expect("makes");
    let store = || Arc::new(folder(root.path()));
    let failed = run(job(store(), Scripted::failing("users/1", u32::MAX))).await.expect_err("fails");
    assert_eq!(
        failed.to_string(),
        "1 shards failed; users/1 after 3 attempts: the file cannot be written: told to fail"
    );
    let left = tree(root.path());
    assert!(!left.contains_key("_SUCCESS") && !left.contains_key("users/part-00001.csv"));
    assert_eq!(left.keys().filter(|key| key.contains("/part-")).count(), 6, "the others are there: {:?}", left.keys());
    run(job(store(), Scripted::default())).await.expect("the next run mends it");
    assert_eq!(tree(root.path()), undisturbed(Scripted::default()).await);
}

#[tokio::test(start_paused = true)]
async fn what_needs_a_failed_stage_never_starts() {
    let root = tempfile::tempdir().expect("makes");
    let failing = Scripted::failing("orders-count/2", u32::MAX);
    run(job(Arc::new(folder(root.path())), failing)).await.expect_err("fails");
    assert!(!root.path().join("orders").exists());
    assert!(root.path().join("users/part-00002.csv").exists());
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_of_its_shard() {
    let executor = Scripted { panics_at: Some("users/0".to_owned()), ..Scripted::default() };
    let failed = run(job(Arc::new(MemoryStore::default()), executor)).await.expect_err("fails");
    assert!(matches!(&failed, RunError::Failed(given_up) if given_up.len() == 1), "{failed}");
    assert!(failed.to_string().contains("panicked"), "{failed}");
}
