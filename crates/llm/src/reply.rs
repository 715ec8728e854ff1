//! What a model answered, and what it used, in words that are the same for every provider. Pure.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Tokens that a call used. The three parts of the input do not overlap; reasoning is a part of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input at the full rate.
    pub input_tokens: u64,
    /// Input that the provider had in a cache.
    pub cached_tokens: u64,
    /// Input that the provider put into a cache.
    pub cache_written_tokens: u64,
    /// Output, reasoning included.
    pub output_tokens: u64,
    /// Of the output, what was reasoning.
    pub reasoning_tokens: u64,
}

impl Usage {
    /// The whole prompt.
    pub fn prompt_tokens(&self) -> u64 {
        self.input_tokens.saturating_add(self.cached_tokens).saturating_add(self.cache_written_tokens)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            cached_tokens: self.cached_tokens.saturating_add(other.cached_tokens),
            cache_written_tokens: self.cache_written_tokens.saturating_add(other.cache_written_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            reasoning_tokens: self.reasoning_tokens.saturating_add(other.reasoning_tokens),
        }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// The model was done, or said a text that ends the answer.
    Done,
    /// It reached the most tokens that it may use.
    Length,
    /// It, or a filter beside it, refused.
    Refused,
    /// Something else, which an answer in free text may survive.
    Other,
}

/// What a provider answered to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// What the model said.
    pub text: String,
    /// Why it ended.
    pub finish: Finish,
    /// What it used; nothing where the provider does not say.
    pub usage: Option<Usage>,
    /// The service tier that was really used, where the provider says it.
    pub tier: Option<String>,
    /// The model that really answered, where the provider says it.
    pub model: Option<String>,
    /// The body as it came.
    pub raw: Bytes,
}
