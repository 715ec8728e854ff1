//! A whole API over twins, for tests.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use serde_json::Value;
use shardmill_shared::job::{Digest, JobId, Key, Name, Placed, Plan, Pool, Rows, Stage, StageId, Work};
use shardmill_shared::ledger::MemoryLedger;
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::{Clock, ManualClock, Stop};
use shardmill_shared::spec::{Problem, Severity};
use shardmill_shared::store::{JobRecords, MemoryStore, Store};
use tower::ServiceExt;

use crate::{Accepted, Api, Checked, Keys, Limits, Role, Specs, router};

mod away;

pub(crate) use away::Away;

/// A spec that the test's reader accepts: 100 rows of `users` in 10 shards.
pub(crate) const SPEC: &str = "name: shop";

/// The start of the test's time: some day of 2026.
const START_MS: u64 = 1_793_000_000_000;

pub(crate) struct World {
    pub(crate) api: Api,
    router: Router,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) root: Arc<dyn Store>,
    pub(crate) ledger: MemoryLedger,
    pub(crate) keys: Arc<Keys>,
    pub(crate) stop: Stop,
    bearer: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub(crate) async fn with_limits(limits: Limits) -> Self {
        Self::over(Arc::new(MemoryStore::default()), limits).await
    }

    pub(crate) async fn over(root: Arc<dyn Store>, limits: Limits) -> Self {
        let (clock, stop) = (Arc::new(ManualClock::default()), Stop::default());
        clock.advance(START_MS);
        let ledger = MemoryLedger::new(Arc::<ManualClock>::clone(&clock));
        let keys = Arc::new(Keys::new(Arc::clone(&root), Arc::<ManualClock>::clone(&clock)));
        let admin = keys.create("admin", &acme(), Role::Admin).await.expect("creates");
        let api = Api {
            root: Arc::clone(&root),
            location: Some("s3://bucket/data".to_owned()),
            ledger: Arc::new(ledger.clone()),
            budgets: Arc::new(ledger.clone()),
            specs: Arc::new(OneSpec),
            keys: Arc::clone(&keys),
            clock: Arc::<ManualClock>::clone(&clock),
            limits,
            stop: stop.clone(),
            metrics: Metrics::default(),
            webhooks: [(Name::new("team").expect("allowed"), vec![acme()])].into(),
        };
        let bearer = format!("Bearer {}", admin.reveal());
        Self { router: router(api.clone()), api, clock, root, ledger, keys, stop, bearer }
    }

    /// The same, with a ledger that cannot be reached.
    pub(crate) fn without_ledger(mut self, away: Away) -> Self {
        self.api.ledger = Arc::new(away);
        self.router = router(self.api.clone());
        self
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        self.send_as(Some(&self.bearer), request).await
    }

    pub(crate) async fn send_as(&self, bearer: Option<&str>, request: Request<Body>) -> Answer {
        let response = self.open(bearer, request).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("reads");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The answer's beginning; its body comes as it comes.
    pub(crate) async fn stream(&self, request: Request<Body>) -> axum::response::Response {
        self.open(Some(&self.bearer), request).await
    }

    async fn open(&self, bearer: Option<&str>, mut request: Request<Body>) -> axum::response::Response {
        if let Some(bearer) = bearer {
            request.headers_mut().insert("authorization", bearer.parse().expect("a header"));
        }
        self.router.clone().oneshot(request).await.expect("the router always answers")
    }

    /// Submits [`SPEC`] and returns the job's id.
    pub(crate) async fn submit(&self) -> JobId {
        let answer = self.send(spec("/v1/jobs", SPEC)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.json());
        JobId::new(answer.json()["id"].as_str().expect("an id")).expect("allowed")
    }

    /// Submits [`SPEC`], and places and plans the job as a scheduler does: version 3 of `shop`.
    pub(crate) async fn planned(&self) -> JobId {
        let (job, dataset) = (self.submit().await, Name::new("shop").expect("allowed"));
        let placed = Placed { dataset: dataset.clone(), version: 3 };
        self.records().settle_place(&job, &placed).await.expect("places");
        let place = self.records().place(&job).await.expect("reads").expect("is placed");
        place.put(&Key::Plan, &plan(&dataset, SPEC)).await.expect("plans");
        job
    }

    /// The header of a key of another tenant.
    pub(crate) async fn stranger(&self) -> String {
        let tenant = Name::new("other").expect("allowed");
        let secret = self.keys.create("stranger", &tenant, Role::Admin).await.expect("creates");
        format!("Bearer {}", secret.reveal())
    }

    pub(crate) fn clock_ms(&self) -> u64 {
        self.clock.unix_ms()
    }

    pub(crate) fn records(&self) -> JobRecords {
        JobRecords::of(&self.root, &acme())
    }
}

pub(crate) fn acme() -> Name {
    Name::new("acme").expect("allowed")
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).expect("a request")
}

pub(crate) fn request(method: Method, path: &str, body: &Value) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    request.body(Body::from(body.to_string())).expect("a request")
}

pub(crate) fn post(path: &str) -> Request<Body> {
    Request::post(path).body(Body::empty()).expect("a request")
}

pub(crate) fn spec(path: &str, text: &str) -> Request<Body> {
    typed(path, "application/yaml", text.as_bytes().to_vec())
}

pub(crate) fn typed(path: &str, media: &str, body: Vec<u8>) -> Request<Body> {
    Request::post(path).header("content-type", media).body(Body::from(body)).expect("a request")
}

/// The plan of every accepted spec.
pub(crate) fn plan(dataset: &Name, spec: &str) -> Plan {
    let users = Name::new("users").expect("allowed");
    let stage = Stage {
        id: StageId::new("users").expect("allowed"),
        needs: Vec::new(),
        pool: Pool::Generate,
        work: Work::Table { table: users, extension: Name::new("csv").expect("allowed") },
        rows: Rows::Exact(100),
        shard_rows: 10.try_into().expect("not zero"),
        row_bytes: 20,
    };
    let (spec_digest, writer) = (Digest::of(spec.as_bytes()), "test".to_owned());
    Plan { spec_digest, name: dataset.clone(), seed: 7, engine: 1, writer, stages: vec![stage], budget: None }
}

/// Accepts `name: X`; finds two errors in a text that begins with `bad`, and panics at `panic`.
#[derive(Debug)]
struct OneSpec;

impl Specs for OneSpec {
    fn read(&self, text: &str, _: &Name) -> Checked {
        assert!(text != "panic", "as the test wants it");
        if text.starts_with("bad") {
            let problem = |line| Problem {
                severity: Severity::Error,
                line,
                path: "tables.users".to_owned(),
                message: "unknown key `bad`".to_owned(),
                expected: Some("`name`".to_owned()),
                nearest: Some("name".to_owned()),
            };
            return Checked { problems: vec![problem(1), problem(2)], accepted: None };
        }
        let dataset = text.strip_prefix("name: ").and_then(|name| Name::new(name.trim()).ok());
        let dataset = dataset.unwrap_or_else(|| Name::new("unnamed").expect("allowed"));
        let plan = plan(&dataset, text);
        Checked { problems: Vec::new(), accepted: Some(Accepted { dataset, spec: text.to_owned(), plan }) }
    }
}
