//! The API's own description: OpenAPI 3.1.

use std::sync::LazyLock;

use axum::extract::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{self, PathItem, RefOr, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::auth::Access;
use crate::problem::ProblemBody;
use crate::routes::routes;
use crate::{check, datasets, docs, health, jobs, keys, schedules};

/// Everything that is written at the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Shardmill",
        description = "Datasets at batch scale: submit specs, watch jobs, fetch versions.",
        license(name = "Apache-2.0"),
    ),
    paths(
        jobs::submit::submit, jobs::list::list, jobs::read::read, jobs::command::cancel, jobs::command::pause,
        jobs::command::resume, jobs::command::retry, jobs::command::priority, jobs::command::budget, jobs::events::events,
        jobs::shards::shards, jobs::shards::of_stage, jobs::read::spec, jobs::manifest::manifest, jobs::failures::failures, check::check, check::plan,
        datasets::list::list, datasets::versions::versions, datasets::version::version, datasets::file::file,
        schedules::put::put, schedules::list::list, schedules::read::read, schedules::command::delete,
        schedules::command::pause, schedules::command::resume, schedules::run::run,
        keys::manage::create, keys::manage::list, keys::manage::own, keys::manage::delete, keys::manage::delete_all,
        health::healthz, health::readyz, openapi, docs::docs,
    ),
    components(schemas(ProblemBody)),
    modifiers(&Common),
)]
struct Description;

/// What many routes have in common: the key, and how those without a good one are refused.
struct Common;

const KEY: &str = "key";

impl Modify for Common {
    fn modify(&self, api: &mut openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("smk_…").build();
        if let Some(components) = &mut api.components {
            components.add_security_scheme(KEY, SecurityScheme::Http(bearer));
        }
        for route in routes() {
            let item = api.paths.paths.get_mut(&route.documented());
            if let Some(operation) = item.and_then(|item| operation(item, route.method.as_str())) {
                let access = route.access;
                if access != Access::Open {
                    operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(KEY, [])]);
                }
                let responses = &mut operation.responses.responses;
                for (status, description) in refusals(access) {
                    let response = ResponseBuilder::new().description(*description).build();
                    responses.entry((*status).to_owned()).or_insert(RefOr::T(response));
                }
                responses.iter_mut().for_each(|(status, response)| be_problem(status, response));
            }
        }
    }
}

/// The operation of a method.
fn operation<'i>(item: &'i mut PathItem, method: &str) -> Option<&'i mut openapi::path::Operation> {
    match method {
        "GET" => item.get.as_mut(),
        "POST" => item.post.as_mut(),
        "PUT" => item.put.as_mut(),
        "DELETE" => item.delete.as_mut(),
        _ => None,
    }
}

fn refusals(access: Access) -> &'static [(&'static str, &'static str)] {
    match access {
        Access::Open => &[],
        Access::Key(_) => &[
            ("401", "There is no key, or none that is known"),
            ("403", "The key's role is too small"),
            ("429", "The key asks too often: `Retry-After` says how many seconds to wait"),
            ("500", "The server has a fault"),
            ("503", "The store or the ledger does not answer, or it took too long: try again"),
        ],
    }
}

/// Every refusal has one shape.
fn be_problem(status: &str, response: &mut RefOr<Response>) {
    if let RefOr::T(response) = response
        && status.starts_with(['4', '5'])
    {
        let schema = openapi::Ref::from_schema_name("ProblemBody");
        let content = openapi::ContentBuilder::new().schema(Some(schema)).build();
        response.content.insert("application/problem+json".to_owned(), content.into());
    }
}

static DESCRIPTION: LazyLock<openapi::OpenApi> = LazyLock::new(Description::openapi);

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "about",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)))]
pub(crate) async fn openapi() -> Json<&'static openapi::OpenApi> {
    Json(&DESCRIPTION)
}

/// The description, for the page that shows it.
pub(crate) fn description() -> &'static openapi::OpenApi {
    &DESCRIPTION
}
