//! Two schedulers and workers that know nothing of each other, over one store: every shard is committed once.

use std::sync::Arc;

use shardmill_cli::local::RunError;
use shardmill_shared::store::MemoryStore;
use shardmill_shared::store::conformance::list_all;
use shardmill_tests::sandbox::{Scripted, job, run, undisturbed};

#[tokio::test(start_paused = true)]
async fn rivals_with_equal_bytes_both_succeed() {
    let store = MemoryStore::default();
    let rival = || job(Arc::new(store.clone()), Scripted::default());
    let (a, b, c) = tokio::join!(run(rival()), run(rival()), run(rival()));
    let successes = [a, b, c].map(|end| end.expect("succeeds").success);
    assert!(successes.windows(2).all(|pair| pair[0] == pair[1]));
    let expected = undisturbed(Scripted::default()).await;
    assert_eq!(list_all(&store, None).await.len(), expected.len());
}

#[tokio::test(start_paused = true)]
async fn rivals_with_other_bytes_are_told() {
    let store = MemoryStore::default();
    let first = Scripted::failing("orders/0", u32::MAX);
    run(job(Arc::new(store.clone()), first)).await.expect_err("fails, with users committed");
    let unstable = || Scripted { is_unstable: true, ..Scripted::default() };
    let (a, b) =
        tokio::join!(run(job(Arc::new(store.clone()), unstable())), run(job(Arc::new(store.clone()), unstable())));
    let errors: Vec<RunError> = [a, b].into_iter().filter_map(Result::err).collect();
    assert!(!errors.is_empty(), "both succeeded with other bytes");
    assert!(errors.iter().any(|error| error.to_string().contains("exists with another content")), "{errors:?}");
}
