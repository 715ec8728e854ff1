//! What a failed call says, in any of the shapes that providers use, and what that usually means. Pure.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::headers::retry_after_ms;
use crate::error::CallError;
use crate::secret::presentable;

/// A failed call as it came.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The beginning of the body.
    pub body: &'a [u8],
    /// Milliseconds since 1970.
    pub now_ms: u64,
}

/// What a body says of a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Its type or code, both where there are two.
    pub(super) code: String,
    /// For people.
    pub(super) message: String,
}

impl Failure<'_> {
    /// After how many milliseconds the provider wants to be asked again.
    pub(super) fn after_ms(&self) -> Option<u64> {
        retry_after_ms(self.headers, self.now_ms)
    }

    /// What the body says.
    pub(super) fn said(&self) -> Said {
        let Ok(body) = serde_json::from_slice::<Value>(self.body) else {
            return Said { code: String::new(), message: describe_text(self.body) };
        };
        let error = body.get("error").filter(|error| !error.is_null()).unwrap_or(&body);
        let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        let code = [text("type"), text("code")].join(" ").trim().to_owned();
        let message = ["message", "Message", "detail"].map(text).into_iter().find(|text| !text.is_empty());
        // Ollama says `{"error": "text"}`, FastAPI a list of details.
        let message = message.or_else(|| error.as_str()).map_or_else(|| error.to_string(), str::to_owned);
        Said { code, message: presentable(&message, None) }
    }

    /// What it means where a provider has no meaning of its own.
    pub(super) fn usual(&self) -> CallError {
        let Said { code, message } = self.said();
        let after_ms = self.after_ms();
        let has = |words: &[&str]| words.iter().any(|word| code.contains(word));
        match self.status {
            _ if has(&["insufficient_quota", "billing"]) => CallError::Spending(message),
            200 if has(&["rate_limit"]) => CallError::RateLimited { after_ms, message },
            200 if has(&["overloaded"]) => CallError::Overloaded { after_ms, message },
            300..=399 => CallError::BadRequest(format!(
                "the provider answers {} and points elsewhere, where no key is sent; set base_url to where it points",
                self.status
            )),
            401 | 403 => CallError::Authentication(format!("the key is refused ({}): {message}", self.status)),
            402 => CallError::Spending(message),
            404 => CallError::BadRequest(format!("not found: {message}; look at base_url and at the model's name")),
            413 => CallError::ContextTooLong(message),
            408 | 409 => CallError::Server { status: self.status, after_ms, message },
            429 => CallError::RateLimited { after_ms, message },
            503 | 529 => CallError::Overloaded { after_ms, message },
            500.. => CallError::Server { status: self.status, after_ms, message },
            _ => bad_request(&code, message),
        }
    }
}

/// What a question that is refused was refused for.
fn bad_request(code: &str, message: String) -> CallError {
    let lower = format!("{code} {message}").to_lowercase();
    let names = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let is_long = ["context_length_exceeded", "maximum context length", "prompt is too long", "context window"];
    let is_long = names(&is_long) || names(&["too many tokens", "input is too long", "exceeds the available context"]);
    let is_filtered = names(&["content_filter", "content_policy", "content management policy", "safety system"]);
    let is_schema = ["response_format", "json_schema", "structured_output", "guided", "output_config", "text.format"];
    if is_long {
        CallError::ContextTooLong(message)
    } else if is_filtered {
        CallError::Refused(message)
    } else if names(&is_schema) || names(&["output_format", "grammar", "invalid schema"]) {
        CallError::SchemaRefused(message)
    } else {
        CallError::BadRequest(message)
    }
}

/// What a body that is no JSON says for people.
fn describe_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    match describe_page(body) {
        Some(page) => page,
        None if text.trim().is_empty() => "an empty answer".to_owned(),
        None => presentable(&text, None),
    }
}

/// What a page for browsers says by its title; nothing when it is none.
pub(super) fn describe_page(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let lower = text.to_ascii_lowercase();
    let is_page = lower.trim_start().starts_with("<!doctype") || lower.contains("<html");
    let title = lower.find("<title").and_then(|at| Some(at + lower[at..].find('>')? + 1));
    let title = title.and_then(|from| Some(text[from..from + lower[from..].find('<')?].to_owned()));
    is_page.then(|| match title {
        Some(title) => format!("an HTML page, `{}`", presentable(&title, None)),
        None => "an HTML page".to_owned(),
    })
}
