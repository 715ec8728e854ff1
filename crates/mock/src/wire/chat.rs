//! OpenAI's Chat Completions, which many other servers speak as well. Pure.

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

/// OpenAI's Chat Completions.
pub(crate) struct Chat;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    #[serde(borrow)]
    response_format: Option<Format<'a>>,
    n: Option<u64>,
    stream: Option<bool>,
}

/// Reads a request whose model may stand in its path.
pub(super) fn read<'a>(model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
    let request: Request<'a> = serde_json::from_str(body).map_err(|error| Problem::unreadable(&error))?;
    if request.stream == Some(true) {
        return Err(Problem::streams());
    }
    if request.n.is_some_and(|n| n != 1) {
        return Err(Problem::invalid("this mock provider gives one choice; leave `n` out", "n"));
    }
    let model = model.map(Cow::Borrowed).or(request.model).filter(|model| !model.is_empty());
    let model = model.ok_or_else(|| Problem::invalid("you must provide a model parameter", "model"))?;
    let messages = request.messages.filter(|raw| raw.get() != "[]");
    let messages = messages.ok_or_else(|| Problem::invalid("Missing required parameter: 'messages'.", "messages"))?;
    let mut prompt = openai::prompt(body);
    openai::count(&mut prompt, messages)?;
    let asked = request.response_format.map_or(Ok(Asked::Text), |format| format.asked("response_format"))?;
    if let Asked::Schema { text, .. } = &asked {
        prompt.add(text);
    }
    let most = request.max_completion_tokens.or(request.max_tokens).filter(|most| *most > 0);
    Ok(Ask { model, tokens: prompt.tokens, prefix: prompt.prefix, most, asked, tool: None })
}

pub(super) fn say(said: &Said<'_>) -> Value {
    let (answer, usage) = (&said.answer, said.usage);
    let (content, refusal) = match answer.finish {
        Finish::Refusal => (None, Some(&answer.text)),
        _ => (Some(&answer.text), None),
    };
    json!({
        "id": format!("chatcmpl-{}", said.id),
        "object": "chat.completion",
        "created": said.created_s,
        "model": said.model,
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": refusal, "annotations": []},
            "logprobs": null,
            "finish_reason": if answer.finish == Finish::Length { "length" } else { "stop" },
        }],
        "usage": {
            "prompt_tokens": usage.prompt(),
            "completion_tokens": usage.output,
            "total_tokens": usage.prompt() + usage.output,
            "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 0,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    })
}

impl Wire for Chat {
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem> {
        openai::greet(head)
    }

    fn read<'a>(&self, model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem> {
        read(model, body)
    }

    fn need(&self, ask: &Ask<'_>, _: &Usage, _: u64) -> Need {
        openai::need(ask)
    }

    fn settle(&self, _: &Need, _: &Usage) -> Settlement {
        Settlement::default()
    }

    fn say(&self, said: &Said<'_>) -> Value {
        say(said)
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
