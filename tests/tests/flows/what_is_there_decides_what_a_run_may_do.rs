//! A finished folder is complete; another spec, a stranger's files and a changed file are refused, and nothing is touched.

use std::path::Path;
use std::sync::Arc;

use shardmill_cli::local::{LocalJob, RunError};
use shardmill_scheduler::ScheduleError;
use shardmill_scheduler::accept::{Existing, Refusal};
use shardmill_shared::store::StoreError;
use shardmill_tests::sandbox::{Scripted, folder, job, plan, run, spec, tree};

fn job_of(root: &Path, seed: u64, existing: Existing) -> LocalJob {
    LocalJob { spec: spec(seed), plan: plan(seed), existing, ..job(Arc::new(folder(root)), Scripted::default()) }
}

#[tokio::test(start_paused = true)]
async fn a_finished_folder_is_complete() {
    let root = tempfile::tempdir().expect("makes");
    let first = run(job_of(root.path(), 1, Existing::Keep)).await.expect("succeeds");
    let before = tree(root.path());
    let second = run(job_of(root.path(), 1, Existing::Keep)).await.expect("is complete");
    assert!(!first.was_complete && second.was_complete);
    assert_eq!((second.manifest, second.success), (first.manifest, first.success));
    assert_eq!(tree(root.path()), before);
}

#[tokio::test(start_paused = true)]
async fn another_spec_is_refused_by_name() {
    let root = tempfile::tempdir().expect("makes");
    run(job_of(root.path(), 1, Existing::Keep)).await.expect("succeeds");
    let before = tree(root.path());
    let refused = run(job_of(root.path(), 2, Existing::Keep)).await.expect_err("is another");
    assert!(refused.to_string().contains("seed: 1 there, 2 wanted"), "{refused}");
    assert_eq!(tree(root.path()), before);
}

#[tokio::test(start_paused = true)]
async fn files_of_someone_else_are_never_touched() {
    for existing in [Existing::Keep, Existing::Overwrite] {
        let root = tempfile::tempdir().expect("makes");
        std::fs::write(root.path().join(".gitkeep"), b"").expect("writes");
        std::fs::write(root.path().join("thesis.doc"), b"years of work").expect("writes");
        let before = tree(root.path());
        let refused = run(job_of(root.path(), 1, existing)).await.expect_err("is not ours");
        assert!(matches!(refused, RunError::Refused(Refusal::Foreign(_))), "{refused}");
        assert_eq!(tree(root.path()), before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_cannot_be_made_is_told() {
    let root = tempfile::tempdir().expect("makes");
    std::fs::write(root.path().join("file"), b"").expect("writes");
    let store = folder(&root.path().join("file/out"));
    let refused = store.prepare().await.expect_err("a file is no folder");
    assert!(matches!(refused, StoreError::Permanent { .. }), "{refused}");
    assert!(refused.to_string().contains("file"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn a_version_is_published_only_with_the_files_that_were_committed() {
    let part = Path::new("users/part-00001.csv");
    type Disturb = fn(&Path);
    let disturbances: [(Disturb, &str); 3] = [
        (|root| std::fs::remove_file(root.join("users/part-00001.csv")).expect("removes"), "is not there"),
        (|root| std::fs::write(root.join("users/part-00001.csv"), b"short").expect("writes"), "and has 5"),
        (|root| std::fs::write(root.join("users/part-00001.tmp"), b"").expect("writes"), "is not part of it"),
    ];
    for (disturb, expected) in disturbances {
        let root = tempfile::tempdir().expect("makes");
        let failing = Scripted::failing("orders/0", u32::MAX);
        run(job(Arc::new(folder(root.path())), failing)).await.expect_err("fails");
        assert!(root.path().join(part).exists());
        disturb(root.path());
        let refused = run(job_of(root.path(), 1, Existing::Keep)).await.expect_err("is disturbed");
        assert!(matches!(
            refused,
            RunError::Schedule(ScheduleError::Missing(_) | ScheduleError::Changed { .. } | ScheduleError::Foreign(_))
        ));
        assert!(refused.to_string().contains(expected), "{refused}");
        assert!(!root.path().join("_SUCCESS").exists());
    }
}
