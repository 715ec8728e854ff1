//! A worker that took shards and died is waited for as long as its lease; then others run them. A worker that dies at every
//! attempt ends the job.

use std::sync::Arc;

use shardmill_shared::job::{JobId, ShardId, StageId};
use shardmill_shared::ledger::{Begin, Company, LEASE_MS, Runner, WorkerId};
use shardmill_tests::sandbox::{Scripted, folder, job, plan, run, tree, undisturbed};

#[tokio::test(start_paused = true)]
async fn a_dead_workers_shard_is_run_by_another() {
    let root = tempfile::tempdir().expect("makes");
    let job = job(Arc::new(folder(root.path())), Scripted::default());
    let id = JobId::new(&format!("local-{}", &plan(1).spec_digest.to_string()[..16])).expect("allowed");
    let users = StageId::new("users").expect("allowed");
    let ports = job.ports.clone();
    ports.ledger.open(&id, &users, 3).await.expect("opens");
    for index in [0, 2] {
        let shard = ShardId { stage: users.clone(), index };
        let worker = WorkerId("dead".to_owned());
        let runner = Runner { worker, writer: "test".to_owned(), company: Company::Others };
        let begun = ports.ledger.begin(&id, &shard, &runner).await.expect("begins");
        assert!(matches!(begun, Begin::Go(_)));
    }
    run(job).await.expect("succeeds");
    assert!(ports.clock.now_ms() >= LEASE_MS, "a living lease was not respected");
    assert_eq!(tree(root.path()), undisturbed(Scripted::default()).await);
}
