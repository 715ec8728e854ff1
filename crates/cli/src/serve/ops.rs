//! What programs ask every role: whether it lives, whether it can work, how much there is to do.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use shardmill_shared::job::Pool;
use shardmill_shared::ledger::Ledger;
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::Stop;
use shardmill_shared::queue::Queue;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::doors::Doors;
use super::page;
use super::survey::Survey;

/// What is looked at.
#[derive(Clone)]
pub(super) struct Ops {
    pub(super) survey: Arc<Survey>,
    pub(super) queue: Arc<dyn Queue>,
    pub(super) ledger: Arc<dyn Ledger>,
    /// The pools that this process takes shards of.
    pub(super) takes: Vec<Pool>,
    /// Shards at a time in each pool.
    pub(super) slots: u64,
    /// The order to take no more.
    pub(super) drain: Stop,
    /// The end: until then whoever watches a drain is answered.
    pub(super) stop: Stop,
    /// Whether the scheduler of this process leads.
    pub(super) leads: Arc<AtomicBool>,
    /// What this process counts.
    pub(super) metrics: Metrics,
}

impl Ops {
    /// The doors of this process, as its operators see them.
    pub(super) fn of(
        doors: &Doors,
        (takes, slots): (Vec<Pool>, usize),
        (drain, stop): (&Stop, &Stop),
        leads: &Arc<AtomicBool>,
    ) -> Self {
        Self {
            survey: Arc::new(Survey::new(&doors.store, &doors.ledger, &doors.clock)),
            queue: Arc::clone(&doors.queue),
            ledger: Arc::clone(&doors.ledger),
            takes,
            slots: slots as u64,
            drain: drain.clone(),
            stop: stop.clone(),
            leads: Arc::clone(leads),
            metrics: doors.metrics.clone(),
        }
    }

    /// Whether this process ought to take shards and cannot.
    fn is_idle_worker(&self) -> bool {
        !self.takes.is_empty() && !self.drain.is_set() && !self.queue.is_consuming()
    }

    /// Listens; answers where.
    pub(super) async fn start(self, listen: &str, roles: &mut JoinSet<()>) -> Result<String> {
        let listener =
            TcpListener::bind(listen).await.with_context(|| format!("metrics.listen: cannot listen on {listen}"))?;
        let address = listener.local_addr()?.to_string();
        let stop = self.stop.clone();
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/backlog/{pool}", get(backlog))
            .with_state(self);
        roles.spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(async move { stop.wait().await }).await;
            if let Err(error) = served {
                tracing::error!("the metrics ended: {error}");
            }
        });
        Ok(address)
    }
}

/// Healthy means: the process does its work. A worker that takes nothing does none, however well it is connected.
async fn healthz(State(ops): State<Ops>) -> Response {
    if ops.is_idle_worker() {
        return (StatusCode::SERVICE_UNAVAILABLE, "no shard can be taken: the queue is lost\n").into_response();
    }
    "ok\n".into_response()
}

/// Ready means: the servers answer, and a worker's queue brings it messages.
async fn readyz(State(ops): State<Ops>) -> Response {
    let unready = |what: &str| (StatusCode::SERVICE_UNAVAILABLE, format!("{what} does not answer\n")).into_response();
    if ops.drain.is_set() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if ops.ledger.slots(Pool::Generate).await.is_err() {
        return unready("the ledger");
    }
    if ops.is_idle_worker() {
        return unready("the queue");
    }
    "ok\n".into_response()
}

async fn backlog(State(ops): State<Ops>, Path(name): Path<String>) -> Response {
    let Some(pool) = POOLS.into_iter().find(|pool| pool.as_str() == name) else {
        return (StatusCode::NOT_FOUND, format!("there is no pool `{name}`; expected generate, sql or llm\n"))
            .into_response();
    };
    match ops.survey.find().await {
        Ok(found) => {
            let backlog = found.pools.get(&pool).copied().unwrap_or_default();
            let wanted = backlog.workers_wanted(ops.slots);
            Json(json!({"backlog": backlog.shards, "leased": backlog.leased, "workers_wanted": wanted})).into_response()
        }
        Err(error) => {
            tracing::warn!("the backlog is not known: {error}");
            (StatusCode::SERVICE_UNAVAILABLE, "the backlog is not known\n").into_response()
        }
    }
}

async fn metrics(State(ops): State<Ops>) -> Response {
    ([(CONTENT_TYPE, page::OPENMETRICS)], page::page(&ops).await).into_response()
}

/// Every pool there is.
pub(super) const POOLS: [Pool; 3] = [Pool::Generate, Pool::Sql, Pool::Llm];
