//! Providers that misbehave: each a clear failure of its own kind, with the right guess about what it cost.

use super::*;
use crate::config::Kind;
use crate::error::Class;
use crate::testing::{KEY, Script, Step};

fn sender(url: &str, timeout_s: u64) -> Sender {
    let config = ProviderConfig { timeout_s, ..ProviderConfig::at(Kind::OpenAiChat, url) };
    let wire = config.wire().expect("a wire");
    Sender::new(&config, &*wire, ApiKey::new(KEY)).expect("a sender")
}

async fn post(url: &str) -> Result<Answered, CallError> {
    sender(url, 300).post("/chat/completions", Bytes::from_static(b"{}")).await
}

async fn failure_of(step: Step) -> CallError {
    let script = Script::start([step]).await;
    post(&script.url).await.expect_err("fails")
}

#[tokio::test]
async fn half_a_body_and_a_hang_up_may_have_been_charged() {
    for step in [Step::Half(b"{\"choices\"".to_vec()), Step::HangUp] {
        let error = failure_of(step).await;
        assert!(error.class() == Class::Network && error.may_be_charged(), "{error}");
    }
}

#[tokio::test]
async fn silence_ends_at_the_deadline() {
    let script = Script::start([Step::Silence]).await;
    let error = sender(&script.url, 1).post("/x", Bytes::from_static(b"{}")).await.expect_err("is silent");
    assert_eq!(error, CallError::Timeout { seconds: 1 });
}

#[tokio::test]
async fn an_answer_without_end_is_not_read() {
    let large = vec![b' '; ANSWER_BYTES_MAX + 1];
    let error = failure_of(Step::Answer(200, Vec::new(), large)).await;
    assert!(matches!(&error, CallError::Malformed(what) if what.contains("8 MiB")), "{error}");
    let script = Script::start([Step::Answer(500, Vec::new(), vec![b'x'; 1 << 20])]).await;
    let answered = post(&script.url).await.expect("the beginning of an error is enough");
    assert_eq!((answered.status, answered.body.len()), (500, ERROR_BYTES_MAX));
}

#[tokio::test]
async fn nobody_there_and_no_tls_there_are_not_reached_and_cost_nothing() {
    let script = Script::start([]).await;
    let tls = script.url.replace("http:", "https:");
    for url in ["http://127.0.0.1:1/v1", &tls] {
        let error = post(url).await.expect_err("is not there");
        assert!(error.class() == Class::Unreachable && !error.may_be_charged(), "{url}: {error}");
        assert!(error.to_string().contains("base_url"), "{error}");
    }
    assert_eq!(script.calls().len(), 0);
}

#[tokio::test]
async fn a_redirection_is_not_followed_so_the_key_stays() {
    let other = Script::start([]).await;
    let moved = Step::Answer(307, vec![("location", format!("{}/chat/completions", other.url))], Vec::new());
    let script = Script::start([moved]).await;
    assert_eq!(post(&script.url).await.expect("an answer").status, 307);
    assert_eq!(other.calls().len(), 0);
}

#[tokio::test]
async fn an_error_that_repeats_the_key_loses_it() {
    let script = Script::start([Step::Answer(401, Vec::new(), format!("bad key {KEY}!").into_bytes())]).await;
    let sender = sender(&script.url, 300);
    let answered = sender.post("/chat/completions", Bytes::from_static(b"{}")).await.expect("an answer");
    assert_eq!(&answered.body[..], b"bad key ***!");
    assert!(!format!("{sender:?}").contains(KEY), "{sender:?}");
}

#[tokio::test]
async fn a_version_is_not_said_twice() {
    let script = Script::start([]).await;
    let config = ProviderConfig::at(Kind::Anthropic, &script.url);
    let wire = config.wire().expect("a wire");
    let sender = Sender::new(&config, &*wire, ApiKey::new(KEY)).expect("a sender");
    sender.post(&wire.path("m"), Bytes::from_static(b"{}")).await.expect("an answer");
    let head = &script.calls()[0].head;
    assert!(head.starts_with("post /v1/messages "), "{head}");
    assert!(head.contains("anthropic-version: 2023-06-01") && head.contains(&format!("x-api-key: {KEY}")), "{head}");
}
