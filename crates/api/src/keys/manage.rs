//! The API's own keys, managed by the admins of a tenant. Those of the operator's tenant manage the keys of every tenant.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use shardmill_shared::job::Name;
use utoipa::{IntoParams, ToSchema};

use super::{KeyEntry, KeyError, OPERATOR, Role};
use crate::auth::Caller;
use crate::input::{Asked, JsonBody, Named};
use crate::problem::{Kind, Problem};
use crate::shared::Shared;
use crate::time::rfc3339;

/// A key that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct KeyWanted {
    /// What people call it.
    #[schema(example = "nightly")]
    name: String,
    /// What it may do.
    role: Role,
    /// Whose it is; the caller's own tenant unless it is given. Only admins of the tenant `default` may name another.
    #[schema(example = "acme")]
    tenant: Option<String>,
}

/// Whose keys are meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TenantQuery {
    /// The tenant; the caller's own unless it is given. Only admins of the tenant `default` may name another.
    tenant: Option<String>,
}

/// The keys that were deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeysDeleted {
    /// How many there were.
    deleted: usize,
}

/// A key, without the key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyResource {
    /// Its id.
    id: String,
    /// What people call it.
    name: String,
    /// Whose it is.
    tenant: String,
    /// What it may do.
    role: Role,
    /// When it was made.
    #[schema(format = "date-time")]
    created: String,
}

/// A key that was made. It is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyCreated {
    /// The key, to be sent as `Authorization: Bearer <key>`.
    key: String,
    /// Whose it is.
    tenant: String,
}

/// The keys of a tenant.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyList {
    /// All of them, by id.
    keys: Vec<KeyResource>,
}

impl From<KeyEntry> for KeyResource {
    fn from(entry: KeyEntry) -> Self {
        let KeyEntry { id, name, tenant, role, created_ms } = entry;
        Self { id, name, tenant: tenant.to_string(), role, created: rfc3339(created_ms) }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Store(error) => error.into(),
            KeyError::NoRandomness(_) => Self::fault(&error),
            KeyError::Tenant(_) | KeyError::Name | KeyError::NoKey => Self::new(Kind::BadRequest, error.to_string()),
        }
    }
}

/// The tenant that is meant, if the caller rules it.
fn ruled(caller: &Caller, tenant: Option<&str>) -> Result<Name, Problem> {
    match tenant {
        None => Ok(caller.tenant.clone()),
        Some(tenant) if tenant == caller.tenant.as_str() => Ok(caller.tenant.clone()),
        Some(tenant) if caller.tenant.as_str() == OPERATOR => {
            Name::new(tenant).map_err(|error| Problem::new(Kind::BadRequest, format!("`tenant`: {error}")))
        }
        Some(_) => {
            let detail =
                format!("only an admin of the tenant `{OPERATOR}` manages keys of other tenants: leave `tenant` out");
            Err(Problem::new(Kind::Forbidden, detail))
        }
    }
}

/// Make a key, of the caller's tenant or, for the operator, of any: a tenant is there once it has a key. The key is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/keys", tag = "keys", operation_id = "create_key", request_body = KeyWanted, responses(
    (status = 201, description = "The key", body = KeyCreated),
    (status = 400, description = "The body cannot be read, or the tenant may not be called so"),
    (status = 415, description = "The body is not JSON"),
))]
pub(crate) async fn create(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBody(wanted): JsonBody<KeyWanted>,
) -> Result<Response, Problem> {
    let tenant = ruled(&caller, wanted.tenant.as_deref())?;
    let secret = shared.api.keys.create(&wanted.name, &tenant, wanted.role).await?;
    let created = KeyCreated { key: secret.reveal().to_owned(), tenant: tenant.to_string() };
    let mut answer = (StatusCode::CREATED, Json(created)).into_response();
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// The keys of a tenant.
#[utoipa::path(get, path = "/v1/keys", tag = "keys", operation_id = "list_keys", params(TenantQuery),
    responses((status = 200, description = "The keys", body = KeyList)))]
pub(crate) async fn list(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<TenantQuery>,
) -> Result<Json<KeyList>, Problem> {
    let keys = shared.api.keys.list(&ruled(&caller, query.tenant.as_deref())?).await?;
    Ok(Json(KeyList { keys: keys.into_iter().map(KeyResource::from).collect() }))
}

/// The key that calls.
#[utoipa::path(get, path = "/v1/keys/self", tag = "keys", operation_id = "read_own_key",
    responses((status = 200, description = "The key, without the key", body = KeyResource)))]
pub(crate) async fn own(Extension(caller): Extension<Caller>) -> Json<KeyResource> {
    Json(caller.into())
}

/// Delete every key of another tenant, which ends its access within 30 seconds. Its data stays.
#[utoipa::path(delete, path = "/v1/keys", tag = "keys", operation_id = "delete_keys",
    params(("tenant" = String, Query, description = "The tenant")), responses(
    (status = 200, description = "They are deleted", body = KeysDeleted),
    (status = 409, description = "It is the caller's own tenant"),
))]
pub(crate) async fn delete_all(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Asked(query): Asked<TenantQuery>,
) -> Result<Json<KeysDeleted>, Problem> {
    let tenant = ruled(&caller, query.tenant.as_deref())?;
    if tenant == caller.tenant {
        let detail = "the keys of one's own tenant are deleted one by one: name another `tenant`";
        return Err(Problem::new(Kind::Conflict, detail));
    }
    Ok(Json(KeysDeleted { deleted: shared.api.keys.delete_all(&tenant).await? }))
}

/// Delete a key of a tenant, other than the one that calls. It may work for 30 seconds more.
#[utoipa::path(delete, path = "/v1/keys/{id}", tag = "keys", operation_id = "delete_key",
    params(("id" = String, Path, description = "The id of the key"), TenantQuery), responses(
    (status = 204, description = "It is deleted"),
    (status = 404, description = "There is no such key"),
    (status = 409, description = "It is the key that calls"),
))]
pub(crate) async fn delete(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
    Asked(query): Asked<TenantQuery>,
) -> Result<StatusCode, Problem> {
    if caller.id == id {
        return Err(Problem::new(Kind::Conflict, "a key cannot delete itself: use another admin's key"));
    }
    let is_deleted = shared.api.keys.delete(&ruled(&caller, query.tenant.as_deref())?, &id).await?;
    if is_deleted { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("key", &id)) }
}
