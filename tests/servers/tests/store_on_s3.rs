//! The store in a bucket, on a real server of S3 and through a proxy that breaks things.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use shardmill_servers::proxy::{Fault, Proxy};
use shardmill_servers::s3::S3;
use shardmill_shared::job::ObjectPath;
use shardmill_shared::store::{
    Below, Conditional, Keys, Probe, Put, RemoteOptions, RemoteStore, Secret, Store, StoreError, Transport, Writers,
    conformance, probe,
};

const MIB: usize = 1024 * 1024;

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).expect("the tests' paths are allowed")
}

fn options(endpoint: &str) -> RemoteOptions {
    RemoteOptions {
        endpoint: Some(endpoint.to_owned()),
        transport: Transport::PlainAllowed,
        keys: Keys::Given { id: "id".to_owned(), secret: Secret::new("hidden"), token: None },
        retry_for_ms: 20_000,
        ..RemoteOptions::default()
    }
}

/// Options of somebody who does not try again for long.
fn impatient(endpoint: &str) -> RemoteOptions {
    RemoteOptions { retry_for_ms: 500, ..options(endpoint) }
}

/// A server with a bucket, a proxy before it, and the store in a folder of the bucket behind the proxy.
struct Bench {
    s3: S3,
    bucket: String,
    proxy: Proxy,
    store: RemoteStore,
}

impl Bench {
    fn start() -> Self {
        let s3 = S3::start().expect("moto starts");
        let bucket = s3.bucket("store").expect("makes a bucket");
        let proxy = Proxy::start_http(s3.address()).expect("starts");
        let url = format!("s3://{bucket}/some/folder");
        let store = RemoteStore::connect(&url, &options(&proxy.url())).expect("connects");
        Self { s3, bucket, proxy, store }
    }

    fn url(&self) -> String {
        format!("s3://{}/some/folder", self.bucket)
    }

    /// The same store without the proxy.
    fn direct(&self) -> RemoteStore {
        RemoteStore::connect(&self.url(), &options(&self.s3.url())).expect("connects")
    }

    /// Waits until as many uploads are open: an abandoned one is aborted by a task of its own.
    async fn await_open_uploads(&self, wanted: usize) {
        let mut found = usize::MAX;
        for _ in 0..200 {
            found = self.s3.open_uploads(&self.bucket).expect("answers");
            if found == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{found} uploads are open, not {wanted}");
    }
}

/// Bytes that differ from part to part.
fn content(bytes: usize) -> Bytes {
    (0..bytes).map(|at| u8::try_from((at ^ (at >> 8) ^ (at >> 16)) & 0xff).expect("a byte")).collect::<Vec<u8>>().into()
}

async fn upload(store: &dyn Store, key: &ObjectPath, bytes: &Bytes) -> Result<u64, StoreError> {
    let mut upload = store.upload(key).await?;
    for at in (0..bytes.len()).step_by(MIB) {
        upload.write(bytes.slice(at..bytes.len().min(at + MIB))).await?;
    }
    upload.finish().await
}

#[tokio::test]
async fn needs_s3_a_bucket_keeps_the_law_of_stores() {
    let bench = Bench::start();
    conformance::all(&bench.direct()).await;
    conformance::all(&Below::new(Arc::new(bench.direct()), path("tenants/a"))).await;
}

#[tokio::test]
async fn needs_s3_a_fifth_of_refusals_changes_nothing() {
    let bench = Bench::start();
    bench.proxy.set(Fault::Unavailable { per_cent: 20, seed: 1 });
    conformance::all(&bench.store).await;
    assert!(bench.proxy.faults() * 10 > bench.proxy.requests(), "too few requests were refused");
}

#[tokio::test]
async fn needs_s3_of_many_rivals_one_creates() {
    let bench = Bench::start();
    let store = bench.direct();
    for round in 0..5 {
        let key = path(&format!("claims/{round}"));
        let puts = (0..32).map(|rival| store.put_once(&key, Bytes::from(format!("rival {rival}"))));
        let ends: Vec<Put> = join_all(puts).await.into_iter().map(|put| put.expect("puts")).collect();
        let winners: Vec<usize> = (0..32).filter(|rival| ends[*rival] == Put::Created).collect();
        assert_eq!(winners.len(), 1, "{ends:?}");
        assert_eq!(store.read(&key).await.expect("reads"), format!("rival {}", winners[0]));
    }
}

#[tokio::test]
async fn needs_s3_a_create_in_conflict_is_tried_again() {
    let bench = Bench::start();
    let key = path("claims/1");
    bench.proxy.set(Fault::Answer { status: 409, code: "ConditionalRequestConflict" });
    let error = bench.store.put_once(&key, Bytes::from_static(b"mine")).await.expect_err("nothing was created");
    assert!(matches!(error, StoreError::Transient { .. }), "{error}");
    assert_eq!(bench.proxy.requests(), 5, "a conflict is tried again, a few times");
    bench.proxy.heal();
    assert_eq!(bench.store.put_once(&key, Bytes::from_static(b"mine")).await, Ok(Put::Created));
}

#[tokio::test]
async fn needs_s3_a_create_whose_answer_is_lost_looks_like_a_rival() {
    let bench = Bench::start();
    let key = path("claims/1");
    bench.proxy.set(Fault::LoseAnswer { line_has: "PUT", times: 1 });
    let put = bench.store.put_once(&key, Bytes::from_static(b"mine")).await.expect("puts");
    assert_eq!(bench.proxy.faults(), 1);
    assert_eq!(put, Put::AlreadyExists);
    assert_eq!(bench.store.read(&key).await.expect("reads"), "mine");
}

#[tokio::test]
async fn needs_s3_a_large_upload_holds_a_few_parts_in_memory() {
    let bench = Bench::start();
    let (store, key, bytes) = (bench.direct(), path("data/large"), content(100 * MIB));
    assert_eq!(upload(&store, &key, &bytes).await, Ok(bytes.len() as u64));
    assert!(store.read(&key).await.expect("reads") == bytes, "other bytes came back");
    let peak = store.buffered_peak_bytes();
    assert!(peak > 8 * MIB as u64, "the peak of {peak} bytes was not measured");
    assert!(peak <= (4 + 1) * 8 * MIB as u64, "{peak} bytes were in memory");
    bench.await_open_uploads(0).await;
}

#[tokio::test]
async fn needs_s3_an_abandoned_upload_leaves_no_object_and_no_parts() {
    let bench = Bench::start();
    let (store, key) = (bench.direct(), path("data/abandoned"));
    let mut aborted = store.upload(&key).await.expect("starts");
    aborted.write(content(20 * MIB)).await.expect("writes");
    bench.await_open_uploads(1).await;
    aborted.abort().await.expect("aborts");
    bench.await_open_uploads(0).await;
    let mut dropped = store.upload(&key).await.expect("starts");
    dropped.write(content(20 * MIB)).await.expect("writes");
    bench.await_open_uploads(1).await;
    drop(dropped);
    bench.await_open_uploads(0).await;
    assert!(matches!(store.read(&key).await, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn needs_s3_leftovers_of_the_dead_are_aborted() {
    let bench = Bench::start();
    let store = bench.direct();
    let neighbour = RemoteStore::connect(&format!("{}2", bench.url()), &options(&bench.s3.url())).expect("connects");
    for store in [&store, &neighbour] {
        for name in ["a", "b"] {
            let mut left = store.upload(&path(name)).await.expect("starts");
            left.write(content(9 * MIB)).await.expect("writes");
            std::mem::forget(left);
        }
    }
    bench.await_open_uploads(4).await;
    let centuries = Duration::from_secs(200 * 366 * 24 * 3_600);
    assert_eq!(store.sweep_unfinished(centuries).await, Ok(0), "young ones are kept");
    assert_eq!(store.sweep_unfinished(Duration::ZERO).await, Ok(2));
    // Uploads of another folder are not ours.
    bench.await_open_uploads(2).await;
}

#[tokio::test]
async fn needs_s3_an_upload_that_is_cut_off_goes_on() {
    let bench = Bench::start();
    let (key, bytes) = (path("data/cut"), content(30 * MIB));
    bench.proxy.set(Fault::CutBody { after_bytes: 4 * MIB as u64, times: 3 });
    assert_eq!(upload(&bench.store, &key, &bytes).await, Ok(bytes.len() as u64));
    assert_eq!(bench.proxy.faults(), 3);
    assert!(bench.store.read(&key).await.expect("reads") == bytes, "other bytes came back");
}

#[tokio::test]
async fn needs_s3_an_upload_that_fails_leaves_the_old_object_and_may_be_repeated() {
    let bench = Bench::start();
    let (key, bytes) = (path("data/cut"), content(30 * MIB));
    let store = RemoteStore::connect(&bench.url(), &impatient(&bench.proxy.url())).expect("connects");
    store.put(&key, Bytes::from_static(b"old")).await.expect("puts");
    bench.proxy.set(Fault::CutBody { after_bytes: 4 * MIB as u64, times: u64::MAX });
    let error = upload(&store, &key, &bytes).await.expect_err("no part arrives");
    assert!(matches!(error, StoreError::Transient { .. }), "{error}");
    assert_eq!(store.read(&key).await.expect("reads"), "old");
    bench.await_open_uploads(0).await;
    bench.proxy.heal();
    assert_eq!(upload(&store, &key, &bytes).await, Ok(bytes.len() as u64));
    assert!(store.read(&key).await.expect("reads") == bytes, "other bytes came back");
}

#[tokio::test]
async fn needs_s3_an_upload_whose_end_is_not_answered_is_whole_and_may_be_repeated() {
    let bench = Bench::start();
    let (key, bytes) = (path("data/end"), content(10 * MIB));
    bench.proxy.set(Fault::LoseAnswer { line_has: "?uploadId=", times: 1 });
    // Servers differ: some answer the second end like the first, others know no such upload any more.
    let ended = upload(&bench.store, &key, &bytes).await;
    assert_eq!(bench.proxy.faults(), 1);
    assert!(matches!(ended, Ok(_) | Err(StoreError::Transient { .. })), "{ended:?}");
    assert!(bench.store.read(&key).await.expect("reads") == bytes, "what appeared is to be whole");
    assert_eq!(upload(&bench.store, &key, &bytes).await, Ok(bytes.len() as u64));
}

#[tokio::test]
async fn needs_s3_a_server_that_forgot_is_noticed() {
    let mut s3 = S3::start_private().expect("moto starts");
    let bucket = s3.bucket("store").expect("makes a bucket");
    let store = RemoteStore::connect(&format!("s3://{bucket}"), &impatient(&s3.url())).expect("connects");
    store.put(&path("a"), Bytes::from_static(b"1")).await.expect("puts");
    s3.kill().expect("kills");
    let error = store.read(&path("a")).await.expect_err("nobody answers");
    assert!(matches!(error, StoreError::Transient { .. }), "{error}");
    s3.restart().expect("starts again");
    let error = store.read(&path("a")).await.expect_err("all is gone");
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn needs_s3_what_cannot_be_used_is_told_with_a_remedy() {
    let bench = Bench::start();
    let absent = RemoteStore::open("s3://no-such-bucket-here", &options(&bench.s3.url())).await;
    let error = absent.expect_err("there is no bucket");
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("make the bucket"), "{error}");

    bench.proxy.set(Fault::Answer { status: 403, code: "AccessDenied" });
    let error = RemoteStore::open(&bench.url(), &options(&bench.proxy.url())).await.expect_err("is denied");
    assert!(matches!(error, StoreError::Permission { .. }), "{error}");
    assert!(error.to_string().contains("policy"), "{error}");

    bench.proxy.cut();
    let error = RemoteStore::open(&bench.url(), &impatient(&bench.proxy.url())).await.expect_err("all is cut");
    assert!(matches!(error, StoreError::Transient { .. }), "{error}");
    let error = RemoteStore::open(&bench.url(), &impatient("http://127.0.0.1:9")).await.expect_err("nobody listens");
    assert!(matches!(error, StoreError::Transient { .. }), "{error}");
    assert!(error.to_string().contains("check the endpoint"), "{error}");
    assert!(!error.to_string().contains("hidden"), "{error}");
}

#[tokio::test]
async fn needs_s3_a_store_in_the_dark_is_given_up_in_time() {
    let bench = Bench::start();
    let hasty = RemoteOptions { request_timeout_ms: 2_000, ..impatient(&bench.proxy.url()) };
    let store = RemoteStore::connect(&bench.url(), &hasty).expect("connects");
    bench.proxy.set(Fault::Dark);
    let ended = tokio::time::timeout(Duration::from_secs(30), store.read(&path("a"))).await.expect("is given up");
    assert!(matches!(ended, Err(StoreError::Transient { .. })), "{ended:?}");
    bench.proxy.heal();
    let ended = store.read(&path("a")).await;
    assert!(matches!(ended, Err(StoreError::NotFound { .. })), "{ended:?}");
}

#[tokio::test]
async fn needs_s3_a_server_without_conditional_creates_is_found_out() {
    let bench = Bench::start();
    assert_eq!(probe(&bench.direct()).await, Ok(Probe { conditional: Conditional::Yes }));
    RemoteStore::open(&bench.url(), &options(&bench.proxy.url())).await.expect("opens");

    bench.proxy.set(Fault::DropHeader("if-none-match"));
    assert_eq!(probe(&bench.store).await, Ok(Probe { conditional: Conditional::No }));
    assert!(bench.proxy.faults() > 0, "no header was dropped");
    let error = RemoteStore::open(&bench.url(), &options(&bench.proxy.url())).await.expect_err("is refused");
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("If-None-Match"), "{error}");
    let alone = RemoteOptions { writers: Writers::Single, ..options(&bench.proxy.url()) };
    let store = RemoteStore::open(&bench.url(), &alone).await.expect("the operator says so");
    assert_eq!(conformance::list_all(&store, None).await, [], "a probe left something");
}

#[tokio::test]
async fn needs_s3_a_probe_among_refusals_says_yes() {
    let bench = Bench::start();
    for seed in 0..5 {
        bench.proxy.set(Fault::Unavailable { per_cent: 20, seed });
        assert_eq!(probe(&bench.store).await, Ok(Probe { conditional: Conditional::Yes }));
    }
}

#[tokio::test]
async fn needs_s3_a_link_is_signed_and_secret() {
    let bench = Bench::start();
    let store = Below::new(Arc::new(bench.direct()), path("tenants/a"));
    store.put(&path("data/1.csv"), Bytes::from_static(b"a,b,c")).await.expect("puts");
    let link = store.link(&path("data/1.csv"), 60).await.expect("signs").expect("has links");
    let start = format!("{}/{}/some/folder/tenants/a/data/1.csv?", bench.s3.url(), bench.bucket);
    assert!(link.reveal().starts_with(&start), "{}", link.reveal());
    assert!(link.reveal().contains("X-Amz-Expires=60") && link.reveal().contains("X-Amz-Signature="));
    assert_eq!(format!("{link:?}"), "***");
    let target = link.reveal().strip_prefix(&bench.s3.url()).expect("is at the server");
    let answer = bench.s3.get(target).expect("downloads");
    assert!(answer.ends_with("a,b,c"), "{answer}");
    let too_long = store.link(&path("data/1.csv"), 8 * 24 * 3_600).await;
    assert!(matches!(too_long, Err(StoreError::Refused { .. })));
}

#[tokio::test]
async fn needs_s3_odd_names_come_back_as_they_are() {
    let bench = Bench::start();
    let store = bench.direct();
    let names = ["a b", "a%20b", "a+b", "größe/ü", "a#b?c=d", "a~b/(1)*", "x=1/y&z"];
    for name in names {
        store.put(&path(name), Bytes::from(name)).await.expect("puts");
        assert_eq!(store.read(&path(name)).await.expect("reads"), name);
    }
    let mut wanted = names.map(str::to_owned);
    wanted.sort();
    let entries = conformance::list_all(&store, None).await;
    let found: Vec<String> = entries.into_iter().map(|entry| entry.path.to_string()).collect();
    assert_eq!(found, wanted);
}
