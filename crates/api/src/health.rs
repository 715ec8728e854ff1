//! Whether the process lives, and whether it can answer.

use std::sync::Mutex;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use shardmill_shared::job::{Key, Layout, Pool};
use utoipa::ToSchema;

use crate::limits::{LEDGER_MS, READY_MS};
use crate::problem::Problem;
use crate::shared::{Inner, Shared};

/// What was found last, for anybody may ask as often as they like.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    found: Mutex<Option<(u64, Found)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Ready,
    NoStore,
    NoLedger,
}

/// All is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
}

const OK: Json<Health> = Json(Health { status: "ok" });

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health",
    responses((status = 200, description = "It lives", body = Health)))]
pub(crate) async fn healthz() -> Json<Health> {
    OK
}

/// Whether requests can be answered: the store and the ledger answer, and the process is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, description = "They can", body = Health),
    (status = 503, description = "They cannot"),
))]
pub(crate) async fn readyz(State(shared): State<Shared>) -> Result<Json<Health>, Problem> {
    if shared.api.stop.is_set() {
        return Err(Problem::unavailable("process, which is stopping,"));
    }
    match found(&shared).await {
        Found::Ready => Ok(OK),
        Found::NoStore => Err(Problem::unavailable("store")),
        Found::NoLedger => Err(Problem::unavailable("ledger")),
    }
}

async fn found(shared: &Inner) -> Found {
    let now_ms = shared.api.clock.now_ms();
    let last = *shared.readiness.found.lock().expect("no holder of the lock panics");
    if let Some((found_ms, found)) = last
        && now_ms.saturating_sub(found_ms) < READY_MS
    {
        return found;
    }
    let found = look(shared).await;
    *shared.readiness.found.lock().expect("no holder of the lock panics") = Some((now_ms, found));
    found
}

async fn look(shared: &Inner) -> Found {
    let store = async {
        let folder = Layout::Folder.path(&Key::OpenJobs);
        shared.api.root.list(Some(&folder)).await?.next_page().await
    };
    if !matches!(shared.within(LEDGER_MS, store).await, Some(Ok(_))) {
        return Found::NoStore;
    }
    match shared.asked(shared.api.ledger.slots(Pool::Generate)).await {
        Some(_) => Found::Ready,
        None => Found::NoLedger,
    }
}
