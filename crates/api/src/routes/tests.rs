//! What holds for every route: description, refusals, failing stores, time, stopping.

use std::collections::BTreeSet;
use std::future::pending;

use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use serde_json::Value;
use shardmill_shared::job::ObjectPath;
use shardmill_shared::store::{Listing, MemoryStore, Put, Store, StoreError, Upload, open_jobs};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::Limits;
use crate::limits::REQUEST_MS;
use crate::testing::{Answer, Away, SPEC, World, get, post, spec};

fn operations(description: &Value) -> BTreeSet<(String, String)> {
    let paths = description["paths"].as_object().expect("paths");
    let of = |(path, item): (&String, &Value)| {
        let methods: Vec<String> = item.as_object().expect("an item").keys().map(|key| key.to_uppercase()).collect();
        methods.into_iter().map(|method| (method, path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).collect()
}

#[tokio::test]
async fn every_route_is_described_and_every_description_is_a_route() {
    let world = World::new().await;
    let description = world.send_as(None, get("/openapi.json")).await.json();
    let routed: BTreeSet<(String, String)> =
        routes().iter().map(|route| (route.method.to_string(), route.documented())).collect();
    assert_eq!(operations(&description), routed);
    for (method, path) in routed {
        let request = Request::builder().method(method.as_str()).uri(&path).body(Body::empty()).expect("a request");
        let answer = world.send_as(None, request).await;
        let is_open = path.starts_with("/v1/");
        assert_eq!(answer.status == StatusCode::UNAUTHORIZED, is_open, "{method} {path}");
        assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
    }
}

#[tokio::test]
async fn the_description_is_whole() {
    let world = World::new().await;
    let description = world.send_as(None, get("/openapi.json")).await.json();
    assert!(description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let bearer = &description["components"]["securitySchemes"]["key"];
    assert_eq!((&bearer["type"], &bearer["scheme"]), (&"http".into(), &"bearer".into()));
    let text = description.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().expect("a pointer");
        assert!(description.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in description["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            let is_guarded = path.starts_with("/v1/");
            assert_eq!(operation["security"].is_array(), is_guarded, "{method} {path}");
            for status in ["401", "403", "429", "503"] {
                let body = &operation["responses"][status]["content"]["application/problem+json"]["schema"]["$ref"];
                assert!(!is_guarded || body == "#/components/schemas/ProblemBody", "{method} {path} {status}");
            }
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id), "two operations are `{id}`");
            assert!(operation["summary"].is_string(), "{method} {path} says nothing");
        }
    }
    let page = world.send_as(None, get("/docs")).await;
    let html = String::from_utf8_lossy(&page.body);
    assert!(html.contains("/v1/jobs/{id}/events") && !html.contains("<script"), "{html}");
}

#[tokio::test]
async fn what_is_no_route_is_a_problem() {
    let world = World::new().await;
    for (request, status) in [
        (get("/v1/nothing"), StatusCode::NOT_FOUND),
        (get("/"), StatusCode::NOT_FOUND),
        (post("/v1/datasets"), StatusCode::METHOD_NOT_ALLOWED),
        (get("/v1/check"), StatusCode::METHOD_NOT_ALLOWED),
        (get("/v1/jobs/%ff"), StatusCode::NOT_FOUND),
        (get("/v1/datasets/%ff/versions/1"), StatusCode::NOT_FOUND),
        (get("/v1/jobs?limit=%ff"), StatusCode::BAD_REQUEST),
    ] {
        let path = request.uri().to_string();
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
        assert_eq!(answer.json()["status"], status.as_u16(), "{path}");
        if status == StatusCode::METHOD_NOT_ALLOWED {
            assert!(!answer.header("allow").is_empty(), "{path}");
        }
    }
}

/// A store that works, fails, never answers, or fails after some requests.
#[derive(Debug, Default)]
struct Moody {
    store: MemoryStore,
    mood: AtomicU8,
    /// Requests that a tiring store still answers.
    left: AtomicU8,
}

const WELL: u8 = 0;
const FAILING: u8 = 1;
const SILENT: u8 = 2;
const TIRING: u8 = 3;

impl Moody {
    async fn answer(&self, path: impl ToString) -> Result<(), StoreError> {
        match self.mood.load(Ordering::Relaxed) {
            WELL => Ok(()),
            TIRING if self.left.load(Ordering::Relaxed) > 0 => {
                self.left.fetch_sub(1, Ordering::Relaxed);
                Ok(())
            }
            FAILING | TIRING => {
                let reason = "secret-host:9000 refused".to_owned();
                Err(StoreError::Transient { path: path.to_string(), reason, retry_after_ms: Some(6_500) })
            }
            _ => pending().await,
        }
    }
}

#[async_trait]
impl Store for Moody {
    async fn put_once(&self, path: &ObjectPath, bytes: Bytes) -> Result<Put, StoreError> {
        self.answer(path).await?;
        self.store.put_once(path, bytes).await
    }

    async fn put(&self, path: &ObjectPath, bytes: Bytes) -> Result<(), StoreError> {
        self.answer(path).await?;
        self.store.put(path, bytes).await
    }

    async fn read(&self, path: &ObjectPath) -> Result<Bytes, StoreError> {
        self.answer(path).await?;
        self.store.read(path).await
    }

    async fn list(&self, folder: Option<&ObjectPath>) -> Result<Box<dyn Listing>, StoreError> {
        self.answer("list").await?;
        self.store.list(folder).await
    }

    async fn delete(&self, path: &ObjectPath) -> Result<(), StoreError> {
        self.answer(path).await?;
        self.store.delete(path).await
    }

    async fn upload(&self, path: &ObjectPath) -> Result<Box<dyn Upload>, StoreError> {
        self.answer(path).await?;
        self.store.upload(path).await
    }
}

#[tokio::test]
async fn a_store_that_fails_is_an_answer_without_internals() {
    let store = Arc::new(Moody::default());
    let world = World::over(Arc::<Moody>::clone(&store), Limits::default()).await;
    assert_eq!(world.send(get("/readyz")).await.status, StatusCode::OK);
    let job = world.submit().await;
    store.mood.store(FAILING, Ordering::Relaxed);
    world.clock.advance(1_000);
    let requests =
        [get("/v1/jobs"), get(&format!("/v1/jobs/{job}")), spec("/v1/jobs", SPEC), get("/v1/datasets"), get("/readyz")];
    for request in requests {
        let path = request.uri().to_string();
        let answer = world.send(request).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!answer.header("retry-after").is_empty(), "{path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("secret-host"), "{path}");
    }
    assert_eq!(world.send(get("/v1/jobs")).await.header("retry-after"), "7", "as the store asks");
    assert_eq!(world.send(get("/healthz")).await.status, StatusCode::OK, "the process lives");
}

/// The answer, while time passes.
async fn in_time(world: &World, request: Request<Body>) -> Answer {
    let mut answer = std::pin::pin!(world.send(request));
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            () = tokio::task::yield_now() => world.clock.advance(100),
        }
    }
}

#[tokio::test]
async fn without_the_ledger_jobs_are_submitted_read_and_commanded() {
    for away in [Away::Refusing, Away::Silent] {
        let world = World::new().await.without_ledger(away);
        // Submitting does not wait for the ledger: nothing moves the clock here.
        let path = format!("/v1/jobs/{}", world.planned().await);
        assert_eq!(in_time(&world, get(&path)).await.json()["progress"], Value::Null, "{away:?}");
        let paused = in_time(&world, post(&format!("{path}/pause"))).await;
        assert_eq!((paused.status, &paused.json()["state"]), (StatusCode::OK, &"paused".into()), "{away:?}");
        assert_eq!(in_time(&world, get(&format!("{path}/shards"))).await.status, StatusCode::OK, "{away:?}");
        let ready = in_time(&world, get("/readyz")).await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE, "{away:?}");
    }
}

#[tokio::test]
async fn an_accepted_job_is_answered_though_the_store_fails_afterwards() {
    let store = Arc::new(Moody::default());
    let world = World::over(Arc::<Moody>::clone(&store), Limits::default()).await;
    assert_eq!(world.send(get("/v1/jobs")).await.status, StatusCode::OK, "the key is known");
    let mut accepted = 0;
    for requests in 0..8 {
        store.left.store(requests, Ordering::Relaxed);
        store.mood.store(TIRING, Ordering::Relaxed);
        let status = world.send(spec("/v1/jobs", SPEC)).await.status;
        store.mood.store(WELL, Ordering::Relaxed);
        accepted += usize::from(status == StatusCode::ACCEPTED);
        let open = open_jobs(&world.root).await.expect("lists").len();
        assert_eq!(open, accepted, "after {requests} requests to the store: {status}");
    }
    assert!((1..8).contains(&accepted), "{accepted}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_refused() {
    let store = Arc::new(Moody::default());
    let world = World::over(Arc::<Moody>::clone(&store), Limits::default()).await;
    for is_known in [false, true] {
        store.mood.store(SILENT, Ordering::Relaxed);
        let mut answer = std::pin::pin!(world.send(get("/v1/jobs")));
        assert!(futures::future::poll_immediate(&mut answer).await.is_none(), "it waits for the store");
        world.clock.advance(REQUEST_MS);
        let answer = answer.await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "the key is known: {is_known}");
        assert_eq!(answer.json()["type"], "urn:shardmill:problem:too-slow");
        store.mood.store(WELL, Ordering::Relaxed);
        assert_eq!(world.send(get("/v1/jobs")).await.status, StatusCode::OK, "the key is known from now on");
    }
}

#[tokio::test]
async fn a_process_that_stops_is_not_ready_and_serves_no_more() {
    let world = World::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    let serving = tokio::spawn(crate::serve(world.api.clone(), listener));
    let mut open = tokio::net::TcpStream::connect(address).await.expect("connects");
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let request = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    open.write_all(request.as_bytes()).await.expect("writes");
    let mut answer = [0; 15];
    open.read_exact(&mut answer).await.expect("reads");
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
    world.stop.set();
    serving.await.expect("ends").expect("serves");
    assert_eq!(world.send(get("/readyz")).await.status, StatusCode::SERVICE_UNAVAILABLE);
}
