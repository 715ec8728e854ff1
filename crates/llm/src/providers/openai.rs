//! What OpenAI's two formats have in common. Pure.

use serde::Serialize;
use serde_json::Value;

use crate::error::CallError;
use crate::reply::Usage;
use crate::structured::Schema;

/// A schema as both formats take it.
#[derive(Serialize)]
pub(super) struct NamedSchema<'a> {
    pub(super) name: &'a str,
    /// Whether the provider shall hold the model to it word for word, which it does only for schemas of a strict form.
    pub(super) strict: bool,
    pub(super) schema: &'a Value,
}

impl<'a> NamedSchema<'a> {
    pub(super) fn of(schema: &'a Schema) -> Self {
        Self { name: schema.name(), strict: schema.is_strict(), schema: schema.value() }
    }
}

/// Usage from counts in which the cached and the written part are contained in the input.
pub(super) fn usage(input: u64, [cached, written]: [Option<u64>; 2], [output, reasoning]: [u64; 2]) -> Usage {
    let cached_tokens = cached.unwrap_or(0).min(input);
    let cache_written_tokens = written.unwrap_or(0).min(input - cached_tokens);
    let input_tokens = input - cached_tokens - cache_written_tokens;
    Usage { input_tokens, cached_tokens, cache_written_tokens, output_tokens: output, reasoning_tokens: reasoning }
}

/// The failure of a success whose body names an error.
pub(super) fn failed(code: &str, message: &str) -> CallError {
    let message = crate::secret::presentable(message, None);
    match code {
        "rate_limit_exceeded" => CallError::RateLimited { after_ms: None, message },
        "server_error" => CallError::Server { status: 200, after_ms: None, message },
        _ => CallError::Malformed(format!("the provider failed: {message}")),
    }
}
