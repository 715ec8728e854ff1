//! The queue may repeat and lose; the ledger and the store answer for the rows.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shardmill_cli::local::{LocalJob, Ports};
use shardmill_shared::queue::Queue;
use shardmill_tests::sandbox::{Doubling, Forgetful, Scripted, USERS, folder, job, orders_of, run, tree, undisturbed};

fn with_queue(job: LocalJob, queue: Arc<dyn Queue>) -> LocalJob {
    LocalJob { ports: Ports { queue, ..job.ports.clone() }, ..job }
}

#[tokio::test(start_paused = true)]
async fn repeated_messages_run_a_shard_once() {
    let root = tempfile::tempdir().expect("makes");
    let executor = Arc::new(Scripted::default());
    let mut job = with_queue(job(Arc::new(folder(root.path())), Scripted::default()), Arc::new(Doubling::default()));
    job.executor = Arc::<Scripted>::clone(&executor);
    run(job).await.expect("succeeds");
    assert_eq!(tree(root.path()), undisturbed(Scripted::default()).await);
    let expected = USERS * 2 + (0..USERS).map(orders_of).sum::<u64>();
    assert_eq!(executor.made.load(Ordering::SeqCst), expected, "rows were made twice");
}

#[tokio::test(start_paused = true)]
async fn lost_messages_are_published_again() {
    let root = tempfile::tempdir().expect("makes");
    let queue = Arc::new(Forgetful::default());
    let job = with_queue(job(Arc::new(folder(root.path())), Scripted::default()), Arc::<Forgetful>::clone(&queue));
    run(job).await.expect("succeeds");
    assert_eq!(queue.lost(), 10);
    assert_eq!(tree(root.path()), undisturbed(Scripted::default()).await);
}
