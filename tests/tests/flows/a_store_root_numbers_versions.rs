//! Without a folder of its own, a version gets the next number of its dataset, and `latest` moves forward.

use std::sync::Arc;

use shardmill_cli::local::{LocalJob, Target};
use shardmill_scheduler::version::Latest;
use shardmill_shared::job::{Key, Layout};
use shardmill_shared::store::{MemoryStore, Place};
use shardmill_tests::sandbox::{Scripted, job, plan, run, spec};

fn job_of(store: &MemoryStore, seed: u64, executor: Scripted) -> LocalJob {
    LocalJob { spec: spec(seed), plan: plan(seed), target: Target::Root, ..job(Arc::new(store.clone()), executor) }
}

async fn latest(store: &MemoryStore, layout: &Layout) -> Option<u64> {
    let Layout::Root { dataset, .. } = layout else { panic!("not in a root") };
    let place = Place { store: Arc::new(store.clone()), layout: layout.clone() };
    place.find::<Latest>(&Key::Latest(dataset.clone())).await.expect("reads").map(|latest| latest.version)
}

#[tokio::test(start_paused = true)]
async fn a_store_root_numbers_versions() {
    let store = MemoryStore::default();
    let first = run(job_of(&store, 1, Scripted::default())).await.expect("succeeds");
    assert_eq!(latest(&store, &first.layout).await, Some(1));
    let again = run(job_of(&store, 1, Scripted::default())).await.expect("is complete");
    assert!(again.was_complete && again.layout == first.layout);

    run(job_of(&store, 2, Scripted::failing("users/0", u32::MAX))).await.expect_err("fails");
    assert_eq!(latest(&store, &first.layout).await, Some(1), "a version without `_SUCCESS` is not the latest");
    let second = run(job_of(&store, 2, Scripted::default())).await.expect("goes on in the same version");
    assert!(matches!(second.layout, Layout::Root { version: 2, .. }));
    assert_eq!(latest(&store, &first.layout).await, Some(2));
    assert_ne!(second.success, first.success);

    let in_folder = run(job(Arc::new(MemoryStore::default()), Scripted::default())).await.expect("succeeds");
    assert_eq!(in_folder.success, first.success, "equal data gives an equal manifest in both layouts");
}
