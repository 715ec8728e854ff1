//! Who calls: from the bearer token to a tenant and a role, before any handler runs.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::limits::REQUEST_MS;
use crate::problem::{Kind, Problem};
use crate::server::Peer;
use crate::shared::Shared;
use crate::{KeyEntry, Role};

/// Who sent a request: what is known of its key.
pub(crate) type Caller = KeyEntry;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody.
    Open,
    /// Keys of this role or a larger one.
    Key(Role),
}

/// What a route's guard needs.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) shared: Shared,
    pub(crate) access: Access,
}

/// Lets a request pass to its handler: known, allowed, not too often, and not for too long. What a stream sends after
/// its head may take as long as it likes.
pub(crate) async fn guard(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let answer = guard.shared.within(REQUEST_MS, pass(&guard, request, next)).await;
    let too_slow = || Problem::new(Kind::TooSlow, "the request took longer than 30 seconds: try again").after(1);
    answer.unwrap_or_else(|| too_slow().into_response())
}

async fn pass(guard: &Guard, mut request: Request, next: Next) -> Response {
    if let Access::Key(role) = guard.access {
        let peer = request.extensions().get::<Peer>().copied();
        match admit(&guard.shared, role, (peer, request.headers())).await {
            Ok(caller) => {
                tracing::Span::current().record("tenant", caller.tenant.as_str());
                request.extensions_mut().insert(caller)
            }
            Err(problem) => return problem.into_response(),
        };
    }
    next.run(request).await
}

async fn admit(shared: &Shared, role: Role, (peer, headers): (Option<Peer>, &HeaderMap)) -> Result<Caller, Problem> {
    let known = match token(headers) {
        Some(token) => find(shared, token, peer).await?,
        None => None,
    };
    let Some(key) = known else {
        let detail = "send `Authorization: Bearer <key>` with a key that is known here";
        return Err(Problem::new(Kind::Unauthorized, detail));
    };
    let admitted = {
        let mut rates = shared.rates.lock().expect("no holder of the lock panics");
        rates.admit(&key.id, shared.api.clock.now_ms())
    };
    if let Err(seconds) = admitted {
        let detail = format!("the key `{}` asks too often: wait {seconds} s", key.name);
        return Err(Problem::new(Kind::TooOften, detail).after(seconds));
    }
    caller(&key, role)
}

/// Whose key a token is. Whoever sends many that nobody knows waits, so that guessing costs the store little; keys that were
/// used lately are found without it.
async fn find(shared: &Shared, token: &str, peer: Option<Peer>) -> Result<Option<Arc<KeyEntry>>, Problem> {
    let (keys, now_ms) = (&shared.api.keys, shared.api.clock.now_ms());
    let Some(Peer(address)) = peer.filter(|_| !keys.knows(token)) else { return Ok(keys.find(token).await?) };
    let name = address.to_string();
    let strangers = || shared.strangers.lock().expect("no holder of the lock panics");
    if let Some(seconds) = { strangers().wait(&name, now_ms) } {
        let detail = format!("too many unknown keys come from {name}: wait {seconds} s");
        return Err(Problem::new(Kind::TooOften, detail).after(seconds));
    }
    let found = keys.find(token).await?;
    if found.is_none() {
        // The wait was asked for before; of several at once a few may be let through.
        let _ = strangers().admit(&name, now_ms);
    }
    Ok(found)
}

fn caller(key: &Arc<KeyEntry>, role: Role) -> Result<Caller, Problem> {
    if key.role < role {
        let detail = format!("this needs the role `{role}`, and the key `{}` has `{}`", key.name, key.role);
        return Err(Problem::new(Kind::Forbidden, detail));
    }
    Ok(KeyEntry::clone(key))
}

/// The token of the header `Authorization: Bearer …`.
fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use shardmill_shared::job::Name;

    use crate::testing::{World, get};
    use crate::{Limits, Role};

    #[tokio::test]
    async fn who_is_not_known_learns_nothing() {
        let world = World::new().await;
        for header in [None, Some("Basic abc"), Some("Bearer"), Some("Bearer smk_wrong"), Some("Bearer ../../x")] {
            let answer = world.send_as(header, get("/v1/jobs")).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{header:?}");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert_eq!(answer.json()["type"], "urn:shardmill:problem:unauthorized");
        }
    }

    #[tokio::test]
    async fn a_role_is_enough_or_not() {
        let world = World::new().await;
        let tenant = Name::new("acme").expect("allowed");
        let reader = world.keys.create("reader", &tenant, Role::Read).await.expect("creates");
        let bearer = format!("Bearer {}", reader.reveal());
        assert_eq!(world.send_as(Some(&bearer), get("/v1/jobs")).await.status, StatusCode::OK);
        let own = world.send_as(Some(&bearer), get("/v1/keys/self")).await.json();
        assert_eq!((&own["name"], &own["tenant"], &own["role"]), (&"reader".into(), &"acme".into(), &"read".into()));
        let refused = world.send_as(Some(&bearer), get("/v1/keys")).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(refused.json()["detail"], "this needs the role `admin`, and the key `reader` has `read`");
    }

    #[tokio::test]
    async fn a_key_that_asks_too_often_waits() {
        let world = World::with_limits(Limits { requests_per_second: 1, burst: 2 }).await;
        assert_eq!(world.send(get("/v1/jobs")).await.status, StatusCode::OK);
        assert_eq!(world.send(get("/v1/jobs")).await.status, StatusCode::OK);
        let refused = world.send(get("/v1/jobs")).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.header("retry-after"), "1");
        world.clock.advance(1_000);
        assert_eq!(world.send(get("/v1/jobs")).await.status, StatusCode::OK);
    }
}
