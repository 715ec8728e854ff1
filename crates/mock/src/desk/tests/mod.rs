//! Calls in every protocol on a clock that only tests move: shapes, limits, faults and the bill.

mod faults;
mod limits;

use std::sync::Arc;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use shardmill_shared::process::ManualClock;

use super::*;
use crate::model::Models;
use crate::routes::{Route, route};
use crate::spread::Spread;
use crate::wire::Head;

struct World {
    desk: Arc<Desk>,
    clock: Arc<ManualClock>,
}

/// An answer as a client sees it.
struct Seen {
    verdict: Verdict,
    body: Value,
}

impl Seen {
    fn header(&self, name: &str) -> Option<&str> {
        self.verdict.headers.get(name)?.to_str().ok()
    }
}

const MESSAGES: &str = "/v1/messages";
const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";
const EMBEDDINGS: &str = "/v1/embeddings";
const AZURE: &str = "/openai/deployments/mock-1/chat/completions?api-version=2024-10-21";
const CONVERSE: &str = "/model/mock-1/converse";
const TALKING: [&str; 5] = [MESSAGES, CHAT, RESPONSES, AZURE, CONVERSE];

impl World {
    fn new(change: impl FnOnce(&mut Options)) -> Self {
        let clock = Arc::new(ManualClock::default());
        let mut options = Options { clock: Arc::<ManualClock>::clone(&clock), ..Options::default() };
        options.output_tokens = Spread::Fixed(10);
        change(&mut options);
        Self { desk: Arc::new(Desk::new(options)), clock }
    }

    fn limited(limits: Limits) -> Self {
        Self::new(|options| options.limits = limits)
    }

    fn faulty(faults: &str) -> Self {
        Self::new(|options| options.faults = Faults::read(faults).expect("faults"))
    }

    /// Decides a call and leaves it open.
    fn open(&self, path: &str, head: &[(&str, &str)], body: &[u8]) -> (Call, Seen) {
        let mut headers: HeaderMap = HeaderMap::new();
        for (name, value) in head {
            let name: HeaderName = name.parse().expect("a name");
            headers.insert(name, HeaderValue::from_str(value).expect("a value"));
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let Route::Call { wire, model } = route(&Method::POST, path) else { panic!("{path} is no call") };
        let mut call = Call::open(&self.desk);
        let head = Head { headers: &headers, query };
        let verdict = self.desk.decide(&mut call, &Incoming { wire, model: model.as_deref(), head, body });
        let body = serde_json::from_slice(&verdict.body).unwrap_or(Value::Null);
        (call, Seen { verdict, body })
    }

    fn say(&self, path: &str, head: &[(&str, &str)], body: &[u8]) -> Seen {
        let (call, seen) = self.open(path, head, body);
        if seen.verdict.ending == Ending::Whole {
            call.close(seen.verdict.status);
        }
        seen
    }

    fn ask(&self, path: &str, body: &Value) -> Seen {
        self.say(path, &keys(), body.to_string().as_bytes())
    }
}

/// Keys for every protocol.
fn keys() -> [(&'static str, &'static str); 4] {
    [("x-api-key", "k"), ("anthropic-version", "2023-06-01"), ("authorization", "Bearer k"), ("api-key", "k")]
}

/// A prompt of three tokens in the protocol of a path.
fn hello(path: &str, model: &str, most: u64) -> Value {
    let messages = json!([{"role": "user", "content": "hello there"}]);
    match path {
        MESSAGES => json!({"model": model, "max_tokens": most, "messages": messages}),
        RESPONSES => json!({"model": model, "max_output_tokens": most, "input": "hello there"}),
        CONVERSE => {
            json!({"messages": [{"role": "user", "content": [{"text": "hello there"}]}], "inferenceConfig": {"maxTokens": most}})
        }
        _ => json!({"model": model, "max_completion_tokens": most, "messages": messages}),
    }
}

/// The text of an answer in the protocol of a path.
fn text_of<'b>(path: &str, body: &'b Value) -> &'b Value {
    match path {
        MESSAGES => &body["content"][0]["text"],
        RESPONSES => &body["output"][0]["content"][0]["text"],
        CONVERSE => &body["output"]["message"]["content"][0]["text"],
        _ => &body["choices"][0]["message"]["content"],
    }
}

fn finish_of<'b>(path: &str, body: &'b Value) -> &'b Value {
    match path {
        MESSAGES => &body["stop_reason"],
        RESPONSES => &body["status"],
        CONVERSE => &body["stopReason"],
        _ => &body["choices"][0]["finish_reason"],
    }
}

/// Input and output tokens as the protocol of a path reports them.
fn usage_of(path: &str, body: &Value) -> (u64, u64) {
    let (input, output) = match path {
        MESSAGES | RESPONSES => ("input_tokens", "output_tokens"),
        CONVERSE => ("inputTokens", "outputTokens"),
        _ => ("prompt_tokens", "completion_tokens"),
    };
    (body["usage"][input].as_u64().expect("input"), body["usage"][output].as_u64().expect("output"))
}

#[test]
fn every_protocol_answers_in_its_shape_and_is_charged_what_it_reports() {
    let world = World::new(|_| ());
    let (mut input, mut output) = (0, 0);
    for (path, finish, cut) in [
        (MESSAGES, "end_turn", "max_tokens"),
        (CHAT, "stop", "length"),
        (RESPONSES, "completed", "incomplete"),
        (AZURE, "stop", "length"),
        (CONVERSE, "end_turn", "max_tokens"),
    ] {
        let seen = world.ask(path, &hello(path, "mock-1", 100));
        assert_eq!((seen.verdict.status, finish_of(path, &seen.body)), (200, &json!(finish)), "{}", seen.body);
        let text = text_of(path, &seen.body).as_str().expect("a text");
        assert_eq!(usage_of(path, &seen.body), (4, crate::tokens::count(text)), "{path} {text:?}");
        assert_eq!(crate::tokens::count(text), 10);
        let short = world.ask(path, &hello(path, "mock-1", 3));
        assert_eq!((finish_of(path, &short.body), usage_of(path, &short.body)), (&json!(cut), (4, 3)), "{path}");
        (input, output) = (input + 8, output + 13);
    }
    let bill = world.desk.bill();
    assert_eq!((bill.calls, bill.charged, bill.tokens.input, bill.tokens.output), (10, 10, input, output));
    assert_eq!(bill.cost_nano_dollars, input * 1_000 + output * 5_000);
}

#[test]
fn answers_are_functions_of_seed_and_request() {
    let (one, other) = (World::new(|_| ()), World::new(|options| options.seed = 1));
    let text = |world: &World, model| text_of(CHAT, &world.ask(CHAT, &hello(CHAT, model, 50)).body).clone();
    assert_eq!(text(&one, "mock-1"), text(&one, "mock-1"));
    assert_ne!(text(&one, "mock-1"), text(&other, "mock-1"));
    assert_ne!(text(&one, "mock-1"), text(&one, "mock-mini"));
}

#[test]
fn given_answers_come_one_after_the_other() {
    let world = World::new(|options| options.answers = vec!["one two".to_owned(), "three".to_owned()]);
    let said = |path, room| text_of(path, &world.ask(path, &hello(path, "mock-1", room)).body).clone();
    // Whatever the protocol, and cut to what the request allows.
    let all = [said(CHAT, 1), said(MESSAGES, 50), said(RESPONSES, 50)];
    assert_eq!(all, [json!("one"), json!("three"), json!("three")]);
    world.desk.reset();
    assert_eq!((said(CHAT, 50), world.desk.bill().tokens.output), (json!("one two"), 2));
}

#[test]
fn schemas_are_satisfied_in_every_protocol() {
    let world = World::new(|_| ());
    let schema = json!({"type": "object", "additionalProperties": false, "required": ["name", "age"],
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}});
    let named = json!({"type": "json_schema", "name": "person", "schema": schema, "strict": true});
    for (path, key, value) in [
        (MESSAGES, "output_config", json!({"format": {"type": "json_schema", "schema": schema}})),
        (
            CHAT,
            "response_format",
            json!({"type": "json_schema", "json_schema": {"name": "person", "schema": schema, "strict": true}}),
        ),
        (AZURE, "response_format", json!({"type": "json_schema", "json_schema": {"name": "person", "schema": schema}})),
        (RESPONSES, "text", json!({"format": named})),
        (
            CONVERSE,
            "outputConfig",
            json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": schema.to_string()}}}}),
        ),
        (CHAT, "response_format", json!({"type": "json_object"})),
    ] {
        let mut body = hello(path, "mock-1", 1_000);
        body[key] = value;
        let seen = world.ask(path, &body);
        let text = text_of(path, &seen.body).as_str().unwrap_or_else(|| panic!("{path}: {}", seen.body));
        let answer: Value = serde_json::from_str(text).expect("JSON");
        assert!(answer["age"].is_u64() && answer["name"].is_string() || answer["text"].is_string(), "{answer}");
    }
    let mut body = hello(MESSAGES, "mock-1", 1_000);
    body["tools"] = json!([{"name": "other", "input_schema": {}}, {"name": "person", "input_schema": schema}]);
    body["tool_choice"] = json!({"type": "tool", "name": "person"});
    let seen = world.ask(MESSAGES, &body);
    assert_eq!((&seen.body["stop_reason"], &seen.body["content"][0]["name"]), (&json!("tool_use"), &json!("person")));
    assert!(seen.body["content"][0]["input"]["age"].is_u64(), "{}", seen.body);
    let mut body = hello(CONVERSE, "", 1_000);
    body["toolConfig"] = json!({"tools": [{"toolSpec": {"name": "person", "inputSchema": {"json": schema}}}], "toolChoice": {"any": {}}});
    let seen = world.ask(CONVERSE, &body);
    assert!(seen.body["output"]["message"]["content"][0]["toolUse"]["input"]["age"].is_u64(), "{}", seen.body);
}

#[test]
fn schemas_that_a_provider_refuses_are_refused_as_it_does() {
    let world = World::new(|_| ());
    let open = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let mut body = hello(CHAT, "mock-1", 50);
    body["response_format"] =
        json!({"type": "json_schema", "json_schema": {"name": "p", "schema": open, "strict": true}});
    let seen = world.ask(CHAT, &body);
    assert_eq!((seen.verdict.status, &seen.body["error"]["code"]), (400, &json!("invalid_json_schema")));
    assert!(seen.body["error"]["message"].as_str().is_some_and(|text| text.contains("'p': #: 'additionalProperties'")));
    let mut body = hello(MESSAGES, "mock-1", 50);
    body["output_config"] = json!({"format": {"type": "json_schema", "schema": open}});
    let seen = world.ask(MESSAGES, &body);
    assert_eq!((seen.verdict.status, &seen.body["error"]["type"]), (400, &json!("invalid_request_error")));
    assert_eq!(world.desk.bill().charged, 0);
}

#[test]
fn embeddings_come_as_numbers_or_bytes() {
    let world = World::new(|_| ());
    let body = json!({"model": "mock-embed", "input": ["hello there", "x"], "dimensions": 8});
    let seen = world.ask(EMBEDDINGS, &body);
    assert_eq!(
        (seen.body["data"].as_array().map(Vec::len), &seen.body["usage"]["prompt_tokens"]),
        (Some(2), &json!(5))
    );
    assert_eq!(seen.body["data"][0]["embedding"].as_array().map(Vec::len), Some(8));
    let body = json!({"model": "mock-embed", "input": "x", "dimensions": 3, "encoding_format": "base64"});
    let seen = world.ask(EMBEDDINGS, &body);
    assert_eq!(seen.body["data"][0]["embedding"].as_str().map(str::len), Some(16), "twelve bytes");
    let seen = world.say(
        EMBEDDINGS,
        &[("authorization", "Bearer k"), ("x-mock-fault", "refusal")],
        body.to_string().as_bytes(),
    );
    assert_eq!(seen.verdict.status, 200, "a vector cannot be refused");
    assert_eq!(world.desk.bill().cost_nano_dollars, (5 + 1 + 1) * 20);
    assert_eq!(world.ask(EMBEDDINGS, &json!({"model": "mock-embed", "input": [[1, 2]]})).verdict.status, 400);
}

#[test]
fn wrong_requests_are_refused_in_the_providers_words_and_cost_nothing() {
    let world = World::new(|_| ());
    let hello = |path| hello(path, "mock-1", 50);
    let with = |mut body: Value, key: &str, value: Value| {
        body[key] = value;
        body
    };
    let long = "x ".repeat(200_001);
    for (path, body, status, pointer, value) in [
        (MESSAGES, with(hello(MESSAGES), "model", json!("gone")), 404, "/error/type", "not_found_error"),
        (
            MESSAGES,
            with(hello(MESSAGES), "max_tokens", Value::Null),
            400,
            "/error/message",
            "max_tokens: Field required",
        ),
        (
            MESSAGES,
            with(hello(MESSAGES), "system", json!(long)),
            400,
            "/error/message",
            "prompt is too long: 200005 tokens > 200000 maximum",
        ),
        (MESSAGES, with(hello(MESSAGES), "stream", json!(true)), 400, "/error/type", "invalid_request_error"),
        (CHAT, with(hello(CHAT), "model", json!("gone")), 404, "/error/code", "model_not_found"),
        (CHAT, with(hello(CHAT), "messages", Value::Null), 400, "/error/param", "messages"),
        (CHAT, with(hello(CHAT), "max_completion_tokens", json!(65_000)), 400, "/error/param", "max_tokens"),
        (CHAT, with(hello(CHAT), "stream", json!(true)), 400, "/error/param", "stream"),
        (RESPONSES, with(hello(RESPONSES), "instructions", json!(long)), 400, "/error/code", "context_length_exceeded"),
        (CONVERSE, with(hello(CONVERSE), "messages", json!([])), 400, "/message", "messages: Field required"),
    ] {
        let seen = world.ask(path, &body);
        let found = seen.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        assert_eq!((seen.verdict.status, found), (status, value), "{path} {}", seen.body);
    }
    let bill = world.desk.bill();
    assert_eq!((bill.rejected, bill.charged, bill.cost_nano_dollars), (10, 0, 0));
    assert_eq!(world.say(CHAT, &keys(), b"{").body["error"]["type"], "invalid_request_error");
    assert_eq!(world.say(CHAT, &keys(), b"\xff").verdict.status, 400);
}

#[test]
fn whoever_brings_no_key_is_sent_away() {
    let world = World::new(|_| ());
    for (path, status, pointer, value) in [
        (MESSAGES, 401, "/error/type", "authentication_error"),
        (CHAT, 401, "/error/code", "invalid_api_key"),
        (EMBEDDINGS, 401, "/error/code", "invalid_api_key"),
        (AZURE, 401, "/error/code", "401"),
        (CONVERSE, 403, "/message", "the request carries no key"),
    ] {
        let seen = world.say(path, &[("authorization", "Basic x")], hello(path, "mock-1", 5).to_string().as_bytes());
        assert_eq!(seen.verdict.status, status, "{path}");
        assert_eq!(seen.body.pointer(pointer).and_then(Value::as_str), Some(value), "{path}");
    }
    let signed = "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0";
    let body = hello(CONVERSE, "", 5).to_string();
    assert_eq!(world.say(CONVERSE, &[("authorization", signed)], body.as_bytes()).verdict.status, 200);
    let body = hello(MESSAGES, "mock-1", 5).to_string();
    assert_eq!(world.say(MESSAGES, &[("x-api-key", "k")], body.as_bytes()).verdict.status, 400, "no version");
    let unversioned = AZURE.split('?').next().expect("a path");
    assert_eq!(world.ask(unversioned, &hello(CHAT, "", 5)).verdict.status, 404);
}

#[test]
fn prompts_are_cached_where_that_is_asked_for() {
    let world = World::new(|options| options.limits.input_tokens_per_minute = Some(5_000));
    let long = "word ".repeat(2_000);
    let body = |question: &str| {
        json!({"model": "mock-1", "max_tokens": 5, "messages": [{"role": "user", "content": question}],
            "system": [{"type": "text", "text": long, "cache_control": {"type": "ephemeral"}}]})
    };
    let usage = |question: &str| world.ask(MESSAGES, &body(question)).body["usage"].clone();
    let first = usage("one two");
    assert_eq!((&first["cache_creation_input_tokens"], &first["input_tokens"]), (&json!(2_000), &json!(2)));
    let second = usage("three");
    assert_eq!((&second["cache_read_input_tokens"], &second["input_tokens"]), (&json!(2_000), &json!(2)));
    let left = world.ask(MESSAGES, &body("four"));
    assert_eq!(left.header("anthropic-ratelimit-input-tokens-remaining"), Some("2995"), "cache reads are free");
    world.clock.advance(300_000);
    assert_eq!(usage("five")["cache_creation_input_tokens"], 2_000, "forgotten after five minutes");
    let bill = world.desk.bill();
    assert_eq!((bill.tokens.cached, bill.tokens.cache_written, bill.tokens.input), (4_000, 4_000, 6));
    let cost = 6 * 1_000 + 4_000 * 100 + 4_000 * 1_250 + bill.tokens.output * 5_000;
    assert_eq!(bill.cost_nano_dollars, cost);
}

#[test]
fn long_prompts_are_cached_unasked_only_where_the_options_say_so() {
    let body = json!({"model": "mock-1", "max_completion_tokens": 5, "messages":
        [{"role": "system", "content": "word ".repeat(1_100)}, {"role": "user", "content": "x"}]});
    for (long_prompts, cached) in [(LongPrompts::Paid, 0), (LongPrompts::Cached, 1_024)] {
        let world = World::new(|options| options.long_prompts = long_prompts);
        let usage = || world.ask(CHAT, &body).body["usage"].clone();
        assert_eq!(usage()["prompt_tokens_details"]["cached_tokens"], 0);
        let again = usage();
        assert_eq!(
            (&again["prompt_tokens_details"]["cached_tokens"], &again["prompt_tokens"]),
            (&json!(cached), &json!(1_101))
        );
    }
}

#[test]
fn a_star_serves_every_model() {
    let table = r#"[{"name": "*", "input_pico": 2000, "cached_pico": 0, "output_pico": 0}]"#;
    let world = World::new(|options| options.models = Models::read(table).expect("a table"));
    let seen = world.ask(CHAT, &hello(CHAT, "some-model", 9));
    assert_eq!((seen.verdict.status, &seen.body["model"]), (200, &json!("some-model")));
    assert_eq!(world.desk.bill().by_model["*"].cost_nano_dollars, 4 * 2);
}
