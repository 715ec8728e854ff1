//! The protocols of the providers: what is read of a request, and what is written of an answer or a problem. One file a
//! protocol, one line each in [`crate::routes`]. Pure.

mod prompt;
mod problem;
mod duration;
pub(crate) mod anthropic;
mod openai;
pub(crate) mod chat;
pub(crate) mod responses;
pub(crate) mod embeddings;
pub(crate) mod azure;
pub(crate) mod bedrock;

use std::borrow::Cow;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::answer::Answer;
use crate::model::{Model, Usage};
use crate::rates::{Need, Settlement, Standing};
use crate::schema::Strictness;

pub(crate) use problem::Problem;
pub(crate) use prompt::Prefix;

/// One protocol.
pub(crate) trait Wire: Sync {
    /// Whether the request carries what the protocol wants in its head; no key is known to be wrong.
    fn greet(&self, head: &Head<'_>) -> Result<(), Problem>;
    /// What a request asks for. `model` is the one that its path names.
    fn read<'a>(&self, model: Option<&'a str>, body: &'a str) -> Result<Ask<'a>, Problem>;
    /// What a call needs of the limits; `most` is the longest answer it may have.
    fn need(&self, ask: &Ask<'_>, prompt: &Usage, most: u64) -> Need;
    /// What the limits learn at the end of a call.
    fn settle(&self, need: &Need, usage: &Usage) -> Settlement;
    /// The body of an answer.
    fn say(&self, said: &Said<'_>) -> Value;
    /// Status and body of a problem; `id` is that of the request.
    fn complain(&self, problem: &Problem, id: &str) -> (u16, Value);
    /// Adds what the protocol says in the head of each answer.
    fn label(&self, label: &Label<'_>, headers: &mut HeaderMap);
    /// When prompts are cached, and whether that costs.
    fn caching(&self) -> Caching {
        Caching::AsAsked
    }
    /// Whether a refusal of the model is an error.
    fn refuses_by_error(&self) -> bool {
        false
    }
}

/// When a provider caches a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caching {
    /// Where a request asks for it; writing to the cache is charged.
    AsAsked,
    /// By itself, in steps of 128 tokens; writing to the cache is free.
    Unasked,
}

/// The head of a request.
pub(crate) struct Head<'h> {
    pub(crate) headers: &'h HeaderMap,
    pub(crate) query: &'h str,
}

impl Head<'_> {
    /// A header that is there, is text and is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
    }

    /// The token of an `authorization` header of this scheme.
    fn credential(&self, scheme: &str) -> Option<&str> {
        let (found, rest) = self.get("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then(|| rest.trim()).filter(|rest| !rest.is_empty())
    }

    fn has_parameter(&self, name: &str) -> bool {
        self.query
            .split('&')
            .any(|pair| pair.split_once('=').is_some_and(|(key, value)| key == name && !value.is_empty()))
    }
}

/// What a request asks for.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    pub(crate) model: Cow<'a, str>,
    /// Tokens of the prompt.
    pub(crate) tokens: u64,
    /// A beginning of the prompt that may be cached.
    pub(crate) prefix: Option<Prefix>,
    /// Tokens of the answer, at most.
    pub(crate) most: Option<u64>,
    pub(crate) asked: Asked<'a>,
    /// The tool whose input is asked for.
    pub(crate) tool: Option<Cow<'a, str>>,
}

/// What an answer must be.
#[derive(Debug)]
pub(crate) enum Asked<'a> {
    Text,
    /// Any JSON object.
    Object,
    Schema {
        /// As JSON.
        text: Cow<'a, str>,
        strictness: Strictness,
        /// What the request calls it.
        name: Cow<'a, str>,
    },
    Vectors {
        inputs: Vec<Cow<'a, str>>,
        dimensions: u64,
        encoding: Encoding,
    },
}

/// How vectors are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    #[default]
    Numbers,
    Base64,
}

/// An answer with all that its body tells.
pub(crate) struct Said<'a> {
    /// 32 hexadecimal digits.
    pub(crate) id: &'a str,
    /// The model as the request names it.
    pub(crate) model: &'a str,
    pub(crate) answer: Answer,
    /// Where vectors were asked for in place of an answer.
    pub(crate) vectors: Vectors,
    pub(crate) tool: Option<&'a str>,
    pub(crate) usage: Usage,
    /// Seconds since 1970.
    pub(crate) created_s: u64,
    pub(crate) latency_ms: u64,
}

/// Vectors and how they are written.
#[derive(Debug, Default)]
pub(crate) struct Vectors {
    pub(crate) values: Vec<Vec<f32>>,
    pub(crate) encoding: Encoding,
}

impl Said<'_> {
    /// The text of an answer as the input of a tool, which is an object whatever the model says.
    fn tool_input(&self) -> Value {
        let value = serde_json::from_str(&self.answer.text).ok().filter(Value::is_object);
        value.unwrap_or_else(|| Value::Object(serde_json::Map::new()))
    }
}

/// What the head of an answer tells.
pub(crate) struct Label<'l> {
    /// 32 hexadecimal digits.
    pub(crate) id: &'l str,
    pub(crate) standing: &'l Standing,
    pub(crate) problem: Option<&'l Problem>,
    /// Milliseconds since 1970.
    pub(crate) unix_ms: u64,
}

impl Label<'_> {
    /// How long a refused call should wait, in milliseconds, where that is told.
    fn wait_ms(&self) -> Option<u64> {
        match self.problem {
            Some(Problem::Limited { wait_ms, .. }) => *wait_ms,
            _ => None,
        }
    }
}

/// Sets a header to a text that has only visible characters.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Sets a header to a number.
fn set_number(headers: &mut HeaderMap, name: &'static str, value: u64) {
    headers.insert(HeaderName::from_static(name), HeaderValue::from(value));
}

/// Refuses an answer that is longer than the model makes.
pub(crate) fn check_most(ask: &Ask<'_>, model: &Model) -> Result<u64, Problem> {
    match ask.most {
        Some(most) if most > model.max_output_tokens => Err(Problem::invalid(
            format!("max tokens: {most} is more than {}, the most of `{}`", model.max_output_tokens, model.name),
            "max_tokens",
        )),
        most => Ok(most.unwrap_or(model.max_output_tokens)),
    }
}
