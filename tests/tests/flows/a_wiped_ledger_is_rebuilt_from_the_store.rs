//! The ledger is disposable: whenever it forgets everything, the job still ends complete.

use std::sync::Arc;

use shardmill_cli::local::{LocalJob, Ports};
use shardmill_tests::sandbox::{Scripted, Wiped, folder, job, run, tree, undisturbed};

#[tokio::test(start_paused = true)]
async fn a_wiped_ledger_is_rebuilt_from_the_store() {
    let expected = undisturbed(Scripted::default()).await;
    for at in 0.. {
        let root = tempfile::tempdir().expect("makes");
        let job = job(Arc::new(folder(root.path())), Scripted::default());
        let ledger = Arc::new(Wiped::at(at, Arc::clone(&job.ports.clock)));
        let ports = Ports { ledger: Arc::<Wiped>::clone(&ledger), ..job.ports.clone() };
        run(LocalJob { ports, ..job }).await.expect("succeeds");
        assert_eq!(tree(root.path()), expected, "wiped at call {at}");
        if !ledger.is_wiped() {
            assert!(at > 30, "only {at} calls were disturbed");
            break;
        }
    }
}
