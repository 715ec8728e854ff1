//! What is written to each kind of provider, and what its answers and failures mean.

use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::*;
use crate::error::Class;
use crate::reply::{Finish, Usage};
use crate::request::Parameters;

fn request() -> Request {
    let parameters =
        Parameters { temperature: Some(0.5), top_p: Some(0.9), seed: Some(7), ..Parameters::with_at_most(100) };
    let schema = json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false});
    let schema = Arc::new(Schema::new("thing", schema).expect("a schema"));
    Request::of("one", parameters).with_system("be brief").after("two", "three").as_json(schema)
}

fn schema_value() -> Value {
    request().schema().expect("has one").value().clone()
}

fn written(wire: &dyn Wire, request: &Request, mode: Mode<'_>) -> Value {
    let body = wire.write(&Question { model: "m", request, mode }).expect("writes");
    serde_json::from_slice(&body).expect("is JSON")
}

fn read(wire: &dyn Wire, body: &Value) -> Result<Reply, CallError> {
    wire.read(&Bytes::from(body.to_string()))
}

fn classified(wire: &dyn Wire, status: u16, headers: &[(&'static str, &'static str)], body: &str) -> CallError {
    let pair =
        |(name, value): &(&'static str, &'static str)| (HeaderName::from_static(name), HeaderValue::from_static(value));
    let headers: HeaderMap = headers.iter().map(pair).collect();
    wire.classify(&Failure { status, headers: &headers, body: body.as_bytes(), now_ms: 0 })
}

const CHAT: Chat = Chat { dialect: Dialect::OpenAi };
const COMPATIBLE: Chat = Chat { dialect: Dialect::Compatible };

#[test]
fn anthropic_is_asked_in_its_words() {
    let format = json!({"type": "json_schema", "schema": schema_value()});
    let wanted = json!({
        "model": "m", "max_tokens": 100, "system": "be brief", "temperature": 0.5, "top_p": 0.9,
        "messages": [
            {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}
        ],
        "output_config": {"format": format}, "service_tier": "standard_only"
    });
    assert_eq!(written(&Anthropic, &request(), Mode::Native), wanted);
    let plain = written(&Anthropic, &request(), Mode::Plain("as JSON"));
    assert_eq!((&plain["system"], plain.get("output_config")), (&json!("be brief\n\nas JSON"), None));
    assert_eq!(
        (Anthropic.path("m").as_str(), Anthropic.credential()),
        ("/v1/messages", Credential::Header("x-api-key"))
    );
}

#[test]
fn openai_is_asked_in_its_words() {
    let wanted = json!({
        "model": "m", "instructions": "be brief", "max_output_tokens": 100, "temperature": 0.5, "top_p": 0.9,
        "input": [
            {"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}
        ],
        "text": {"format": {"type": "json_schema", "name": "thing", "strict": true, "schema": schema_value()}},
        "service_tier": "default", "store": false
    });
    assert_eq!(written(&Responses, &request(), Mode::Native), wanted);
    let mut stopped = request();
    stopped.parameters.stop = vec!["END".to_owned()];
    let error = Responses.write(&Question { model: "m", request: &stopped, mode: Mode::Native });
    assert!(matches!(error, Err(CallError::BadRequest(what)) if what.contains("openai_chat")));
}

#[test]
fn each_dialect_of_chat_has_its_words() {
    let messages = json!([
        {"role": "system", "content": "be brief"}, {"role": "user", "content": "one"},
        {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"}
    ]);
    let schema = json!({"name": "thing", "strict": true, "schema": schema_value()});
    let wanted = json!({
        "model": "m", "messages": messages, "max_completion_tokens": 100, "temperature": 0.5, "top_p": 0.9, "seed": 7,
        "response_format": {"type": "json_schema", "json_schema": schema}, "service_tier": "default"
    });
    assert_eq!(written(&CHAT, &request(), Mode::Native), wanted);
    let compatible = written(&COMPATIBLE, &request(), Mode::Plain("as JSON"));
    assert_eq!((&compatible["max_tokens"], compatible.get("service_tier")), (&json!(100), None));
    assert_eq!(compatible["messages"][0]["content"], "be brief\n\nas JSON");
    let azure = Chat { dialect: Dialect::Azure { api_version: "2025-04-01-preview".to_owned() } };
    assert_eq!(written(&azure, &request(), Mode::Native).get("model"), None);
    assert_eq!(
        azure.path("my model"),
        "/openai/deployments/my%20model/chat/completions?api-version=2025-04-01-preview"
    );
    assert_eq!(azure.credential(), Credential::Header("api-key"));
}

#[test]
fn bedrock_is_asked_in_its_words_with_the_schema_in_the_prompt() {
    let text = |text: &str| json!([{"text": text}]);
    let wanted = json!({
        "system": [{"text": "be brief\n\nas JSON"}],
        "messages": [
            {"role": "user", "content": text("one")}, {"role": "assistant", "content": text("two")},
            {"role": "user", "content": text("three")}
        ],
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5, "topP": 0.9}
    });
    assert!(!Bedrock.holds_schemas());
    assert_eq!(written(&Bedrock, &request(), Mode::Plain("as JSON")), wanted);
    assert_eq!(Bedrock.path("eu.anthropic.claude-v1:0"), "/model/eu.anthropic.claude-v1%3A0/converse");
}

#[test]
fn usage_is_read_in_parts_that_do_not_overlap() {
    let parts = |input, cached, written, output, reasoning| {
        Some(Usage {
            input_tokens: input,
            cached_tokens: cached,
            cache_written_tokens: written,
            output_tokens: output,
            reasoning_tokens: reasoning,
        })
    };
    let anthropic = json!({
        "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "stop_reason": "end_turn", "model": "m-1",
        "usage": {"input_tokens": 5, "cache_creation_input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 9,
            "output_tokens_details": {"thinking_tokens": 4}, "service_tier": "standard"}
    });
    let reply = read(&Anthropic, &anthropic).expect("reads");
    assert_eq!((reply.text.as_str(), reply.usage), ("ab", parts(5, 2, 3, 9, 4)));
    assert_eq!((reply.model.as_deref(), reply.tier.as_deref()), (Some("m-1"), Some("standard")));
    let chat = json!({
        "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 3},
            "completion_tokens_details": {"reasoning_tokens": 4}}
    });
    assert_eq!(read(&CHAT, &chat).expect("reads").usage, parts(5, 2, 3, 9, 4));
    let responses = json!({
        "status": "completed",
        "output": [{"type": "reasoning"}, {"type": "message", "content": [{"type": "output_text", "text": "a"}]}],
        "usage": {"input_tokens": 10, "output_tokens": 9, "input_tokens_details": {"cached_tokens": 12},
            "output_tokens_details": {"reasoning_tokens": 4}}
    });
    let reply = read(&Responses, &responses).expect("reads");
    // A cached part that is larger than the whole is the whole.
    assert_eq!((reply.text.as_str(), reply.usage), ("a", parts(0, 10, 0, 9, 4)));
    let bedrock = json!({
        "output": {"message": {"content": [{"text": "a"}]}}, "stopReason": "end_turn",
        "usage": {"inputTokens": 5, "outputTokens": 9, "cacheReadInputTokens": 2, "cacheWriteInputTokens": 3}
    });
    assert_eq!(read(&Bedrock, &bedrock).expect("reads").usage, parts(5, 2, 3, 9, 0));
    let silent = json!({"choices": [{"message": {"content": "a"}, "finish_reason": null}]});
    assert_eq!(read(&COMPATIBLE, &silent).expect("reads").usage, None);
}

#[test]
fn every_end_of_an_answer_is_known() {
    let anthropic = |reason: &str| json!({"content": [], "stop_reason": reason});
    let chat = |reason: &str| json!({"choices": [{"message": {"content": "a"}, "finish_reason": reason}]});
    let responses =
        |status: &str, reason: &str| json!({"status": status, "output": [], "incomplete_details": {"reason": reason}});
    let bedrock = |reason: &str| json!({"output": {"message": {"content": []}}, "stopReason": reason});
    let refusal = json!({"choices": [{"message": {"refusal": "no"}, "finish_reason": "stop"}]});
    let refused = json!({"status": "completed", "output": [{"content": [{"type": "refusal", "refusal": "no"}]}]});
    for (wire, body, wanted) in [
        (&Anthropic as &dyn Wire, anthropic("stop_sequence"), Finish::Done),
        (&Anthropic, anthropic("max_tokens"), Finish::Length),
        (&Anthropic, anthropic("model_context_window_exceeded"), Finish::Length),
        (&Anthropic, anthropic("refusal"), Finish::Refused),
        (&Anthropic, anthropic("pause_turn"), Finish::Other),
        (&CHAT, chat("stop"), Finish::Done),
        (&CHAT, chat("length"), Finish::Length),
        (&CHAT, chat("content_filter"), Finish::Refused),
        (&CHAT, refusal, Finish::Refused),
        (&Responses, responses("incomplete", "max_output_tokens"), Finish::Length),
        (&Responses, responses("incomplete", "content_filter"), Finish::Refused),
        (&Responses, refused, Finish::Refused),
        (&Bedrock, bedrock("max_tokens"), Finish::Length),
        (&Bedrock, bedrock("guardrail_intervened"), Finish::Refused),
    ] {
        assert_eq!(read(wire, &body).expect("reads").finish, wanted, "{body}");
    }
}

#[test]
fn an_answer_that_is_none_says_what_it_is() {
    let page = Bytes::from("<!DOCTYPE html><html><head><title>Sign in\n</title></head></html>");
    let error = CHAT.read(&page).expect_err("is a page").to_string();
    assert!(error.contains("an HTML page, `Sign in`") && error.contains("base_url"), "{error}");
    for (wire, body, wanted) in [
        (
            &Anthropic as &dyn Wire,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"x"}}"#,
            Class::Overloaded,
        ),
        (&CHAT, r#"{"error":{"message":"x","code":"rate_limit_exceeded"}}"#, Class::RateLimited),
        (&CHAT, r#"{"error":"model not loaded"}"#, Class::Malformed),
        (&CHAT, r#"{"choices":[]}"#, Class::Malformed),
        (&CHAT, r#"{"choices":[{"message":{},"error":{"message":"x"}}]}"#, Class::Malformed),
        (&Responses, r#"{"status":"failed","error":{"code":"server_error","message":"x"}}"#, Class::Server),
        (&Responses, r#"{"error":{"code":"rate_limit_exceeded","message":"x"}}"#, Class::RateLimited),
        (&Responses, "{}", Class::Malformed),
        (&Bedrock, "{\"output\":", Class::Malformed),
        (&Anthropic, "null", Class::Malformed),
        (&Anthropic, "", Class::Malformed),
    ] {
        let error = wire.read(&Bytes::from(body)).expect_err("is none");
        assert_eq!(error.class(), wanted, "{body}: {error}");
    }
}

#[test]
fn failures_are_named_by_what_can_be_done() {
    let said = |message: &str| json!({"error": {"message": message}}).to_string();
    let limited = r#"{"type":"error","error":{"type":"rate_limit_error","message":"x"}}"#;
    let spent =
        r#"{"error":{"type":"invalid_request_error","message":"You have reached your specified API usage limits"}}"#;
    let quota = r#"{"error":{"type":"insufficient_quota","message":"x"}}"#;
    let azure = r#"{"error":{"code":"content_filter","message":"the content management policy"}}"#;
    let after: &[(&'static str, &'static str)] = &[("retry-after", "1")];
    let throttled: &[(&'static str, &'static str)] = &[("x-amzn-errortype", "ThrottlingException:http://x")];
    let long = said("This model's maximum context length is 8192 tokens");
    for (wire, status, headers, body, wanted) in [
        (&Anthropic as &dyn Wire, 429, after, limited, Class::RateLimited),
        (&Anthropic, 429, &[], limited, Class::Spending),
        (&Anthropic, 400, &[], spent, Class::Spending),
        (&Anthropic, 529, &[], "{}", Class::Overloaded),
        (&Anthropic, 400, &[], &said("prompt is too long: 210000 tokens"), Class::ContextTooLong),
        (&Anthropic, 400, &[], &said("output_config.format.schema: bad"), Class::SchemaRefused),
        (&Anthropic, 413, &[], "{}", Class::ContextTooLong),
        (&CHAT, 429, &[], "{}", Class::RateLimited),
        (&CHAT, 429, &[], quota, Class::Spending),
        (&CHAT, 400, &[], azure, Class::Refused),
        (&CHAT, 400, &[], &long, Class::ContextTooLong),
        (&CHAT, 400, &[], &said("Invalid schema for response_format 'x'"), Class::SchemaRefused),
        (&CHAT, 400, &[], &said("temperature is not supported"), Class::BadRequest),
        (&CHAT, 401, &[], "{}", Class::Authentication),
        (&CHAT, 402, &[], "{}", Class::Spending),
        (&CHAT, 404, &[], "<html>", Class::BadRequest),
        (&CHAT, 302, &[], "", Class::BadRequest),
        (&CHAT, 500, &[], "", Class::Server),
        (&CHAT, 503, &[], "", Class::Overloaded),
        (&COMPATIBLE, 422, &[], r#"{"detail":[{"loc":["response_format"]}]}"#, Class::SchemaRefused),
        (&Bedrock, 400, throttled, r#"{"message":"x"}"#, Class::RateLimited),
        (&Bedrock, 403, &[("x-amzn-errortype", "ExpiredTokenException")], r#"{"message":"x"}"#, Class::Authentication),
        (&Bedrock, 400, &[], r#"{"message":"Input is too long for requested model."}"#, Class::ContextTooLong),
    ] {
        let error = classified(wire, status, headers, body);
        assert_eq!(error.class(), wanted, "{status} {body}: {error}");
    }
    assert_eq!(classified(&CHAT, 429, after, "{}").after_ms(), Some(1_000));
    let gateway_timeout = classified(&CHAT, 504, &[], "");
    assert!(gateway_timeout.may_be_charged() && !classified(&CHAT, 500, &[], "").may_be_charged());
}

proptest::proptest! {
    #[test]
    fn no_bytes_bring_a_format_down(body: Vec<u8>, status: u16) {
        for wire in [&Anthropic as &dyn Wire, &Responses, &CHAT, &Bedrock] {
            let _ = wire.read(&Bytes::from(body.clone()));
            let _ = wire.classify(&Failure { status, headers: &HeaderMap::new(), body: &body, now_ms: 0 });
        }
    }
}
