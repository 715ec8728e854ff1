//! Keys in the store, and their management.

use axum::http::{Method, StatusCode};
use serde_json::json;
use shardmill_shared::process::ManualClock;
use shardmill_shared::store::MemoryStore;

use super::*;
use crate::testing::{World, get, request};

fn keys() -> (Keys, Arc<ManualClock>, Arc<MemoryStore>) {
    let (clock, store) = (Arc::new(ManualClock::default()), Arc::new(MemoryStore::default()));
    (Keys::new(Arc::<MemoryStore>::clone(&store), Arc::<ManualClock>::clone(&clock)), clock, store)
}

fn tenant(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

#[tokio::test]
async fn a_key_is_known_by_its_hash_alone() {
    let (keys, _, store) = keys();
    let secret = keys.create("nightly", &tenant("acme"), Role::Submit).await.expect("creates");
    let found = keys.find(secret.reveal()).await.expect("reads").expect("is known");
    assert_eq!((found.name.as_str(), found.role, &found.tenant), ("nightly", Role::Submit, &tenant("acme")));
    for path in keys.paths().await.expect("lists") {
        let kept = store.read(&path).await.expect("reads");
        assert!(!String::from_utf8_lossy(&kept).contains(&secret.reveal()[4..]), "the store holds the key");
        assert!(!path.as_str().contains(&secret.reveal()[4..]), "the store's path holds the key");
    }
    assert_eq!(format!("{secret:?}"), "***");
}

#[tokio::test]
async fn a_deleted_key_is_forgotten_at_once_here_and_soon_elsewhere() {
    let (here, clock, store) = keys();
    let elsewhere = Keys::new(store, Arc::<ManualClock>::clone(&clock));
    let secret = here.create("old", &tenant("acme"), Role::Read).await.expect("creates");
    let id = elsewhere.find(secret.reveal()).await.expect("reads").expect("is known").id.clone();
    assert!(!here.delete(&tenant("other"), &id).await.expect("reads"), "another tenant deletes nothing");
    assert!(here.delete(&tenant("acme"), &id).await.expect("deletes"));
    assert_eq!(here.find(secret.reveal()).await.expect("reads"), None);
    clock.advance(KEY_MS);
    assert_eq!(elsewhere.find(secret.reveal()).await.expect("reads"), None);
}

#[tokio::test]
async fn the_first_admin_is_made_once_or_given() {
    let (keys, ..) = keys();
    let first = keys.first_admin(None).await.expect("makes").expect("is new");
    assert_eq!(keys.find(first.reveal()).await.expect("reads").expect("is known").role, Role::Admin);
    assert!(keys.first_admin(None).await.expect("looks").is_none(), "there is one");
    let given = Secret::new(format!("smk_{}", "a1".repeat(20)));
    assert!(keys.first_admin(Some(given.clone())).await.expect("keeps").is_none());
    assert!(keys.find(given.reveal()).await.expect("reads").is_some());
    assert_eq!(keys.first_admin(Some(Secret::new("smk_short"))).await.expect_err("is refused"), KeyError::NoKey);
}

#[tokio::test]
async fn tenants_do_not_take_our_names() {
    let (keys, ..) = keys();
    let refused = keys.create("x", &tenant("_keys"), Role::Read).await.expect_err("is refused");
    assert_eq!(refused, KeyError::Tenant("_keys".to_owned()));
    assert_eq!(keys.create("", &tenant("a"), Role::Read).await.expect_err("is refused"), KeyError::Name);
}

#[tokio::test]
async fn an_admin_manages_the_keys_of_its_tenant() {
    let world = World::new().await;
    let made = world.send(request(Method::POST, "/v1/keys", &json!({"name": "ci", "role": "submit"}))).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"));
    let bearer = format!("Bearer {}", made.json()["key"].as_str().expect("a key"));
    assert_eq!(world.send_as(Some(&bearer), get("/v1/jobs")).await.status, StatusCode::OK);
    let listed = world.send(get("/v1/keys")).await.json();
    let keys = listed["keys"].as_array().expect("a list");
    let id = |name: &str| keys.iter().find(|key| key["name"] == name).expect("listed")["id"].as_str().expect("an id");
    assert!(keys.iter().all(|key| key["tenant"] == "acme"), "{listed}");
    let own = world.send(request(Method::DELETE, &format!("/v1/keys/{}", id("admin")), &json!(null))).await;
    assert_eq!(own.status, StatusCode::CONFLICT);
    let path = format!("/v1/keys/{}", id("ci"));
    assert_eq!(world.send(request(Method::DELETE, &path, &json!(null))).await.status, StatusCode::NO_CONTENT);
    assert_eq!(world.send(request(Method::DELETE, &path, &json!(null))).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.send_as(Some(&bearer), get("/v1/jobs")).await.status, StatusCode::UNAUTHORIZED);
    let wrong = world.send(request(Method::POST, "/v1/keys", &json!({"name": "x", "role": "king"}))).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_operator_manages_the_keys_of_every_tenant_and_nobody_else_does() {
    let world = World::new().await;
    let operator = world.keys.create("operator", &tenant(OPERATOR), Role::Admin).await.expect("creates");
    let operator = format!("Bearer {}", operator.reveal());
    let wanted = json!({"name": "first", "role": "admin", "tenant": "globex"});
    let made = world.send_as(Some(&operator), request(Method::POST, "/v1/keys", &wanted)).await;
    assert_eq!((made.status, &made.json()["tenant"]), (StatusCode::CREATED, &json!("globex")));
    let theirs = format!("Bearer {}", made.json()["key"].as_str().expect("a key"));
    let listed = world.send_as(Some(&operator), get("/v1/keys?tenant=globex")).await.json();
    assert_eq!(listed["keys"].as_array().map(Vec::len), Some(1), "{listed}");
    assert!(world.send_as(Some(&operator), get("/v1/keys")).await.json()["keys"][0]["tenant"] == OPERATOR);

    let nothing = json!(null);
    let id = listed["keys"][0]["id"].as_str().expect("an id");
    for (method, path, body) in [
        (Method::POST, "/v1/keys".to_owned(), &wanted),
        (Method::GET, "/v1/keys?tenant=globex".to_owned(), &nothing),
        (Method::DELETE, format!("/v1/keys/{id}?tenant=globex"), &nothing),
        (Method::DELETE, "/v1/keys?tenant=globex".to_owned(), &nothing),
    ] {
        let refused = world.send(request(method, &path, body)).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "an admin of `acme`: {path}");
    }
    for tenant in ["_keys", "..", "a/b", ""] {
        let wanted = json!({"name": "x", "role": "read", "tenant": tenant});
        let refused = world.send_as(Some(&operator), request(Method::POST, "/v1/keys", &wanted)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{tenant}");
    }

    assert_eq!(world.send_as(Some(&theirs), get("/v1/jobs")).await.status, StatusCode::OK);
    let deleted = world.send_as(Some(&operator), request(Method::DELETE, "/v1/keys?tenant=globex", &nothing)).await;
    assert_eq!((deleted.status, deleted.json()), (StatusCode::OK, json!({"deleted": 1})));
    assert_eq!(world.send_as(Some(&theirs), get("/v1/jobs")).await.status, StatusCode::UNAUTHORIZED);
    let own = world.send_as(Some(&operator), request(Method::DELETE, "/v1/keys", &nothing)).await;
    assert_eq!(own.status, StatusCode::CONFLICT);
}
