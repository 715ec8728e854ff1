//! Amazon Bedrock's Converse. Pure.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};

use super::{Credential, Failure, Observed, Question, Wire, parse, percent_encoded, to_body};
use crate::error::CallError;
use crate::reply::{Finish, Reply, Usage};
use crate::request::Role;

/// The format.
#[derive(Debug)]
pub struct Bedrock;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<[Text<'a>; 1]>,
    inference_config: Inference<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: Role,
    content: [Text<'a>; 1],
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Inference<'a> {
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    output: Output,
    stop_reason: Option<String>,
    usage: Option<Used>,
}

#[derive(Deserialize)]
struct Output {
    message: Said,
}

#[derive(Deserialize)]
struct Said {
    content: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Used {
    input_tokens: u64,
    output_tokens: u64,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
}

impl Wire for Bedrock {
    fn path(&self, model: &str) -> String {
        format!("/model/{}/converse", percent_encoded(model))
    }

    fn credential(&self) -> Credential {
        Credential::Signature("bedrock")
    }

    /// Converse has no word for a schema that all of its models understand.
    fn holds_schemas(&self) -> bool {
        false
    }

    fn write(&self, question: &Question<'_>) -> Result<Vec<u8>, CallError> {
        let request = question.request;
        let system = question.system();
        let turns = request.turns.iter().map(|turn| Message { role: turn.role, content: [Text { text: &turn.text }] });
        let body = Body {
            messages: turns.collect(),
            system: system.as_deref().map(|text| [Text { text }]),
            inference_config: Inference {
                max_tokens: request.parameters.max_output_tokens,
                temperature: request.parameters.temperature,
                top_p: request.parameters.top_p,
                stop_sequences: &request.parameters.stop,
            },
        };
        Ok(to_body(&body, request.said_bytes()))
    }

    fn read(&self, body: &Bytes) -> Result<Reply, CallError> {
        let answer: Answer = parse(self, body)?;
        let finish = match answer.stop_reason.as_deref() {
            Some("end_turn" | "stop_sequence") => Finish::Done,
            Some("max_tokens" | "model_context_window_exceeded") => Finish::Length,
            Some("guardrail_intervened" | "content_filtered") => Finish::Refused,
            _ => Finish::Other,
        };
        let text = answer.output.message.content.iter().map(|part| part.text.as_str()).collect();
        let usage = answer.usage.map(Used::into);
        Ok(Reply { text, finish, usage, tier: None, model: None, raw: body.clone() })
    }

    fn classify(&self, failure: &Failure<'_>) -> CallError {
        let header = failure.headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let said = failure.said();
        let kind = header.unwrap_or(&said.code).split(':').next().unwrap_or_default();
        let after_ms = failure.after_ms();
        let message = said.message.clone();
        match kind {
            "ThrottlingException" => CallError::RateLimited { after_ms, message },
            "ServiceUnavailableException" | "ModelNotReadyException" => CallError::Overloaded { after_ms, message },
            "ModelTimeoutException" => CallError::Server { status: 504, after_ms, message },
            "ExpiredTokenException" | "UnrecognizedClientException" | "InvalidSignatureException" => {
                CallError::Authentication(format!("the AWS credentials are refused: {message}"))
            }
            _ => failure.usual(),
        }
    }

    fn observe(&self, _headers: &HeaderMap, _now_ms: u64) -> Vec<Observed> {
        Vec::new()
    }
}

impl From<Used> for Usage {
    fn from(used: Used) -> Self {
        Self {
            input_tokens: used.input_tokens,
            cached_tokens: used.cache_read_input_tokens.unwrap_or(0),
            cache_written_tokens: used.cache_write_input_tokens.unwrap_or(0),
            output_tokens: used.output_tokens,
            reasoning_tokens: 0,
        }
    }
}
