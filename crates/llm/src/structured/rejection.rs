//! What is kept of an answer that could not be taken. Pure.

use serde::{Deserialize, Serialize};
use shardmill_shared::job::NanoUsd;

use super::extract::cleaned;
use crate::error::Class;
use crate::limits::REJECTED_BYTES_MAX;
use crate::reply::Usage;

/// Why there is no value, what it cost, and what was answered last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// The kind of reason.
    pub class: Class,
    /// What was wrong, a line each.
    pub reasons: Vec<String>,
    /// Calls that it took, those before a fallback included.
    pub calls: u32,
    /// What they used, as far as providers said.
    pub usage: Usage,
    /// What they cost, those of unknown cost at their worst case.
    pub paid: NanoUsd,
    /// The last answer without control characters, at most 4 KiB of it.
    pub raw: String,
}

/// The beginning of an answer, as it is kept.
pub(crate) fn kept(answer: &str) -> String {
    shortened(answer, REJECTED_BYTES_MAX)
}

/// At most `most` bytes of a text, without control characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let clean = cleaned(&text[..end]);
    if end < text.len() { format!("{clean}…") } else { clean.into_owned() }
}
