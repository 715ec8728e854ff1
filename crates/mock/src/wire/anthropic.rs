//! Anthropic's Messages. Limits: requests, input tokens but cache reads, output tokens as they are made. Pure.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::prompt::Prompt;
use super::{Ask, Asked, Head, Label, Problem, Said, Wire, duration, set, set_number};
use crate::answer::Finish;
use crate::bucket::Gauge;
use crate::model::Usage;
use crate::rates::{Need, Refused, Settlement};
use crate::schema::Strictness;

/// Anthropic's Messages.
pub(crate) struct Messages;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(borrow)]
    system: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_choice: Option<ToolChoice<'a>>,
    #[serde(borrow)]
    output_config: Option<OutputConfig<'a>>,
    stream: Option<bool>,
}

#[derive(Deserialize)]
struct ToolChoice<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Tool<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    input_schema: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OutputConfig<'a> {
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow)]
    schema: &'a RawValue,
}

impl Wire for Messages {
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem> {
        if head.get("x-api-key").or_else(|| head.credential("bearer")).is_none() {
            return Err(Problem::NoKey);
        }
        match head.get("anthropic-version") {
            Some(_) => Ok(()),
            None => Err(Problem::invalid("anthropic-version: header is required", "anthropic-version")),
        }
    }

    fn read<'a>(&self, _: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
        let request: Request<'a> = serde_json::from_str(body).map_err(|error| Problem::unreadable(&error))?;
        if request.stream == Some(true) {
            return Err(Problem::streams());
        }
        let messages = request.messages.filter(|raw| raw.get() != "[]").ok_or_else(|| Problem::missing("messages"))?;
        let most = request.max_tokens.filter(|most| *most > 0).ok_or_else(|| Problem::missing("max_tokens"))?;
        // Most prompts want nothing cached, and then need no digest.
        let mut prompt = if body.contains("\"cache_control\"") { Prompt::with_prefixes() } else { Prompt::default() };
        let mut count = |part: Option<&RawValue>| part.map_or(Ok(()), |part| prompt.read(part));
        let counted = count(request.tools).and_then(|()| count(request.system)).and_then(|()| count(Some(messages)));
        counted.map_err(|error| Problem::unreadable(&error))?;
        let model = request.model.filter(|model| !model.is_empty()).ok_or_else(|| Problem::missing("model"))?;
        let tool = tool(request.tools, request.tool_choice)?;
        let (asked, tool) = match (tool, request.output_config.and_then(|config| config.format)) {
            (Some((name, schema)), _) => (schema_asked(schema, Strictness::Lenient, "input_schema"), Some(name)),
            (None, Some(format)) => {
                (schema_asked(format.schema, Strictness::Closed, "output_config.format.schema"), None)
            }
            (None, None) => (Asked::Text, None),
        };
        // The schema of a tool was counted with the tools.
        if let (Asked::Schema { text, .. }, None) = (&asked, &tool) {
            prompt.add(text);
        }
        Ok(Ask { model, tokens: prompt.tokens, prefix: prompt.prefix, most: Some(most), asked, tool })
    }

    fn need(&self, _: &Ask<'_>, prompt: &Usage, _: u64) -> Need {
        Need { input: prompt.input + prompt.cache_written, output: 1, tokens: 0, refused: Refused::IsFree }
    }

    fn settle(&self, _: &Need, usage: &Usage) -> Settlement {
        Settlement { output: usage.output, unused_tokens: 0 }
    }

    fn say(&self, said: &Said<'_>) -> Value {
        let (answer, usage) = (&said.answer, said.usage);
        let stop_reason = match (answer.finish, said.tool) {
            (Finish::Refusal, _) => "refusal",
            (Finish::Length, _) => "max_tokens",
            (Finish::Stop, Some(_)) => "tool_use",
            (Finish::Stop, None) => "end_turn",
        };
        let content = match (answer.finish, said.tool) {
            (Finish::Refusal, _) => json!([]),
            (_, Some(name)) => {
                json!([{"type": "tool_use", "id": format!("toolu_{}", &said.id[..24]), "name": name, "input": said.tool_input()}])
            }
            _ => json!([{"type": "text", "text": answer.text}]),
        };
        let refused = json!({"type": "refusal", "category": null, "explanation": answer.text});
        json!({
            "id": format!("msg_{}", &said.id[..24]),
            "type": "message",
            "role": "assistant",
            "model": said.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
            "stop_details": if answer.finish == Finish::Refusal { refused } else { Value::Null },
            "usage": {
                "input_tokens": usage.input,
                "cache_creation_input_tokens": usage.cache_written,
                "cache_read_input_tokens": usage.cached,
                "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_written, "ephemeral_1h_input_tokens": 0},
                "output_tokens": usage.output,
                "output_tokens_details": {"thinking_tokens": 0},
                "service_tier": "standard",
            },
        })
    }

    fn complain(&self, problem: &Problem, id: &str) -> (u16, Value) {
        let (status, kind) = match problem {
            Problem::NoKey | Problem::BadKey => (401, "authentication_error"),
            Problem::NoRoute | Problem::UnknownModel(_) => (404, "not_found_error"),
            Problem::BodyTooLarge { .. } => (413, "request_too_large"),
            Problem::Limited { .. } => (429, "rate_limit_error"),
            Problem::ServerError => (500, "api_error"),
            Problem::Unavailable => (503, "api_error"),
            Problem::Overloaded => (529, "overloaded_error"),
            _ => (400, "invalid_request_error"),
        };
        let message = match problem {
            Problem::Schema { name, message } => format!("{name}: {message}"),
            other => other.to_string(),
        };
        let request_id = format!("req_{}", &id[..24]);
        (status, json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": request_id}))
    }

    fn label(&self, label: &Label<'_>, headers: &mut HeaderMap) {
        set(headers, "request-id", &format!("req_{}", &label.id[..24]));
        let standing = label.standing;
        let both = |f: fn(u64, u64) -> u64, get: fn(&Gauge) -> u64| match (standing.input, standing.output) {
            (Some(input), Some(output)) => Some(f(get(&input), get(&output))),
            (input, output) => input.or(output).map(|gauge| get(&gauge)),
        };
        let tokens = both(u64::saturating_add, |gauge| gauge.limit).map(|limit| Gauge {
            limit,
            remaining: both(u64::saturating_add, |gauge| gauge.remaining).unwrap_or_default(),
            full_in_ms: both(u64::max, |gauge| gauge.full_in_ms).unwrap_or_default(),
        });
        for ([limit, remaining, reset], gauge) in [
            (REQUESTS, standing.requests),
            (TOKENS, tokens),
            (INPUT_TOKENS, standing.input),
            (OUTPUT_TOKENS, standing.output),
        ] {
            if let Some(gauge) = gauge {
                set_number(headers, limit, gauge.limit);
                set_number(headers, remaining, gauge.remaining);
                set(headers, reset, &duration::instant(label.unix_ms.saturating_add(gauge.full_in_ms)));
            }
        }
        if let Some(wait_ms) = label.wait_ms() {
            set_number(headers, "retry-after", wait_ms.div_ceil(1_000).max(1));
        }
    }
}

const REQUESTS: [&str; 3] = [
    "anthropic-ratelimit-requests-limit",
    "anthropic-ratelimit-requests-remaining",
    "anthropic-ratelimit-requests-reset",
];
const TOKENS: [&str; 3] =
    ["anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining", "anthropic-ratelimit-tokens-reset"];
const INPUT_TOKENS: [&str; 3] = [
    "anthropic-ratelimit-input-tokens-limit",
    "anthropic-ratelimit-input-tokens-remaining",
    "anthropic-ratelimit-input-tokens-reset",
];
const OUTPUT_TOKENS: [&str; 3] = [
    "anthropic-ratelimit-output-tokens-limit",
    "anthropic-ratelimit-output-tokens-remaining",
    "anthropic-ratelimit-output-tokens-reset",
];

fn schema_asked<'a>(schema: &'a RawValue, strictness: Strictness, name: &'static str) -> Asked<'a> {
    Asked::Schema { text: Cow::Borrowed(schema.get()), strictness, name: Cow::Borrowed(name) }
}

/// The tool that must be used, with the schema of its input.
fn tool<'a>(
    tools: Option<&'a RawValue>,
    choice: Option<ToolChoice<'a>>,
) -> Result<Option<(Cow<'a, str>, &'a RawValue)>, Problem> {
    let Some(choice) = choice.filter(|choice| matches!(choice.kind.as_ref(), "tool" | "any")) else { return Ok(None) };
    let tools: Vec<Tool<'a>> = match tools {
        Some(tools) => serde_json::from_str(tools.get()).map_err(|error| Problem::unreadable(&error))?,
        None => Vec::new(),
    };
    let mut named = tools.into_iter().filter(|tool| choice.name.as_ref().is_none_or(|name| *name == tool.name));
    let found = named.find_map(|tool| Some((tool.name, tool.input_schema?)));
    found.map(Some).ok_or_else(|| Problem::invalid("tool_choice: no tool in `tools` has this name", "tool_choice"))
}
