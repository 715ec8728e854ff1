//! Anthropic's Messages. Pure.

use std::borrow::Cow;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::headers::{Observed, observe_anthropic};
use super::{Credential, Failure, Question, Wire, parse, to_body};
use crate::error::CallError;
use crate::reply::{Finish, Reply, Usage};
use crate::request::Role;

/// The format.
#[derive(Debug)]
pub struct Anthropic;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<Cow<'a, str>>,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
    /// Pinned, so that no other tier's rates can apply.
    service_tier: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: Role,
    content: &'a str,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    schema: &'a Value,
}

#[derive(Deserialize)]
struct Answer {
    content: Vec<Block>,
    stop_reason: Option<String>,
    model: Option<String>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Block {
    r#type: String,
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
struct Used {
    input_tokens: u64,
    output_tokens: u64,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens_details: Option<Details>,
    service_tier: Option<String>,
}

#[derive(Deserialize)]
struct Details {
    #[serde(alias = "reasoning_tokens")]
    thinking_tokens: Option<u64>,
}

impl Wire for Anthropic {
    fn path(&self, _model: &str) -> String {
        "/v1/messages".to_owned()
    }

    fn credential(&self) -> Credential {
        Credential::Header("x-api-key")
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn write(&self, question: &Question<'_>) -> Result<Vec<u8>, CallError> {
        let request = question.request;
        let messages = request.turns.iter().map(|turn| Message { role: turn.role, content: &turn.text });
        let format = question.native_schema().map(|schema| Format { r#type: "json_schema", schema: schema.value() });
        let body = Body {
            model: question.model,
            max_tokens: request.parameters.max_output_tokens,
            system: question.system(),
            messages: messages.collect(),
            temperature: request.parameters.temperature,
            top_p: request.parameters.top_p,
            stop_sequences: &request.parameters.stop,
            output_config: format.map(|format| OutputConfig { format }),
            service_tier: "standard_only",
        };
        Ok(to_body(&body, request.said_bytes()))
    }

    fn read(&self, body: &Bytes) -> Result<Reply, CallError> {
        let answer: Answer = parse(self, body)?;
        let said = answer.content.iter().filter(|block| block.r#type == "text");
        let finish = match answer.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") => Finish::Done,
            Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
            Some("refusal") => Finish::Refused,
            _ => Finish::Other,
        };
        Ok(Reply {
            text: said.map(|block| block.text.as_str()).collect(),
            finish,
            tier: answer.usage.as_ref().and_then(|used| used.service_tier.clone()),
            usage: answer.usage.map(Used::into),
            model: answer.model,
            raw: body.clone(),
        })
    }

    fn classify(&self, failure: &Failure<'_>) -> CallError {
        let said = failure.said();
        // A limit that the user set is a 400; that of the tier is a 429 which names no time. Neither passes by waiting.
        let is_spent = said.message.contains("usage limits") || said.code.contains("billing_error");
        let is_cap = failure.status == 429 && failure.after_ms().is_none();
        if is_spent || is_cap { CallError::Spending(said.message) } else { failure.usual() }
    }

    fn observe(&self, headers: &HeaderMap, now_ms: u64) -> Vec<Observed> {
        observe_anthropic(headers, now_ms)
    }
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        Self {
            input_tokens: used.input_tokens,
            cached_tokens: used.cache_read_input_tokens.unwrap_or(0),
            cache_written_tokens: used.cache_creation_input_tokens.unwrap_or(0),
            output_tokens: used.output_tokens,
            reasoning_tokens: used.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0),
        }
    }
}
