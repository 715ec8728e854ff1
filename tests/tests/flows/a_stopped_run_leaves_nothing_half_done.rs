//! Told to stop at any row, a run ends soon, without half files and without counting an attempt; the next goes on.

use std::sync::Arc;

use shardmill_cli::local::RunError;
use shardmill_shared::process::Stop;
use shardmill_tests::sandbox::{Scripted, folder, job, run, tree, undisturbed};

#[tokio::test(start_paused = true)]
async fn a_stopped_run_leaves_nothing_half_done() {
    let expected = undisturbed(Scripted::default()).await;
    for at in (0..70).step_by(5) {
        let root = tempfile::tempdir().expect("makes");
        let stop = Stop::default();
        let executor = Scripted { stop_at: Some((stop.clone(), at)), ..Scripted::default() };
        let mut job_to_stop = job(Arc::new(folder(root.path())), executor);
        job_to_stop.stop = stop;
        let end = run(job_to_stop).await;
        assert!(matches!(end, Err(RunError::Stopped)), "stopped at {at}: {end:?}");
        let left = tree(root.path());
        assert!(left.keys().all(|key| !key.contains("/.shardmill-")), "half a file stays: {:?}", left.keys());
        assert!(left.iter().all(|(key, bytes)| expected.get(key) == Some(bytes)), "stopped at {at}");
        run(job(Arc::new(folder(root.path())), Scripted::default())).await.expect("goes on");
        assert_eq!(tree(root.path()), expected, "stopped at {at}");
    }
}
