//! The wire formats of providers: how a question is written and an answer is read, one file per format. Pure.

mod failure;
mod headers;
mod openai;
mod anthropic;
mod openai_responses;
mod openai_chat;
mod bedrock;

use std::borrow::Cow;
use std::fmt::Debug;

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde_json::Value;

pub use anthropic::Anthropic;
pub use bedrock::Bedrock;
pub use failure::Failure;
pub use headers::{Axis, Observed};
pub use openai_chat::{Chat, Dialect};
pub use openai_responses::Responses;

use crate::error::CallError;
use crate::reply::Reply;
use crate::request::Request;
use crate::structured::Schema;

/// How a schema is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode<'a> {
    /// The provider holds the model to the schema.
    Native,
    /// The schema stands in the prompt, as this instruction, and only we hold the answer to it.
    Plain(&'a str),
}

/// One question to one model.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// What is asked.
    pub request: &'a Request,
    /// How a schema is asked for.
    pub mode: Mode<'a>,
}

impl Question<'_> {
    /// The schema that the provider shall hold the model to.
    fn native_schema(&self) -> Option<&Schema> {
        self.request.schema().filter(|_| self.mode == Mode::Native).map(AsRef::as_ref)
    }

    /// What the model is told before the conversation, with the schema where the provider cannot be given it.
    fn system(&self) -> Option<Cow<'_, str>> {
        let said = self.request.system.as_deref();
        match (self.mode, said) {
            (Mode::Plain(instruction), Some(said)) => Some(format!("{said}\n\n{instruction}").into()),
            (Mode::Plain(instruction), None) => Some(instruction.into()),
            (Mode::Native, said) => said.map(Cow::Borrowed),
        }
    }
}

/// What a wire format sends beside the body to say who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// A header of this name has the key.
    Header(&'static str),
    /// The request is signed for Amazon's service of this name.
    Signature(&'static str),
}

/// A wire format.
pub trait Wire: Send + Sync + Debug {
    /// Where a question to `model` goes, below the base URL.
    fn path(&self, model: &str) -> String;

    /// How it is said who asks.
    fn credential(&self) -> Credential;

    /// Whether it can hold a model to a schema.
    fn holds_schemas(&self) -> bool {
        true
    }

    /// Headers beside key and content type.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The body of a question.
    ///
    /// # Errors
    /// [`CallError::BadRequest`] when the format cannot say what is asked.
    fn write(&self, question: &Question<'_>) -> Result<Vec<u8>, CallError>;

    /// The answer in the body of a success.
    ///
    /// # Errors
    /// [`CallError::Malformed`] when there is none, or what an error in the body says.
    fn read(&self, body: &Bytes) -> Result<Reply, CallError>;

    /// What a failure means.
    fn classify(&self, failure: &Failure<'_>) -> CallError {
        failure.usual()
    }

    /// What the headers of an answer say of the account's limits, at `now_ms` since 1970.
    fn observe(&self, headers: &HeaderMap, now_ms: u64) -> Vec<Observed> {
        headers::observe_openai(headers, now_ms)
    }
}

/// A model's name as one segment of a path: `:` and `/` occur in it.
fn percent_encoded(name: &str) -> String {
    let mut encoded = String::with_capacity(name.len() + 8);
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte as char),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// The body of a value that always can be written.
fn to_body<T: serde::Serialize>(body: &T, said_bytes: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(usize::try_from(said_bytes).unwrap_or(0) + 512);
    serde_json::to_writer(&mut bytes, body).expect("strings and numbers can be written");
    bytes
}

/// What a body says, with the error that it is instead where it is one.
fn parse<'a, T: serde::Deserialize<'a>>(wire: &dyn Wire, body: &'a [u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| body_error(wire, body).unwrap_or_else(|| unreadable(body, &error)))
}

/// The error that the body of a success says, if it says one.
fn body_error(wire: &dyn Wire, body: &[u8]) -> Option<CallError> {
    let said: Value = serde_json::from_slice(body).ok()?;
    said.get("error").filter(|error| !error.is_null())?;
    let meant = wire.classify(&Failure { status: 200, headers: &HeaderMap::new(), body, now_ms: 0 });
    // A success that is an error may have been charged; only what a class of its own says is taken as that.
    Some(match meant {
        CallError::BadRequest(message) => CallError::Malformed(message),
        other => other,
    })
}

fn unreadable(body: &[u8], error: &serde_json::Error) -> CallError {
    let what = failure::describe_page(body).unwrap_or_else(|| error.to_string());
    CallError::Malformed(format!("{what}; does base_url lead to the provider?"))
}

#[cfg(test)]
mod tests;
