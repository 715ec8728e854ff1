//! Submitting: once, repeated, interrupted and refused.

use axum::http::Request;
use serde_json::json;
use shardmill_shared::job::{Ending, JobState, Made};
use shardmill_shared::store::open_jobs;

use super::*;
use crate::testing::{SPEC, World, get, spec};

fn keyed(path: &str, text: &str, key: &str) -> Request<axum::body::Body> {
    let mut request = spec(path, text);
    request.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
    request
}

#[tokio::test]
async fn a_submitted_job_is_known_and_open() {
    let world = World::new().await;
    let made = world.send(spec("/v1/jobs?priority=7", SPEC)).await;
    assert_eq!(made.status, StatusCode::ACCEPTED);
    let id = made.json()["id"].as_str().expect("an id").to_owned();
    assert_eq!(made.header("location"), format!("/v1/jobs/{id}"));
    let job = JobId::new(&id).expect("allowed");
    let submission = world.records().submission(&job).await.expect("reads").expect("is kept");
    assert_eq!((submission.spec.as_str(), submission.priority, submission.by.as_str()), (SPEC, 7, "admin"));
    assert_eq!(open_jobs(&world.root).await.expect("lists").len(), 1);
    let read = world.send(get(&format!("/v1/jobs/{id}"))).await;
    assert_eq!((read.status, read.json()), (StatusCode::OK, made.json()));
    let links = json!({
        "self": format!("/v1/jobs/{id}"), "events": format!("/v1/jobs/{id}/events"),
        "shards": format!("/v1/jobs/{id}/shards"), "failures": format!("/v1/jobs/{id}/failures"),
        "manifest": null, "version": null,
    });
    let expected = json!({
        "id": id, "dataset": "shop", "version": null, "state": "queued", "priority": 7, "by": "admin",
        "submitted": "2026-10-26T07:33:20.000Z", "ended": null, "retries": 0, "progress": null, "made": null,
        "waits_for": null, "budget": null, "message": null, "manifest": null, "links": links,
    });
    assert_eq!(read.json(), expected);
}

#[tokio::test]
async fn another_tenants_job_is_not_there() {
    let world = World::new().await;
    let (job, stranger) = (world.submit().await, world.stranger().await);
    for path in ["", "/events", "/shards", "/failures", "/manifest"] {
        let refused = world.send_as(Some(&stranger), get(&format!("/v1/jobs/{job}{path}"))).await;
        assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path}");
    }
    for id in ["nothing", "..%2f..%2fx", "%00"] {
        assert_eq!(world.send(get(&format!("/v1/jobs/{id}"))).await.status, StatusCode::NOT_FOUND, "{id}");
    }
}

#[tokio::test]
async fn a_repeated_request_is_one_job() {
    let world = World::new().await;
    let first = world.send(keyed("/v1/jobs", SPEC, "night 1")).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    world.clock.advance(5_000);
    let again = world.send(keyed("/v1/jobs", SPEC, "night 1")).await;
    assert_eq!((again.status, again.json()), (StatusCode::OK, first.json()));
    for (path, text) in [("/v1/jobs", "name: other"), ("/v1/jobs?priority=5", SPEC)] {
        let refused = world.send(keyed(path, text, "night 1")).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{path} {text}");
    }
    let stranger = world.stranger().await;
    let theirs = world.send_as(Some(&stranger), keyed("/v1/jobs", SPEC, "night 1")).await;
    assert_eq!(theirs.status, StatusCode::ACCEPTED, "another tenant's keys are its own");
    let other = world.send(keyed("/v1/jobs", SPEC, "night 2")).await;
    assert_ne!(other.json()["id"], first.json()["id"]);
}

#[tokio::test]
async fn a_request_that_died_halfway_is_finished_by_its_repetition() {
    let world = World::new().await;
    let job = new_id(world.clock_ms() - 60_000);
    let request = Digest::of(format!("{PRIORITY_USUAL}\n{SPEC}").as_bytes());
    let died = Idempotency { job: job.clone(), request };
    world.records().idempotency(Digest::of(b"k"), &died).await.expect("keeps");
    let answer = world.send(keyed("/v1/jobs", SPEC, "k")).await;
    assert_eq!((answer.status, &answer.json()["id"]), (StatusCode::OK, &json!(job.to_string())));
    assert_eq!(answer.json()["submitted"], "2026-10-26T07:32:20.000Z", "the time is that of the first request");
    assert_eq!(open_jobs(&world.root).await.expect("lists").len(), 1);
}

#[tokio::test]
async fn a_repetition_does_not_open_a_job_that_is_over() {
    let world = World::new().await;
    let first = world.send(keyed("/v1/jobs", SPEC, "k")).await;
    let job = JobId::new(first.json()["id"].as_str().expect("an id")).expect("allowed");
    let ending = Ending {
        state: JobState::Succeeded,
        message: None,
        ended_ms: 5,
        made: Made::default(),
        manifest: None,
        spent: None,
    };
    world.records().end(&job, 0, &ending).await.expect("ends");
    world.records().close(&job, 0).await.expect("closes");
    let again = world.send(keyed("/v1/jobs", SPEC, "k")).await;
    assert_eq!((again.status, &again.json()["state"]), (StatusCode::OK, &json!("succeeded")));
    assert_eq!(open_jobs(&world.root).await.expect("lists"), []);
}

#[tokio::test]
async fn a_refused_spec_says_everything_and_uses_no_key() {
    let world = World::new().await;
    let refused = world.send(keyed("/v1/jobs", "bad", "k")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    let finding = |line| {
        json!({"severity": "error", "line": line, "path": "tables.users", "message": "unknown key `bad`",
            "expected": "`name`", "nearest": "name"})
    };
    assert_eq!(
        refused.json(),
        json!({"type": "urn:shardmill:problem:bad-spec", "title": "the spec has errors", "status": 422,
            "detail": "the spec has 2 errors: mend them and send it again", "problems": [finding(1), finding(2)]})
    );
    assert_eq!(world.send(keyed("/v1/jobs", SPEC, "k")).await.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn bad_requests_make_no_job() {
    let world = World::new().await;
    let long = "k".repeat(256);
    for request in
        [spec("/v1/jobs?priority=10", SPEC), spec("/v1/jobs?priority=-1", SPEC), keyed("/v1/jobs", SPEC, &long)]
    {
        assert_eq!(world.send(request).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(world.send(spec("/v1/jobs", "panic")).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(open_jobs(&world.root).await.expect("lists"), []);
}

#[test]
fn an_id_tells_its_time() {
    let id = new_id(1_793_000_000_123);
    assert_eq!(submitted_ms(&id), Some(1_793_000_000_123));
    assert!(new_id(1_793_000_000_124) > id, "later ids sort later");
    assert_ne!(new_id(5), new_id(5));
}
