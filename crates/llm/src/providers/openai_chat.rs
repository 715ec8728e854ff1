//! Chat Completions: OpenAI's, Azure's, and those of every server that is compatible with it. Pure.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::openai::{NamedSchema, failed, usage};
use super::{Credential, Question, Wire, body_error, parse, percent_encoded, to_body};
use crate::error::CallError;
use crate::reply::{Finish, Reply, Usage};
use crate::request::Role;

/// Whose Chat Completions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI's own.
    OpenAi,
    /// A compatible server's: vLLM, Ollama, llama.cpp and others.
    Compatible,
    /// Azure's: a model is a deployment, and the version of the API is a part of the address.
    Azure {
        /// Like `2025-04-01-preview`.
        api_version: String,
    },
}

/// The format.
#[derive(Debug)]
pub struct Chat {
    /// Whose it is.
    pub dialect: Dialect,
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
    /// Pinned with OpenAI, so that no other tier's rates can apply; others know no such word.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'static str>,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    json_schema: NamedSchema<'a>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Used>,
    service_tier: Option<String>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
    error: Option<ChoiceError>,
}

#[derive(Deserialize)]
struct ChoiceError {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
}

#[derive(Deserialize)]
struct Used {
    prompt_tokens: u64,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl Wire for Chat {
    fn path(&self, model: &str) -> String {
        match &self.dialect {
            Dialect::OpenAi | Dialect::Compatible => "/chat/completions".to_owned(),
            Dialect::Azure { api_version } => {
                let (model, api_version) = (percent_encoded(model), percent_encoded(api_version));
                format!("/openai/deployments/{model}/chat/completions?api-version={api_version}")
            }
        }
    }

    fn credential(&self) -> Credential {
        match self.dialect {
            Dialect::OpenAi | Dialect::Compatible => Credential::Bearer,
            Dialect::Azure { .. } => Credential::Header("api-key"),
        }
    }

    fn write(&self, question: &Question<'_>) -> Result<Vec<u8>, CallError> {
        let request = question.request;
        let parameters = &request.parameters;
        let system = question.system();
        let system = system.iter().map(|content| Message { role: "system", content });
        let turns = request.turns.iter().map(|turn| {
            let role = if turn.role == Role::User { "user" } else { "assistant" };
            Message { role, content: &turn.text }
        });
        let most = Some(parameters.max_output_tokens);
        let is_compatible = self.dialect == Dialect::Compatible;
        let format = |schema| Format { r#type: "json_schema", json_schema: NamedSchema::of(schema) };
        let body = Body {
            model: if matches!(self.dialect, Dialect::Azure { .. }) { "" } else { question.model },
            messages: system.chain(turns).collect(),
            // The newer word covers reasoning; compatible servers may know only the older, which is the same to them.
            max_completion_tokens: most.filter(|_| !is_compatible),
            max_tokens: most.filter(|_| is_compatible),
            temperature: parameters.temperature,
            top_p: parameters.top_p,
            seed: parameters.seed,
            stop: &parameters.stop,
            response_format: question.native_schema().map(format),
            service_tier: (self.dialect == Dialect::OpenAi).then_some("default"),
        };
        Ok(to_body(&body, request.said_bytes()))
    }

    fn read(&self, body: &Bytes) -> Result<Reply, CallError> {
        let answer: Answer = parse(self, body)?;
        let Some(choice) = answer.choices.into_iter().next() else {
            return Err(body_error(self, body).unwrap_or_else(|| CallError::Malformed("it has no choices".to_owned())));
        };
        if let Some(error) = &choice.error {
            return Err(failed("", &error.message));
        }
        let refusal = choice.message.refusal.filter(|refusal| !refusal.is_empty());
        let finish = match choice.finish_reason.as_deref() {
            _ if refusal.is_some() => Finish::Refused,
            Some("stop") | None => Finish::Done,
            Some("length") => Finish::Length,
            Some("content_filter") => Finish::Refused,
            Some(_) => Finish::Other,
        };
        Ok(Reply {
            text: refusal.or(choice.message.content).unwrap_or_default(),
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
        let prompt = used.prompt_tokens_details.as_ref();
        let cached = [prompt.and_then(|d| d.cached_tokens), prompt.and_then(|d| d.cache_write_tokens)];
        let reasoning = used.completion_tokens_details.and_then(|details| details.reasoning_tokens).unwrap_or(0);
        usage(used.prompt_tokens, cached, [used.completion_tokens.unwrap_or(0), reasoning])
    }
}
