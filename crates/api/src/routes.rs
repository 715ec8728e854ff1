//! Every route of the API, with who may call it.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{self, MethodRouter};

use crate::auth::{Access, Guard, guard};
use crate::limits::BODY_BYTES;
use crate::problem::{Kind, Problem};
use crate::shared::{Inner, Shared};
use crate::{Api, Role, check, datasets, docs, health, jobs, keys, observe, openapi, schedules};

/// A route: a method and a path, who may call it, and what answers.
pub(crate) struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    handler: MethodRouter<Shared>,
}

impl Route {
    /// The path as OpenAPI writes it.
    pub(crate) fn documented(&self) -> String {
        self.path.replace("{*", "{")
    }
}

/// All routes.
pub(crate) fn routes() -> Vec<Route> {
    use jobs::{command, events, failures, list, manifest, read, shards, submit};
    let get = |path, access, handler| Route { method: Method::GET, path, access, handler };
    let post = |path, access, handler| Route { method: Method::POST, path, access, handler };
    let (see, act, rule) = (Access::Key(Role::Read), Access::Key(Role::Submit), Access::Key(Role::Admin));
    let put = |path, handler| Route { method: Method::PUT, path, access: act, handler };
    let delete = Route {
        method: Method::DELETE,
        path: "/v1/keys/{id}",
        access: rule,
        handler: routing::delete(keys::manage::delete),
    };
    let delete_all = Route {
        method: Method::DELETE,
        path: "/v1/keys",
        access: rule,
        handler: routing::delete(keys::manage::delete_all),
    };
    vec![
        post("/v1/jobs", act, routing::post(submit::submit)),
        get("/v1/jobs", see, routing::get(list::list)),
        get("/v1/jobs/{id}", see, routing::get(read::read)),
        post("/v1/jobs/{id}/cancel", act, routing::post(command::cancel)),
        post("/v1/jobs/{id}/pause", act, routing::post(command::pause)),
        post("/v1/jobs/{id}/resume", act, routing::post(command::resume)),
        post("/v1/jobs/{id}/retry", act, routing::post(command::retry)),
        put("/v1/jobs/{id}/priority", routing::put(command::priority)),
        put("/v1/jobs/{id}/budget", routing::put(command::budget)),
        get("/v1/jobs/{id}/events", see, routing::get(events::events)),
        get("/v1/jobs/{id}/shards", see, routing::get(shards::shards)),
        get("/v1/jobs/{id}/shards/{stage}", see, routing::get(shards::of_stage)),
        get("/v1/jobs/{id}/spec", see, routing::get(read::spec)),
        get("/v1/jobs/{id}/manifest", see, routing::get(manifest::manifest)),
        get("/v1/jobs/{id}/failures", see, routing::get(failures::failures)),
        post("/v1/check", see, routing::post(check::check)),
        post("/v1/plan", see, routing::post(check::plan)),
        get("/v1/datasets", see, routing::get(datasets::list::list)),
        get("/v1/datasets/{name}/versions", see, routing::get(datasets::versions::versions)),
        get("/v1/datasets/{name}/versions/{version}", see, routing::get(datasets::version::version)),
        Route {
            method: Method::PUT,
            path: "/v1/schedules/{name}",
            access: act,
            handler: routing::put(schedules::put::put),
        },
        get("/v1/schedules", see, routing::get(schedules::list::list)),
        get("/v1/schedules/{name}", see, routing::get(schedules::read::read)),
        Route {
            method: Method::DELETE,
            path: "/v1/schedules/{name}",
            access: act,
            handler: routing::delete(schedules::command::delete),
        },
        post("/v1/schedules/{name}/pause", act, routing::post(schedules::command::pause)),
        post("/v1/schedules/{name}/resume", act, routing::post(schedules::command::resume)),
        post("/v1/schedules/{name}/run", act, routing::post(schedules::run::run)),
        get("/v1/datasets/{name}/versions/{version}/files/{*path}", see, routing::get(datasets::file::file)),
        post("/v1/keys", rule, routing::post(keys::manage::create)),
        get("/v1/keys", rule, routing::get(keys::manage::list)),
        delete_all,
        get("/v1/keys/self", see, routing::get(keys::manage::own)),
        delete,
        get("/healthz", Access::Open, routing::get(health::healthz)),
        get("/readyz", Access::Open, routing::get(health::readyz)),
        get("/openapi.json", Access::Open, routing::get(openapi::openapi)),
        get("/docs", Access::Open, routing::get(docs::docs)),
    ]
}

/// Answers every request to the API, and refuses what is none.
pub fn router(api: Api) -> Router {
    let shared = Inner::new(api);
    let mut router = Router::new();
    for Route { path, access, handler, .. } in routes() {
        let guarded = Guard { shared: Shared::clone(&shared), access };
        router = router.route(path, handler.route_layer(from_fn_with_state(guarded, guard)));
    }
    router
        .fallback(no_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES))
        .layer(from_fn_with_state(Shared::clone(&shared), observe::observe))
        .with_state(shared)
}

async fn no_route() -> Problem {
    Problem::new(Kind::NotFound, "there is no such path: `/openapi.json` lists those there are")
}

async fn wrong_method() -> Problem {
    Problem::new(Kind::WrongMethod, "the path has no such method: the header `allow` lists those it has")
}

#[cfg(test)]
mod tests;
