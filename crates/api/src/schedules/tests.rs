//! Schedules as callers see them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use shardmill_shared::job::{JobId, Name};
use shardmill_shared::schedule::{Fire, FireOutcome};
use shardmill_shared::store::{ScheduleRecords, open_jobs};

use crate::testing::{Answer, World, acme, get, post, request};

const PATH: &str = "/v1/schedules/nightly";

fn nightly() -> Value {
    json!({"cron": "30 2 * * *", "time_zone": "Europe/Berlin", "spec": "name: shop", "keep": 7, "notify": ["team"]})
}

async fn put(world: &World, body: &Value) -> Answer {
    world.send(request(Method::PUT, PATH, body)).await
}

fn records(world: &World) -> ScheduleRecords {
    ScheduleRecords::of(&world.root, &acme())
}

fn name() -> Name {
    Name::new("nightly").expect("allowed")
}

#[tokio::test]
async fn a_schedule_is_made_read_replaced_and_deleted() {
    let world = World::new().await;
    let made = put(&world, &nightly()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.json());
    let shown = made.json();
    let wanted = json!({"name": "nightly", "state": "active", "cron": "30 2 * * *", "time_zone": "Europe/Berlin",
        "dataset": "shop", "priority": 4, "overlap": "skip", "keep": 7, "notify": ["team"], "by": "admin", "link": PATH,
        "changed": shown["changed"], "next": shown["next"]});
    assert_eq!(shown, wanted);
    // The test's time is the day after the clocks were set back.
    let days = ["27", "28", "29", "30", "31"];
    let next = days.map(|day| json!(format!("2026-10-{day}T01:30:00.000Z")));
    assert_eq!(shown["next"], json!(next));
    world.clock.advance(1_000);
    assert_eq!(put(&world, &nightly()).await.status, StatusCode::OK);
    let (number, first) = records(&world).find(&name()).await.expect("reads").expect("is there");
    assert_eq!(number, 1, "the same again is no change");
    let mut other = nightly();
    other["priority"] = json!(7);
    assert_eq!(put(&world, &other).await.json()["priority"], 7);
    let (_, second) = records(&world).find(&name()).await.expect("reads").expect("is there");
    assert_eq!(second.since_ms, first.since_ms, "what is due of the same line may still be caught up");
    other["cron"] = json!("0 3 * * *");
    assert_eq!(put(&world, &other).await.json()["cron"], "0 3 * * *");
    let (_, third) = records(&world).find(&name()).await.expect("reads").expect("is there");
    assert_eq!(third.since_ms, second.since_ms + 1_000, "a new line begins now");
    let whole = world.send(get(PATH)).await.json();
    assert_eq!((&whole["spec"], &whole["fires"]), (&json!("name: shop"), &json!([])));
    let gone = world.send(request(Method::DELETE, PATH, &Value::Null)).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    for missing in [get(PATH), post(&format!("{PATH}/pause")), request(Method::DELETE, PATH, &Value::Null)] {
        assert_eq!(world.send(missing).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(world.send(get("/v1/schedules")).await.json()["schedules"], json!([]));
    assert_eq!(put(&world, &nightly()).await.status, StatusCode::CREATED, "the name is free again");
}

#[tokio::test]
async fn every_mistake_is_named_with_its_place() {
    let world = World::new().await;
    let bad = json!({"cron": "61 2 * * *", "time_zone": "Europe/Berln", "spec": "bad", "priority": 10,
        "overlap": "skipp", "keep": 0, "notify": ["team", "taem", "others"]});
    let refused = put(&world, &bad).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let problem = refused.json();
    assert_eq!(problem["type"], "urn:shardmill:problem:bad-schedule");
    let word = |finding: &Value, name: &str| finding[name].as_str().unwrap_or("").to_owned();
    let found: Vec<(String, String, String)> = problem["problems"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|finding| (word(finding, "path"), word(finding, "expected"), word(finding, "nearest")))
        .collect();
    let cron = "five fields: minute, hour, day of month, month, day of week, as in `30 2 * * *`";
    let zone = "the IANA name of a time zone, as in `Europe/Berlin`";
    let wanted = [
        ("cron", cron, ""),
        ("time_zone", zone, "Europe/Berlin"),
        ("priority", "0 to 9", ""),
        ("overlap", "`skip` or `queue`", "skip"),
        ("keep", "1 or more", ""),
        ("notify[1]", "`team`", "team"),
        ("notify[2]", "`team`", ""),
        ("spec.tables.users", "`name`", "name"),
        ("spec.tables.users", "`name`", "name"),
    ];
    let wanted = wanted.map(|(path, expected, nearest)| (path.to_owned(), expected.to_owned(), nearest.to_owned()));
    assert_eq!(found, wanted);
    assert!(records(&world).find(&name()).await.expect("reads").is_none(), "nothing is made");
    for (body, expected) in [
        (json!({"cron": "0 2 * * *"}), "missing field `spec`"),
        (json!({"cron": "0 2 * * *", "spec": "name: a", "overlaps": "skip"}), "unknown field `overlaps`"),
        (json!({"cron": 5, "spec": "name: a"}), "expected a string"),
    ] {
        let refused = put(&world, &body).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{body}");
        assert!(refused.json()["detail"].as_str().expect("a text").contains(expected), "{:?}", refused.json());
    }
    let path = "/v1/schedules/-x";
    assert_eq!(world.send(request(Method::PUT, path, &nightly())).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_paused_schedule_has_no_next_time_and_a_resumed_one_begins_anew() {
    let world = World::new().await;
    put(&world, &nightly()).await;
    for _ in 0..2 {
        let paused = world.send(post(&format!("{PATH}/pause"))).await.json();
        assert_eq!((&paused["state"], &paused["next"]), (&json!("paused"), &json!([])));
    }
    assert_eq!(put(&world, &nightly()).await.json()["state"], "paused", "a replacement does not resume it");
    world.clock.advance(10 * 24 * 3_600_000);
    assert_eq!(world.send(post(&format!("{PATH}/resume"))).await.json()["state"], "active");
    let (number, schedule) = records(&world).find(&name()).await.expect("reads").expect("is there");
    assert_eq!((number, schedule.since_ms), (3, world.clock_ms()), "what came while it was paused is not caught up");
}

#[tokio::test]
async fn run_makes_one_job_for_one_key() {
    let world = World::new().await;
    put(&world, &nightly()).await;
    let run = |key: &'static str| {
        let mut request = post(&format!("{PATH}/run"));
        request.headers_mut().insert("idempotency-key", key.parse().expect("a header"));
        world.send(request)
    };
    let (first, again, other) = (run("a").await, run("a").await, run("b").await);
    assert_eq!((first.status, again.status), (StatusCode::ACCEPTED, StatusCode::OK));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_ne!(first.json()["id"], other.json()["id"]);
    assert_eq!(open_jobs(&world.root).await.expect("lists").len(), 2);
    let job = JobId::new(first.json()["id"].as_str().expect("an id")).expect("allowed");
    let submission = world.records().submission(&job).await.expect("reads").expect("is there");
    assert_eq!(submission.afterwards.schedule, Some(name()));
    assert_eq!(submission.afterwards.keep.map(u32::from), Some(7));
    let mut taken = crate::testing::spec("/v1/jobs", "name: shop");
    taken.headers_mut().insert("idempotency-key", "a".parse().expect("a header"));
    assert_eq!(world.send(taken).await.status, StatusCode::CONFLICT, "the key belongs to another request");
}

#[tokio::test]
async fn fires_are_shown_newest_first() {
    let world = World::new().await;
    put(&world, &nightly()).await;
    let job = JobId::new("j1").expect("allowed");
    for (number, outcome) in [(1, FireOutcome::Job(job.clone())), (2, FireOutcome::Skipped(job))] {
        let fire = Fire { at_ms: number * 1_000, missed: number, revision: 1, decided_ms: 9_000, outcome };
        records(&world).decide(&name(), number, &fire).await.expect("decides");
    }
    let shown = world.send(get(PATH)).await.json()["fires"].clone();
    let fire = |at: &str, outcome: &str, missed: u64| {
        json!({"at": at, "outcome": outcome, "job": "j1",
        "link": "/v1/jobs/j1", "missed": missed})
    };
    assert_eq!(shown[0], fire("1970-01-01T00:00:02.000Z", "skipped", 2));
    assert_eq!(shown[1], fire("1970-01-01T00:00:01.000Z", "job", 1));
}

#[tokio::test]
async fn lists_have_pages() {
    let world = World::new().await;
    for text in ["c", "a", "b"] {
        world.send(request(Method::PUT, &format!("/v1/schedules/{text}"), &nightly())).await;
    }
    let page = world.send(get("/v1/schedules?limit=2")).await.json();
    let names = |page: &Value| -> Vec<String> {
        let schedules = page["schedules"].as_array().expect("a list");
        schedules.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!((names(&page), &page["next"]), (vec!["a".to_owned(), "b".to_owned()], &json!("b")));
    let rest = world.send(get("/v1/schedules?limit=2&cursor=b")).await.json();
    assert_eq!((names(&rest), &rest["next"]), (vec!["c".to_owned()], &Value::Null));
    for query in ["cursor=../x", "limit=0", "colour=red"] {
        let refused = world.send(get(&format!("/v1/schedules?{query}"))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}

#[tokio::test]
async fn another_tenant_sees_no_schedule_and_no_webhook() {
    let world = World::new().await;
    put(&world, &nightly()).await;
    let stranger = world.stranger().await;
    for request in [
        get(PATH),
        post(&format!("{PATH}/pause")),
        post(&format!("{PATH}/resume")),
        post(&format!("{PATH}/run")),
        request(Method::DELETE, PATH, &Value::Null),
    ] {
        let uri = request.uri().clone();
        assert_eq!(world.send_as(Some(&stranger), request).await.status, StatusCode::NOT_FOUND, "{uri}");
    }
    let theirs = world.send_as(Some(&stranger), get("/v1/schedules")).await.json();
    assert_eq!(theirs["schedules"], json!([]));
    let refused = world.send_as(Some(&stranger), request(Method::PUT, PATH, &nightly())).await.json();
    let expected = &refused["problems"][0]["expected"];
    assert_eq!(expected, "nothing: no webhook is configured for this tenant");
}
