//! The provider over real sockets: answers, cut connections, and a bill that is exact when many call at once.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};
use shardmill_shared::process::{Clock, ManualClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::limits::NEVER_MS;
use crate::{Faults, Limits, MockProvider, Options, Spread};

fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn hello(number: u64) -> String {
    let body = json!({"model": "mock-1", "messages": [{"role": "user", "content": format!("hello {number}")}]});
    request("POST", "/v1/chat/completions", &body.to_string())
}

/// One answer of a connection that stays open.
async fn exchange(stream: &mut TcpStream, request: &str) -> (u16, Value) {
    stream.write_all(request.as_bytes()).await.expect("writes");
    let mut seen = Vec::new();
    loop {
        if let Some((status, body)) = whole(&seen) {
            return (status, body);
        }
        assert_ne!(stream.read_buf(&mut seen).await.expect("reads"), 0, "{}", String::from_utf8_lossy(&seen));
    }
}

/// The answer in these bytes, once it is all there.
fn whole(seen: &[u8]) -> Option<(u16, Value)> {
    let text = std::str::from_utf8(seen).expect("text");
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse::<usize>().expect("a length");
    let status = head.split(' ').nth(1)?.parse().expect("a status");
    (body.len() == length).then(|| (status, serde_json::from_str(body).unwrap_or(Value::Null)))
}

async fn connect(address: SocketAddr) -> TcpStream {
    TcpStream::connect(address).await.expect("connects")
}

/// What one request gets until the connection ends.
async fn rest(address: SocketAddr, request: &str) -> std::io::Result<Vec<u8>> {
    let mut stream = connect(address).await;
    stream.write_all(request.as_bytes()).await?;
    let mut seen = Vec::new();
    stream.read_to_end(&mut seen).await.map(|_| seen)
}

fn provider(faults: &str) -> MockProvider {
    let faults = Faults::read(faults).expect("faults");
    MockProvider::start(Options { faults, ..Options::default() }).expect("starts")
}

#[tokio::test]
async fn a_connection_carries_one_call_after_another() {
    let provider = provider("");
    let mut stream = connect(provider.address()).await;
    let (status, first) = exchange(&mut stream, &hello(1)).await;
    assert_eq!((status, &first["object"]), (200, &json!("chat.completion")));
    let (_, again) = exchange(&mut stream, &hello(1)).await;
    assert_eq!(first["choices"], again["choices"]);
    let (status, bill) = exchange(&mut stream, &request("GET", "/mock/bill", "")).await;
    assert_eq!((status, &bill["answered"], &bill["by_status"]["200"]), (200, &json!(2), &json!(2)));
    assert_eq!(bill["cost_nano_dollars"], provider.bill().cost_nano_dollars);
}

#[tokio::test]
async fn it_is_told_what_to_do_while_it_runs() {
    let provider = provider("");
    let mut stream = connect(provider.address()).await;
    for (path, body, status) in [
        ("/mock/faults", r#"{"faults": "overloaded:100%"}"#, 200),
        ("/mock/faults", r#"{"faults": "overlooded:100%"}"#, 400),
        ("/mock/limits", r#"{"requests_per_minute": 5}"#, 200),
        ("/mock/limits", r#"{"requests_per_minute": 0}"#, 400),
        ("/mock/limits", r#"{"requests_per_second": 5}"#, 400),
        ("/mock/reset", "", 200),
        ("/mock/other", "", 404),
        ("/mock/bill", "", 405),
    ] {
        let (found, answer) = exchange(&mut stream, &request("POST", path, body)).await;
        assert_eq!(found, status, "{path} {answer}");
    }
    let statuses = [exchange(&mut stream, &hello(1)).await.0, exchange(&mut stream, &hello(2)).await.0];
    assert_eq!(statuses, [503, 503]);
    provider.set_faults(Faults::default());
    provider.set_limits(Limits { requests_per_minute: Some(1), ..Limits::default() });
    let statuses = [exchange(&mut stream, &hello(1)).await.0, exchange(&mut stream, &hello(2)).await.0];
    assert_eq!(statuses, [200, 429]);
    let (_, models) = exchange(&mut stream, &request("GET", "/v1/models", "")).await;
    assert_eq!((&models["object"], &models["data"][0]["id"]), (&json!("list"), &json!("mock-1")));
    assert_eq!(exchange(&mut stream, &request("GET", "/v1/models/gone", "")).await.0, 404);
    let (status, lost) = exchange(&mut stream, &request("POST", "/v2/chat", "")).await;
    assert!(status == 404 && lost["error"]["message"].as_str().is_some_and(|text| text.contains("/v1/messages")));
}

#[tokio::test]
async fn connections_end_as_the_faults_say() {
    let cut = provider("half_body:100%");
    let half = String::from_utf8(rest(cut.address(), &hello(1)).await.expect("a plain end")).expect("text");
    let (head, body) = half.split_once("\r\n\r\n").expect("a head");
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length")
        .parse()
        .expect("a number");
    assert!(head.starts_with("HTTP/1.1 200") && body.len() == length / 2, "{half}");
    let reset = provider("reset:100%");
    let error = rest(reset.address(), &hello(1)).await.expect_err("a reset").kind();
    assert_eq!(error, std::io::ErrorKind::ConnectionReset);
    for provider in [cut, reset] {
        let bill = provider.bill();
        assert_eq!((bill.charged, bill.cut_off, bill.in_flight, bill.by_status.len()), (1, 1, 0, 0));
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_is_charged_at_once_and_ends_at_last() {
    let clock = Arc::new(ManualClock::default());
    let faults = Faults::read("timeout:100%").expect("faults");
    let options = Options { faults, clock: Arc::<ManualClock>::clone(&clock), ..Options::default() };
    let provider = MockProvider::start(options).expect("starts");
    let request = hello(1);
    let waits = rest(provider.address(), &request);
    let passes = async {
        while provider.bill().cut_off == 0 {
            assert!(provider.bill().charged == 1 || clock.now_ms() == 0);
            if provider.bill().charged == 1 {
                clock.advance(NEVER_MS);
            }
            tokio::task::yield_now().await;
        }
    };
    let (seen, ()) = tokio::join!(waits, passes);
    assert_eq!(seen.expect("a plain end"), b"");
}

#[tokio::test]
async fn whoever_goes_away_has_bought_the_answer() {
    let options = Options { latency: Spread::Fixed(600_000), ..Options::default() };
    let provider = MockProvider::start(options).expect("starts");
    let mut stream = connect(provider.address()).await;
    stream.write_all(hello(1).as_bytes()).await.expect("writes");
    while provider.bill().charged == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((provider.bill().in_flight, provider.bill().cut_off), (1, 0));
    drop(stream);
    while provider.bill().cut_off == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((provider.bill().in_flight, provider.bill().charged), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_bill_is_exact_when_many_call_at_once() {
    const CALLERS: u64 = 32;
    const CALLS: u64 = 60;
    let provider = provider("server_error:5%,refusal:5%,rate_limited:5%");
    let address = provider.address();
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            tokio::spawn(async move {
                let mut stream = connect(address).await;
                let (mut cost, mut answered) = (0, 0);
                for call in 0..CALLS {
                    let (status, body) = exchange(&mut stream, &hello(caller * CALLS + call)).await;
                    let tokens = |name: &str| body["usage"][name].as_u64().unwrap_or(0);
                    cost += tokens("prompt_tokens") * 1_000 + tokens("completion_tokens") * 5_000;
                    answered += u64::from(status == 200);
                }
                (cost, answered)
            })
        })
        .collect();
    let (mut cost, mut answered) = (0, 0);
    for caller in callers {
        let (more_cost, more_answered) = caller.await.expect("ends");
        (cost, answered) = (cost + more_cost, answered + more_answered);
    }
    let bill = provider.bill();
    assert_eq!((bill.cost_nano_dollars, bill.answered, bill.charged), (cost, answered, answered));
    assert_eq!((bill.calls, bill.in_flight), (CALLERS * CALLS, 0));
    assert_eq!(bill.answered + bill.failed + bill.rate_limited, bill.calls);
    assert!(bill.failed > 0 && bill.rate_limited > 0 && bill.peak_in_flight <= CALLERS, "{bill:?}");
}
