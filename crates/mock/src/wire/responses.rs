//! OpenAI's Responses. Pure.

use std::borrow::Cow;

use hyper::HeaderMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::openai::{self, Format};
use super::{Ask, Asked, Caching, Head, Label, Problem, Said, Wire};
use crate::answer::Finish;
use crate::model::Usage;
use crate::rates::{Need, Settlement};

/// OpenAI's Responses.
pub(crate) struct Responses;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    input: Option<&'a RawValue>,
    #[serde(borrow)]
    instructions: Option<&'a RawValue>,
    max_output_tokens: Option<u64>,
    #[serde(borrow)]
    text: Option<TextOptions<'a>>,
    stream: Option<bool>,
}

#[derive(Deserialize)]
struct TextOptions<'a> {
    #[serde(borrow)]
    format: Option<Format<'a>>,
}

impl Wire for Responses {
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem> {
        openai::greet(head)
    }

    fn read<'a>(&self, _: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
        let request: Request<'a> = serde_json::from_str(body).map_err(|error| Problem::unreadable(&error))?;
        if request.stream == Some(true) {
            return Err(Problem::streams());
        }
        let missing = |name: &'static str| Problem::invalid(format!("Missing required parameter: '{name}'."), name);
        let model = request.model.filter(|model| !model.is_empty()).ok_or_else(|| missing("model"))?;
        let input = request.input.ok_or_else(|| missing("input"))?;
        let mut prompt = openai::prompt(body);
        if let Some(instructions) = request.instructions {
            prompt.read(instructions).map_err(|error| Problem::unreadable(&error))?;
        }
        openai::count(&mut prompt, input)?;
        let format = request.text.and_then(|text| text.format);
        let asked = format.map_or(Ok(Asked::Text), |format| format.asked("text.format"))?;
        if let Asked::Schema { text, .. } = &asked {
            prompt.add(text);
        }
        let most = request.max_output_tokens.filter(|most| *most > 0);
        Ok(Ask { model, tokens: prompt.tokens, prefix: prompt.prefix, most, asked, tool: None })
    }

    fn need(&self, ask: &Ask<'_>, _: &Usage, _: u64) -> Need {
        openai::need(ask)
    }

    fn settle(&self, _: &Need, _: &Usage) -> Settlement {
        Settlement::default()
    }

    fn say(&self, said: &Said<'_>) -> Value {
        let (answer, usage) = (&said.answer, said.usage);
        let is_cut = answer.finish == Finish::Length;
        let status = if is_cut { "incomplete" } else { "completed" };
        let content = match answer.finish {
            Finish::Refusal => json!({"type": "refusal", "refusal": answer.text}),
            _ => json!({"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}),
        };
        json!({
            "id": format!("resp_{}", said.id),
            "object": "response",
            "created_at": said.created_s,
            "status": status,
            "error": null,
            "incomplete_details": if is_cut { json!({"reason": "max_output_tokens"}) } else { Value::Null },
            "instructions": null,
            "metadata": {},
            "model": said.model,
            "output": [{
                "id": format!("msg_{}", said.id),
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": [content],
            }],
            "parallel_tool_calls": true,
            "previous_response_id": null,
            "service_tier": "default",
            "store": false,
            "temperature": 1.0,
            "text": {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": 1.0,
            "truncation": "disabled",
            "usage": {
                "input_tokens": usage.prompt(),
                "input_tokens_details": {"cached_tokens": usage.cached, "cache_write_tokens": 0},
                "output_tokens": usage.output,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": usage.prompt() + usage.output,
            },
        })
    }

    fn complain(&self, problem: &Problem, _: &str) -> (u16, Value) {
        openai::complain(problem)
    }

    fn label(&self, label: &Label<'_>, headers: &mut HeaderMap) {
        openai::label(label, headers);
    }

    fn caching(&self) -> Caching {
        Caching::Unasked
    }
}
