//! OpenAI's Responses. Pure.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::openai::{NamedSchema, failed, usage};
use super::{Credential, Question, Wire, body_error, parse, to_body};
use crate::error::CallError;
use crate::reply::{Finish, Reply, Usage};
use crate::request::Role;

/// The format.
#[derive(Debug)]
pub struct Responses;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<Cow<'a, str>>,
    input: Vec<Message<'a>>,
    max_output_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    /// Pinned, so that no other tier's rates can apply.
    service_tier: &'static str,
    store: bool,
}

#[derive(Serialize)]
struct Message<'a> {
    role: Role,
    content: &'a str,
}

#[derive(Serialize)]
struct Text<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    #[serde(flatten)]
    schema: NamedSchema<'a>,
}

#[derive(Deserialize)]
struct Answer {
    status: Option<String>,
    #[serde(default)]
    output: Vec<Item>,
    incomplete_details: Option<Incomplete>,
    error: Option<Error>,
    usage: Option<Used>,
    service_tier: Option<String>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(default)]
    content: Option<Vec<Part>>,
}

#[derive(Deserialize)]
struct Part {
    r#type: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    refusal: String,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Error {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Used {
    input_tokens: u64,
    output_tokens: u64,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl Wire for Responses {
    fn path(&self, _model: &str) -> String {
        "/responses".to_owned()
    }

    fn credential(&self) -> Credential {
        Credential::Bearer
    }

    fn write(&self, question: &Question<'_>) -> Result<Vec<u8>, CallError> {
        let request = question.request;
        if !request.parameters.stop.is_empty() {
            let message = "providers of kind openai take no `stop`; leave it out, or use kind openai_chat";
            return Err(CallError::BadRequest(message.to_owned()));
        }
        let input = request.turns.iter().map(|turn| Message { role: turn.role, content: &turn.text });
        let format = |schema| Format { r#type: "json_schema", schema: NamedSchema::of(schema) };
        let body = Body {
            model: question.model,
            instructions: question.system(),
            input: input.collect(),
            max_output_tokens: request.parameters.max_output_tokens,
            temperature: request.parameters.temperature,
            top_p: request.parameters.top_p,
            text: question.native_schema().map(|schema| Text { format: format(schema) }),
            service_tier: "default",
            store: false,
        };
        Ok(to_body(&body, request.said_bytes()))
    }

    fn read(&self, body: &Bytes) -> Result<Reply, CallError> {
        let answer: Answer = parse(self, body)?;
        if let Some(error) = &answer.error {
            return Err(failed(error.code.as_str().unwrap_or_default(), &error.message));
        }
        if answer.status.is_none() && answer.output.is_empty() {
            return Err(body_error(self, body).unwrap_or_else(|| CallError::Malformed("it has no output".to_owned())));
        }
        let parts = || answer.output.iter().flat_map(|item| item.content.iter().flatten());
        let refusal: String = parts().map(|part| part.refusal.as_str()).collect();
        let said = parts().filter(|part| part.r#type == "output_text").map(|part| part.text.as_str()).collect();
        let incomplete = answer.incomplete_details.as_ref().and_then(|details| details.reason.as_deref());
        let finish = match (answer.status.as_deref(), incomplete) {
            _ if !refusal.is_empty() => Finish::Refused,
            (_, Some("max_output_tokens")) => Finish::Length,
            (_, Some("content_filter")) => Finish::Refused,
            (Some("completed") | None, _) => Finish::Done,
            _ => Finish::Other,
        };
        Ok(Reply {
            text: if refusal.is_empty() { said } else { refusal },
            finish,
            usage: answer.usage.map(Used::into),
            tier: answer.service_tier,
            model: answer.model,
            raw: body.clone(),
        })
    }
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        let input = used.input_tokens_details.as_ref();
        let cached = [input.and_then(|d| d.cached_tokens), input.and_then(|d| d.cache_write_tokens)];
        let reasoning = used.output_tokens_details.and_then(|details| details.reasoning_tokens).unwrap_or(0);
        usage(used.input_tokens, cached, [used.output_tokens, reasoning])
    }
}
