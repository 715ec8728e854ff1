//! What happens to a job, as server-sent events. Every stream starts with the present state, so a resumed one misses
//! nothing.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use shardmill_shared::job::Progress;
use tokio::sync::OwnedSemaphorePermit;

use super::{JobResource, Known, ProgressResource};
use crate::auth::Caller;
use crate::input::Named;
use crate::limits::{HEARTBEAT_SECONDS, PROGRESS_MS, STATE_MS, STREAM_MS};
use crate::problem::Problem;
use crate::shared::Shared;

/// What happens to a job, as server-sent events.
///
/// `state` (a job) comes first and whenever the job changed, `progress` at most four times a second while it is made,
/// and `end` (a job) last. A stream that is cut off is resumed with `Last-Event-ID`: it starts with the present state.
/// Whoever resumes after `end` is answered 204, which tells browsers to leave it.
#[utoipa::path(get, path = "/v1/jobs/{id}/events", tag = "jobs", operation_id = "watch_job",
    params(("id" = String, Path, description = "The id of the job"),
        ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was received")),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 204, description = "The job is over, and the caller knows it"),
        (status = 404, description = "There is no such job"),
    ))]
pub(crate) async fn events(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    Named(id): Named<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let known = Known::find(&shared, &caller, &id).await?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    if known.ending.is_some() && last == Some(end_id(&known).as_str()) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = Arc::clone(&shared.streams).try_acquire_owned();
    let place = place.map_err(|_| Problem::unavailable("process, which has no event stream left,"))?;
    let heartbeat = KeepAlive::new().interval(Duration::from_secs(HEARTBEAT_SECONDS)).text("alive");
    let stream = futures::stream::unfold(Watch::new(shared, known, place), Watch::next);
    // Proxies that gather answers would hold events back.
    let headers = [("x-accel-buffering", "no")];
    Ok((headers, Sse::new(stream).keep_alive(heartbeat)).into_response())
}

/// A job under watch, and what the watcher was told.
struct Watch {
    shared: Shared,
    known: Known,
    started_ms: u64,
    started_unix_ms: u64,
    looked_ms: u64,
    told: Option<JobResource>,
    progress: Option<Progress>,
    sent: u64,
    waiting: VecDeque<Event>,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

impl Watch {
    fn new(shared: Shared, known: Known, place: OwnedSemaphorePermit) -> Self {
        let (started_ms, started_unix_ms) = (shared.api.clock.now_ms(), shared.api.clock.unix_ms());
        Self {
            shared,
            known,
            started_ms,
            started_unix_ms,
            looked_ms: started_ms,
            told: None,
            progress: None,
            sent: 0,
            waiting: VecDeque::new(),
            is_over: false,
            _place: place,
        }
    }

    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Some((Ok(event), self));
            }
            if self.is_over || (self.told.is_some() && !self.pause().await) {
                return None;
            }
            self.look().await;
        }
    }

    /// Waits for the next look; false when the stream is to end.
    async fn pause(&self) -> bool {
        let clock = &self.shared.api.clock;
        let now_ms = clock.now_ms();
        if now_ms.saturating_sub(self.started_ms) >= STREAM_MS {
            return false;
        }
        tokio::select! {
            biased;
            () = self.shared.api.stop.wait() => false,
            () = clock.sleep_until(now_ms.saturating_add(PROGRESS_MS)) => true,
        }
    }

    /// Compares the job with what was told of it.
    async fn look(&mut self) {
        let mut progress = self.known.progress(&self.shared).await;
        let now_ms = self.shared.api.clock.now_ms();
        // The ledger forgets a job when it is over, so the news is in the store.
        let is_forgotten = progress.is_none() && self.progress.is_some();
        if is_forgotten || now_ms.saturating_sub(self.looked_ms) >= STATE_MS {
            self.looked_ms = now_ms;
            let known = Known::of(self.known.records.clone(), self.known.submission.clone()).await;
            // A store that fails now is asked again at the next look.
            if let Ok(known) = known {
                self.known = known;
            }
            progress = progress.filter(|_| self.known.ending.is_none());
        }
        let job = self.known.resource(progress.as_ref());
        let told = JobResource { progress: None, made: None, ..job.clone() };
        if self.told.as_ref() != Some(&told) {
            self.told = Some(told);
            self.tell("state", &job);
        }
        if let Some(progress) = progress
            && self.progress.as_ref() != Some(&progress)
        {
            self.tell("progress", &ProgressResource::from(&progress));
            self.progress = Some(progress);
        }
        if self.known.ending.is_some() {
            self.is_over = true;
            self.waiting.push_back(event("end", &job).id(end_id(&self.known)));
        }
    }

    fn tell<T: Serialize>(&mut self, name: &str, data: &T) {
        self.sent += 1;
        let id = format!("{}-{}", self.started_unix_ms, self.sent);
        self.waiting.push_back(event(name, data).id(id));
    }
}

fn event<T: Serialize>(name: &str, data: &T) -> Event {
    let text = serde_json::to_string(data).expect("resources have string keys and finite numbers");
    Event::default().event(name).data(text)
}

/// The id of the last event of a job that is over: another after each retry.
fn end_id(known: &Known) -> String {
    format!("end-{}", known.orders.retries)
}

#[cfg(test)]
mod tests;
