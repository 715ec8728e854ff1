//! No space left, from any operation on: a clear error at once, nothing published, and the next run goes on.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shardmill_tests::sandbox::{Fault, FaultyStore, Scripted, folder, job, run, tree, undisturbed};

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_told_and_leaves_the_rest() {
    let expected = undisturbed(Scripted::default()).await;
    for at in (0..60).step_by(3) {
        let root = tempfile::tempdir().expect("makes");
        let store = FaultyStore::new(Arc::new(folder(root.path())), Fault::Full(at));
        let failed = run(job(Arc::new(store), Scripted::default())).await.expect_err("is full");
        assert!(failed.to_string().contains("no space left to write `the disk`"), "{failed}");
        assert!(!root.path().join("_SUCCESS").exists());
        assert!(tree(root.path()).keys().all(|key| !key.contains("/.shardmill-")), "half a file stays");
        run(job(Arc::new(folder(root.path())), Scripted::default())).await.expect("there is room again");
        assert_eq!(tree(root.path()), expected, "full at {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_not_tried_again() {
    let root = tempfile::tempdir().expect("makes");
    let store = FaultyStore::new(Arc::new(folder(root.path())), Fault::Full(8));
    let executor = Arc::new(Scripted::default());
    let mut job = job(Arc::new(store), Scripted::default());
    job.executor = Arc::<Scripted>::clone(&executor);
    run(job).await.expect_err("is full");
    assert!(executor.made.load(Ordering::SeqCst) <= 60, "every shard was tried again and again");
}
