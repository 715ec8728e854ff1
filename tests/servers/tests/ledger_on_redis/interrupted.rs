//! Calls that are cut off: by a server that restarts, by a network that loses an answer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use shardmill_servers::redis::{Fsync, Redis};
use shardmill_shared::job::{Failure, Made, Outcome, Scope};
use shardmill_shared::ledger::{Begin, Fence, Lease, Ledger, RedisLedger};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{MADE, Place, SECOND, connect, job, lease, runner, shard, stage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn needs_redis_a_job_survives_restarts_of_the_server() {
    let mut server = Redis::start_with(Fsync::Always).expect("redis-server starts");
    let ledger = Arc::new(connect(&server.url(), "restart").await);
    ledger.open(&job(), &stage(), 600).await.expect("opens");
    let released = Arc::<Mutex<Vec<u64>>>::default();
    let driven = tokio::spawn(drive(Arc::clone(&ledger), Arc::clone(&released)));
    for _ in 0..3 {
        let before = released.lock().expect("no panic").len();
        while released.lock().expect("no panic").len() < before + 100 {
            tokio::task::yield_now().await;
        }
        server.restart().expect("comes back");
    }
    driven.await.expect("ends");
    let released = released.lock().expect("no panic").clone();
    let once: BTreeSet<u64> = released.iter().copied().collect();
    assert_eq!((released.len(), once.len()), (600, 600), "a shard was lost or released twice");
    let progress = ledger.progress(&job()).await.expect("sees");
    assert_eq!(progress.made(), Made { rows: 6_000, bytes: 60_000 });
}

/// Releases and commits until every shard is done. A restart is short, so every call succeeds in the end.
async fn drive(ledger: Arc<RedisLedger>, released: Arc<Mutex<Vec<u64>>>) {
    loop {
        let indexes = ledger.release(&job(), &stage(), 16).await.expect("a restart is survived");
        if indexes.is_empty() {
            let seen = ledger.view(&job()).await.expect("sees");
            assert_eq!((seen.stages[0].done, seen.stages[0].leased), (600, 0));
            return;
        }
        released.lock().expect("no panic").extend(&indexes);
        for index in indexes {
            let begun = ledger.begin(&job(), &shard(index), &runner("a")).await.expect("a restart is survived");
            assert!(matches!(begun, Begin::Go(_)), "{begun:?}");
            ledger.heartbeat(&lease(index, begun), MADE).await.expect("a restart is survived");
            ledger.report(&lease(index, begun), &Outcome::Committed(MADE)).await.expect("a restart is survived");
        }
    }
}

#[tokio::test]
async fn needs_redis_who_waits_is_woken_after_a_restart() {
    let mut server = Redis::start_with(Fsync::Always).expect("redis-server starts");
    let (one, other) = (connect(&server.url(), "woken").await, connect(&server.url(), "woken").await);
    let job = job();
    one.open(&job, &stage(), 9).await.expect("opens");
    let mut any = other.wait_any(0).await;
    server.restart().expect("comes back");
    for index in 0..9 {
        let seen = other.view(&job).await.expect("sees").revision;
        let (woken, next, ()) =
            tokio::join!(timeout(SECOND, other.wait_change(&job, seen)), timeout(SECOND, other.wait_any(any)), async {
                one.mark_done(&job, &shard(index), MADE).await.expect("marks")
            });
        woken.expect("in time").expect("wakes");
        any = next.expect("in time");
    }
}

/// A way to the server that loses an answer whenever `lose` is above zero, and the connection with it.
async fn lossy(url: &str, lose: Arc<AtomicU64>) -> String {
    let server = url.trim_start_matches("redis://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass(client, TcpStream::connect(server.clone()).await.expect("connects"), Arc::clone(&lose)));
        }
    });
    format!("redis://{address}")
}

async fn pass(mut client: TcpStream, mut server: TcpStream, lose: Arc<AtomicU64>) {
    let (mut asked, mut answered) = ([0; 65_536], [0; 65_536]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(read @ 1..) => server.write_all(&asked[..read]).await.expect("the server takes it"),
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(read @ 1..) if lose.load(Ordering::SeqCst) == 0 => {
                    if client.write_all(&answered[..read]).await.is_err() {
                        return;
                    }
                }
                _ => {
                    lose.fetch_sub(1, Ordering::SeqCst);
                    return;
                }
            },
        }
    }
}

#[tokio::test]
async fn needs_redis_a_call_whose_answer_was_lost_has_its_effect_once() {
    let place = Place::find();
    let lose = Arc::<AtomicU64>::default();
    let ledger = connect(&lossy(&place.url, Arc::clone(&lose)).await, "lossy").await;
    // The server knows the scripts already, so that the lost answer is the call's own.
    for _ in 0..2 {
        ledger.open(&job(), &stage(), 4).await.expect("opens");
        ledger.release(&job(), &stage(), 0).await.expect("releases none");
        ledger.begin(&job(), &shard(9), &runner("a")).await.expect("there is no such shard");
        ledger
            .report(&Lease { job: job(), shard: shard(0), fence: Fence(0) }, &Outcome::Stopped)
            .await
            .expect("nothing");
    }
    lose.store(1, Ordering::SeqCst);
    assert_eq!(ledger.release(&job(), &stage(), 2).await, Ok(vec![0, 1]));
    lose.store(1, Ordering::SeqCst);
    let begun = ledger.begin(&job(), &shard(0), &runner("a")).await.expect("begins");
    assert!(matches!(begun, Begin::Go(_)), "{begun:?}");
    lose.store(1, Ordering::SeqCst);
    let outcome = Outcome::Failed(Failure::new(Scope::Shard, "broke"));
    ledger.report(&lease(0, begun), &outcome).await.expect("reports");
    let seen = ledger.view(&job()).await.expect("sees").stages.remove(0);
    assert_eq!((seen.waiting.len(), seen.leased, seen.failed[0].attempts), (1, 0, 1));
    assert_eq!(lose.load(Ordering::SeqCst), 0);
    ledger.forget(&job()).await.expect("forgets");
}
