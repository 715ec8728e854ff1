//! Kill a run before or after any operation of its store, run again: the folder is that of an undisturbed run, to the byte.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shardmill_scheduler::accept::Existing;
use shardmill_shared::store::Store;
use shardmill_tests::sandbox::{Fault, FaultyStore, Scripted, folder, job, plan, run, spec, tree, undisturbed};

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("builds")
}

/// Runs the small job of that seed in `root` in a process of its own; whether it was killed before its end.
pub(super) fn run_and_kill(root: &Path, fault: Fault, seed: u64) -> bool {
    let runtime = runtime();
    let is_killed = runtime.block_on(async {
        let store = folder(root);
        let _guard = store.prepare().await.expect("prepares");
        let store = FaultyStore::new(Arc::new(store), fault);
        let mut job = job(Arc::new(store.clone()) as Arc<dyn Store>, Scripted::default());
        (job.spec, job.plan, job.existing) = (spec(seed), plan(seed), Existing::Overwrite);
        tokio::select! {
            biased;
            () = store.died() => true,
            end = run(job) => {
                end.expect("succeeds unless it is killed");
                false
            }
        }
    });
    // A killed process has no threads that go on writing.
    runtime.shutdown_timeout(Duration::from_secs(60));
    is_killed
}

#[test]
fn killed_at_any_operation_the_next_run_ends_the_same() {
    let expected = runtime().block_on(undisturbed(Scripted::default()));
    for fault in [Fault::DieBefore as fn(u64) -> Fault, Fault::DieAfter] {
        let mut at = 0;
        loop {
            let root = tempfile::tempdir().expect("makes");
            let is_killed = run_and_kill(root.path(), fault(at), 1);
            if is_killed {
                assert!(!run_and_kill(root.path(), Fault::DieBefore(u64::MAX), 1));
            }
            assert_eq!(tree(root.path()), expected, "after {:?}", fault(at));
            if !is_killed {
                break;
            }
            at += 1;
        }
        assert!(at > 60, "only {at} operations were disturbed");
    }
}

#[test]
fn killed_again_and_again_a_run_still_ends() {
    let expected = runtime().block_on(undisturbed(Scripted::default()));
    let root = tempfile::tempdir().expect("makes");
    let is_over = (0..200).any(|run| !run_and_kill(root.path(), Fault::DieAfter(8 + run % 13), 1));
    // A run that is always killed early must still get further, or it would never end.
    assert!(is_over || !run_and_kill(root.path(), Fault::DieBefore(u64::MAX), 1));
    assert_eq!(tree(root.path()), expected);
}

#[test]
fn a_hiccup_of_the_store_is_survived_or_told() {
    let expected = runtime().block_on(undisturbed(Scripted::default()));
    for at in 0..100 {
        let root = tempfile::tempdir().expect("makes");
        runtime().block_on(async {
            let store = FaultyStore::new(Arc::new(folder(root.path())), Fault::Hiccup(at));
            let first = run(job(Arc::new(store), Scripted::default())).await;
            if let Err(error) = first {
                assert!(error.to_string().contains("hiccup"), "{error}");
                run(job(Arc::new(folder(root.path())), Scripted::default())).await.expect("the next run succeeds");
            }
        });
        assert_eq!(tree(root.path()), expected, "after a hiccup at {at}");
    }
}
