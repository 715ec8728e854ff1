//! Every planned row once, the same whatever the number of threads, with books that add up.

use std::sync::{Arc, Mutex};

use shardmill_cli::local::{self, ProgressListener};
use shardmill_shared::job::{Account, Made, Progress};
use shardmill_shared::store::conformance::list_all;
use shardmill_shared::store::{FolderStore, MemoryStore};
use shardmill_tests::sandbox::{Scripted, USERS, folder, job, orders_of, run, tree, undisturbed};

fn rows(tree: &std::collections::BTreeMap<String, Vec<u8>>, table: &str) -> Vec<String> {
    let parts = tree.iter().filter(|(key, _)| key.starts_with(&format!("{table}/part-")));
    parts.flat_map(|(_, bytes)| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}

#[tokio::test(start_paused = true)]
async fn every_planned_row_is_there_once_and_in_order() {
    let tree = undisturbed(Scripted::default()).await;
    let orders = (0..USERS).map(orders_of).sum();
    for (table, count) in [("users", USERS), ("orders", orders)] {
        let expected: Vec<String> = (0..count).map(|row| format!("{table},{row}")).collect();
        assert_eq!(rows(&tree, table), expected);
    }
    let others: Vec<&String> = tree.keys().filter(|key| !key.contains("/part-")).collect();
    let expected = [
        "_SUCCESS",
        "_shardmill/job/commits/orders-count/0.json",
        "_shardmill/job/commits/orders-count/1.json",
        "_shardmill/job/commits/orders-count/2.json",
        "_shardmill/job/commits/orders/0.json",
        "_shardmill/job/commits/orders/1.json",
        "_shardmill/job/commits/orders/2.json",
        "_shardmill/job/commits/orders/3.json",
        "_shardmill/job/commits/users/0.json",
        "_shardmill/job/commits/users/1.json",
        "_shardmill/job/commits/users/2.json",
        "_shardmill/job/counts/orders-count/0",
        "_shardmill/job/counts/orders-count/1",
        "_shardmill/job/counts/orders-count/2",
        "_shardmill/job/extents/orders.json",
        "_shardmill/job/sums/orders-count.json",
        "_shardmill/manifest.json",
        "_shardmill/manifest/block-00000.json",
        "_shardmill/manifest/block-00001.json",
        "_shardmill/plan.json",
        "_shardmill/spec.json",
    ];
    assert_eq!(others, expected);
}

#[tokio::test(start_paused = true)]
async fn threads_and_stores_change_nothing() {
    let expected = undisturbed(Scripted::default()).await;
    for threads in [1, 2, 5] {
        let root = tempfile::tempdir().expect("makes");
        let mut job = job(Arc::new(folder(root.path())), Scripted::default());
        job.threads = threads;
        run(job).await.expect("succeeds");
        assert_eq!(tree(root.path()), expected);
    }
    let store = MemoryStore::default();
    run(job(Arc::new(store.clone()), Scripted::default())).await.expect("succeeds");
    let listed: Vec<String> = list_all(&store, None).await.into_iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(listed, expected.keys().cloned().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn real_threads_and_a_synced_folder_change_nothing() {
    let root = tempfile::tempdir().expect("makes");
    let store = FolderStore::at(root.path());
    let guard = store.prepare().await.expect("prepares");
    run(job(Arc::new(store), Scripted::default())).await.expect("succeeds");
    drop(guard);
    assert_eq!(tree(root.path()), undisturbed(Scripted::default()).await);
}

#[derive(Default)]
struct Last(Mutex<Progress>);

impl ProgressListener for Last {
    fn progress(&self, progress: &Progress) {
        self.0.lock().expect("not poisoned").clone_from(progress);
    }
}

#[tokio::test(start_paused = true)]
async fn manifest_and_progress_add_up() {
    let last = Last::default();
    let finished =
        local::run(job(Arc::new(MemoryStore::default()), Scripted::default()), &last).await.expect("succeeds");
    let orders: u64 = (0..USERS).map(orders_of).sum();
    let accounts: Vec<Account> = finished.manifest.tables.iter().map(|table| table.account).collect();
    assert_eq!(accounts, [Account::written(USERS), Account::written(orders)]);
    let made = finished.manifest.made();
    // Progress counts what the counting stage leaves, too; the manifest has data only.
    let counts = ["9\n", "10\n", "5\n"].map(str::len).iter().sum::<usize>() as u64;
    let progress = last.0.lock().expect("not poisoned").clone();
    assert!(progress.stages.iter().all(|stage| Some(stage.shards_done) == stage.shards_total));
    assert_eq!(progress.made(), Made { rows: USERS + orders, bytes: made.bytes + counts });
}
