//! What OpenAI's protocols have in common: keys, problems, limits, formats of answers. Limits: requests, of which refused ones
//! count, and tokens, reserved by the larger of the prompt's and the answer's limit. Pure.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::prompt::Prompt;
use super::{Ask, Asked, Head, Label, Problem, duration, set, set_number};
use crate::rates::{Axis, Need, Refused};
use crate::schema::Strictness;

/// Below this many bytes no prompt has a prefix worth caching.
const CACHED_BYTES: usize = 1_024;

/// The format of an answer, as both protocols have it.
#[derive(Deserialize)]
pub(super) struct Format<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) json_schema: Option<Named<'a>>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    strict: Option<bool>,
}

/// A schema with its name, as Chat Completions have it.
#[derive(Deserialize)]
pub(super) struct Named<'a> {
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    strict: Option<bool>,
}

impl<'a> Format<'a> {
    /// What the format asks for. `parameter` is where it stands in the request.
    pub(super) fn asked(self, parameter: &'static str) -> Result<Asked<'a>, Problem> {
        match self.kind.as_ref() {
            "text" => Ok(Asked::Text),
            "json_object" => Ok(Asked::Object),
            "json_schema" => {
                let inline = Named { name: self.name, schema: self.schema, strict: self.strict };
                let named = self.json_schema.unwrap_or(inline);
                let schema = named.schema.ok_or_else(|| missing(parameter, "schema"))?;
                let name = named.name.ok_or_else(|| missing(parameter, "name"))?;
                let is_strict = named.strict == Some(true);
                let strictness = if is_strict { Strictness::ClosedAndRequired } else { Strictness::Lenient };
                Ok(Asked::Schema { text: Cow::Borrowed(schema.get()), strictness, name })
            }
            other => Err(Problem::invalid(format!("{parameter}: there is no type {other:?}"), parameter)),
        }
    }
}

fn missing(parameter: &'static str, what: &str) -> Problem {
    Problem::invalid(format!("Missing required parameter: '{parameter}.{what}'."), parameter)
}

/// A prompt that notes prefixes where it is long enough to have one.
pub(super) fn prompt(body: &str) -> Prompt {
    if body.len() < CACHED_BYTES { Prompt::default() } else { Prompt::with_prefixes() }
}

/// Counts a list of messages, of which the first may be cached, or one text.
pub(super) fn count(prompt: &mut Prompt, messages: &RawValue) -> Result<(), Problem> {
    let unreadable = |error| Problem::unreadable(&error);
    let Ok(messages) = serde_json::from_str::<Vec<&RawValue>>(messages.get()) else {
        return prompt.read(messages).map_err(unreadable);
    };
    for (at, message) in messages.into_iter().enumerate() {
        prompt.read(message).map_err(unreadable)?;
        if at == 0 {
            prompt.mark();
        }
    }
    Ok(())
}

/// The greater of what the prompt has and what the answer may have is reserved.
pub(super) fn need(ask: &Ask<'_>) -> Need {
    Need { input: 0, output: 0, tokens: ask.tokens.max(ask.most.unwrap_or(0)), refused: Refused::Counts }
}

pub(super) fn greet(head: &Head<'_>) -> Result<(), Problem> {
    head.credential("bearer").map(|_| ()).ok_or(Problem::NoKey)
}

pub(super) fn complain(problem: &Problem) -> (u16, Value) {
    let (status, kind, code) = match problem {
        Problem::NoKey | Problem::BadKey => (401, "invalid_request_error", Some("invalid_api_key")),
        Problem::NoRoute => (404, "invalid_request_error", Some("unknown_url")),
        Problem::UnknownModel(_) => (404, "invalid_request_error", Some("model_not_found")),
        Problem::BodyTooLarge { .. } => (413, "invalid_request_error", None),
        Problem::Schema { .. } => (400, "invalid_request_error", Some("invalid_json_schema")),
        Problem::ContextTooLong { .. } => (400, "invalid_request_error", Some("context_length_exceeded")),
        Problem::Filtered => (400, "invalid_request_error", Some("content_filter")),
        Problem::Invalid { .. } => (400, "invalid_request_error", None),
        Problem::Limited { axis: Axis::Requests | Axis::Concurrency, .. } => {
            (429, "requests", Some("rate_limit_exceeded"))
        }
        Problem::Limited { .. } => (429, "tokens", Some("rate_limit_exceeded")),
        Problem::SpendLimit => (429, "insufficient_quota", Some("insufficient_quota")),
        Problem::ServerError => (500, "server_error", None),
        Problem::Overloaded => (503, "server_error", Some("server_overloaded")),
        Problem::Unavailable => (503, "server_error", None),
    };
    let (message, parameter) = match problem {
        Problem::Schema { name, message } => {
            (format!("Invalid schema for response_format '{name}': {message}"), Some("response_format"))
        }
        Problem::Invalid { message, parameter } => (message.clone(), *parameter),
        Problem::UnknownModel(_) => (problem.to_string(), Some("model")),
        other => (other.to_string(), None),
    };
    (status, json!({"error": {"message": message, "type": kind, "param": parameter, "code": code}}))
}

pub(super) fn label(label: &Label<'_>, headers: &mut HeaderMap) {
    set(headers, "x-request-id", &format!("req_{}", label.id));
    let gauges = [(REQUESTS, label.standing.requests), (TOKENS, label.standing.tokens)];
    for ([limit, remaining, reset], gauge) in gauges {
        if let Some(gauge) = gauge {
            set_number(headers, limit, gauge.limit);
            set_number(headers, remaining, gauge.remaining);
            set(headers, reset, &duration::compact(gauge.full_in_ms));
        }
    }
    if let Some(wait_ms) = label.wait_ms() {
        set_number(headers, "retry-after", wait_ms.div_ceil(1_000).max(1));
        set_number(headers, "retry-after-ms", wait_ms.max(1));
    }
}

const REQUESTS: [&str; 3] =
    ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"];
const TOKENS: [&str; 3] = ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"];
