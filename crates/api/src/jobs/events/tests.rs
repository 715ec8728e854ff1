//! Event streams, read while a job goes on.

use axum::body::BodyDataStream;
use futures::StreamExt;
use serde_json::Value;
use shardmill_shared::job::{Ending, JobId, JobState, Made, ShardId, StageId};
use shardmill_shared::ledger::Ledger;

use super::*;
use crate::testing::{World, get, post};

struct Reader {
    body: BodyDataStream,
    text: String,
}

impl Reader {
    async fn open(world: &World, job: &JobId) -> Self {
        let answer = world.stream(get(&format!("/v1/jobs/{job}/events"))).await;
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["x-accel-buffering"], "no");
        Self { body: answer.into_body().into_data_stream(), text: String::new() }
    }

    /// The name, id and data of the next event; nothing at the end.
    async fn next(&mut self) -> Option<(String, String, Value)> {
        while !self.text.contains("\n\n") {
            let chunk = self.body.next().await?.expect("reads");
            self.text.push_str(&String::from_utf8_lossy(&chunk));
        }
        let (event, rest) = self.text.split_once("\n\n").expect("an event");
        let field = |name: &str| {
            let line = event.lines().find_map(|line| line.strip_prefix(name));
            line.map(|value| value.trim_start_matches([':', ' ']).to_owned()).unwrap_or_default()
        };
        let (name, id, data) = (field("event"), field("id"), field("data"));
        self.text = rest.to_owned();
        Some((name, id, serde_json::from_str(&data).expect("JSON")))
    }
}

fn stage() -> StageId {
    StageId::new("users").expect("allowed")
}

async fn done(world: &World, job: &JobId, index: u64) {
    let shard = ShardId { stage: stage(), index };
    world.ledger.mark_done(job, &shard, Made { rows: 10, bytes: 200 }).await.expect("marks");
}

async fn end(world: &World, job: &JobId) {
    let made = Made { rows: 20, bytes: 400 };
    let ending = Ending { state: JobState::Succeeded, message: None, ended_ms: 9, made, manifest: None, spent: None };
    world.records().end(job, 0, &ending).await.expect("ends");
    world.ledger.forget(job).await.expect("forgets");
}

/// The next event, while time passes.
async fn in_time(world: &World, reader: &mut Reader) -> Option<(String, String, Value)> {
    let mut next = std::pin::pin!(reader.next());
    loop {
        tokio::select! {
            biased;
            event = &mut next => return event,
            () = tokio::task::yield_now() => world.clock.advance(PROGRESS_MS),
        }
    }
}

#[tokio::test]
async fn a_stream_tells_state_progress_and_end() {
    let world = World::new().await;
    let job = world.planned().await;
    let mut reader = Reader::open(&world, &job).await;
    let (name, id, data) = reader.next().await.expect("an event");
    assert_eq!((name.as_str(), &data["state"], id.is_empty()), ("state", &"running".into(), false));
    world.ledger.open(&job, &stage(), 2).await.expect("opens");
    let (name, _, data) = in_time(&world, &mut reader).await.expect("an event");
    assert_eq!((name.as_str(), &data["stages"][0]["shards_done"]), ("progress", &0.into()));
    done(&world, &job, 1).await;
    let (name, _, data) = in_time(&world, &mut reader).await.expect("an event");
    assert_eq!((name.as_str(), &data["stages"][0]["shards_done"]), ("progress", &1.into()));
    world.send(post(&format!("/v1/jobs/{job}/pause"))).await;
    let (name, _, data) = in_time(&world, &mut reader).await.expect("an event");
    assert_eq!((name.as_str(), &data["state"]), ("state", &"paused".into()));
    end(&world, &job).await;
    let (name, _, data) = in_time(&world, &mut reader).await.expect("an event");
    assert_eq!((name.as_str(), &data["state"]), ("state", &"succeeded".into()));
    let (name, id, data) = in_time(&world, &mut reader).await.expect("an event");
    assert_eq!((name.as_str(), id.as_str(), &data["made"]["rows"]), ("end", "end-0", &20.into()));
    assert!(reader.next().await.is_none(), "nothing comes after the end");
}

#[tokio::test]
async fn nothing_is_told_twice_nor_too_often() {
    let world = World::new().await;
    let job = world.planned().await;
    world.ledger.open(&job, &stage(), 10).await.expect("opens");
    let mut reader = Reader::open(&world, &job).await;
    assert_eq!(reader.next().await.expect("an event").0, "state");
    assert_eq!(reader.next().await.expect("an event").0, "progress");
    let mut next = std::pin::pin!(reader.next());
    for index in 0..3 {
        done(&world, &job, index).await;
        world.clock.advance(PROGRESS_MS / 4);
        let early = futures::future::poll_immediate(&mut next).await;
        assert!(early.is_none(), "{early:?} came early");
    }
    world.clock.advance(PROGRESS_MS);
    let (name, _, data) = next.await.expect("an event");
    assert_eq!((name.as_str(), &data["stages"][0]["shards_done"]), ("progress", &3.into()));
}

#[tokio::test]
async fn who_resumes_after_the_end_is_sent_away() {
    let world = World::new().await;
    let job = world.submit().await;
    end(&world, &job).await;
    let mut reader = Reader::open(&world, &job).await;
    assert_eq!(reader.next().await.expect("an event").0, "state");
    let (name, id, _) = reader.next().await.expect("an event");
    assert_eq!(name, "end");
    let mut request = get(&format!("/v1/jobs/{job}/events"));
    request.headers_mut().insert("last-event-id", id.parse().expect("a header"));
    assert_eq!(world.send(request).await.status, StatusCode::NO_CONTENT);
    let mut request = get(&format!("/v1/jobs/{job}/events"));
    request.headers_mut().insert("last-event-id", "1-1".parse().expect("a header"));
    assert_eq!(world.send(request).await.status, StatusCode::OK, "an older id begins with the state");
}

#[tokio::test]
async fn a_stream_ends_when_the_process_stops_and_after_an_hour() {
    let world = World::new().await;
    let job = world.submit().await;
    let mut reader = Reader::open(&world, &job).await;
    reader.next().await.expect("an event");
    world.clock.advance(STREAM_MS);
    assert!(in_time(&world, &mut reader).await.is_none());
    let mut reader = Reader::open(&world, &job).await;
    reader.next().await.expect("an event");
    world.stop.set();
    assert!(reader.next().await.is_none());
}
