//! Sees every request: counts it, and writes a line about it under an id that the answer carries.

use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use shardmill_shared::process::trace;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::limits::REQUEST_ID_BYTES;
use crate::shared::Shared;

/// The header of requests and answers that names the request.
const REQUEST_ID: &str = "x-request-id";

/// What the route of a request is called that has none.
const NO_ROUTE: &str = "none";

/// The first status that is a fault of ours.
const FAULTS: u16 = 500;

/// Probes ask every few seconds: their lines and spans would hide the others.
const PROBES: [&str; 2] = ["/healthz", "/readyz"];

/// Lets a request pass, and tells of it once it is answered.
pub(crate) async fn observe(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, |path| path.as_str()).to_owned();
    let (method, id) = (method(request.method()), request_id(request.headers()));
    let shown = id.to_str().unwrap_or_default();
    let is_probe = PROBES.contains(&route.as_str());
    // Of the highest level: its fields belong to every line of the request, however little is written.
    let visible = || tracing::error_span!("request", request.id = shown, method, route, tenant = Empty);
    let span = if is_probe { Span::none() } else { visible() };
    trace::follow(&span, request.headers().get("traceparent").and_then(|value| value.to_str().ok()));
    trace::rename(&span, format!("{method} {route}"));
    let clock = &shared.api.clock;
    let begun_ms = clock.now_ms();
    let mut answer = next.run(request).instrument(span.clone()).await;
    let took_ms = clock.now_ms().saturating_sub(begun_ms);
    let status = answer.status().as_u16();
    shared.api.metrics.answered((method, &route), status, Duration::from_millis(took_ms));
    if status >= FAULTS {
        trace::fail(&span, &format!("status {status}"));
    }
    if !is_probe {
        span.in_scope(|| tracing::info!(status, took_ms, "answered"));
    }
    answer.headers_mut().insert(REQUEST_ID, id);
    answer
}

/// The id that the client gave, if it is fit to stand in a log, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_fit = |value: &&HeaderValue| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        (1..=REQUEST_ID_BYTES).contains(&value.len()) && value.as_bytes().iter().all(is_plain)
    };
    let fresh = || HeaderValue::from_str(&Uuid::now_v7().simple().to_string()).expect("hexadecimal digits are visible");
    headers.get(REQUEST_ID).filter(is_fit).cloned().unwrap_or_else(fresh)
}

/// The method, where the API knows it: anybody may send any word.
fn method(method: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    known.into_iter().find(|known| method.as_str() == *known).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    use crate::testing::{World, get};

    #[tokio::test]
    async fn requests_are_counted_by_route_and_never_by_path() {
        let world = World::new().await;
        for path in ["/v1/jobs", "/v1/jobs/a", "/v1/jobs/b", "/secret", "/v1/jobs/../x"] {
            world.send(get(path)).await;
        }
        world.send_as(None, get("/v1/jobs")).await;
        let strange = Request::builder().method("BREW").uri("/v1/jobs").body(Body::empty()).expect("builds");
        world.send(strange).await;
        let (mut registry, mut text) = (Registry::default(), String::new());
        world.api.metrics.register(&mut registry);
        encode(&mut text, &registry).expect("encodes");
        let of = |method: &str, route: &str, status: u16| {
            let name = "shardmill_http_requests_total";
            let line = format!("{name}{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} ");
            text.lines().find_map(|found| found.strip_prefix(&line)).map(str::to_owned)
        };
        let count = |number: u64| Some(number.to_string());
        assert_eq!(of("GET", "/v1/jobs", 200), count(1), "{text}");
        assert_eq!(of("GET", "/v1/jobs", 401), count(1), "{text}");
        assert_eq!(of("GET", "/v1/jobs/{id}", 404), count(2), "{text}");
        assert_eq!(of("GET", "none", 404), count(2), "{text}");
        assert!(text.contains("method=\"other\"") && !text.contains("BREW") && !text.contains("secret"), "{text}");
    }

    #[tokio::test]
    async fn an_answer_carries_the_id_of_its_request() {
        let world = World::new().await;
        let ask = |id: &str| Request::builder().uri("/v1/jobs").header("x-request-id", id).body(Body::empty());
        let answer = world.send(ask("from-client.1").expect("builds")).await;
        assert_eq!(answer.header("x-request-id"), "from-client.1");
        let long = "a".repeat(65);
        for unfit in ["", "a b", "{\"a\":1}", &long] {
            let answer = world.send(ask(unfit).expect("builds")).await;
            assert_eq!(answer.header("x-request-id").len(), 32, "{unfit}");
        }
    }
}
