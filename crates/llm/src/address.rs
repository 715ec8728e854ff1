//! The address of an answer: what it depends on, and nothing else. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};
use shardmill_shared::job::Digest;

use crate::config::Kind;
use crate::request::{Request, Role};

/// What begins every address, so that a change of what goes into it gives others.
const VERSION: &[u8] = b"shardmill answer 1";

/// The content address of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(pub Digest);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One try to buy an answer: what a hold of money is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct HoldId {
    /// The answer.
    pub address: Address,
    /// The try, from 0.
    pub attempt: u32,
}

impl fmt::Display for HoldId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.address, self.attempt)
    }
}

impl HoldId {
    /// A number that differs from hold to hold, for spreading waits.
    pub(crate) fn draw(&self) -> u64 {
        let mut hasher = blake3::Hasher::new();
        put(&mut hasher, self.to_string().as_bytes());
        let mut bytes = [0; 8];
        hasher.finalize_xof().fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}

/// For whom an answer is: equal questions for different rows, or a further draw for the same, are different answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asker<'a> {
    /// What tells the row from others; empty where equal prompts may share an answer.
    pub row_key: &'a [u8],
    /// The number of the draw, from 0.
    pub draw: u32,
}

/// The part of addresses that does not depend on the model: hashed once for a chain of them.
#[derive(Clone)]
pub(crate) struct Question(blake3::Hasher);

impl Question {
    /// What is asked and for whom. `instruction` tells with which words a schema would be asked for.
    pub(crate) fn new(request: &Request, asker: Asker<'_>, instruction: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        put(&mut hasher, VERSION);
        let parameters = &request.parameters;
        put_number(&mut hasher, parameters.temperature);
        put_number(&mut hasher, parameters.top_p);
        put(&mut hasher, &parameters.max_output_tokens.to_le_bytes());
        put_optional(&mut hasher, parameters.seed.map(u64::to_le_bytes));
        put_count(&mut hasher, parameters.stop.len());
        parameters.stop.iter().for_each(|stop| put(&mut hasher, stop.as_bytes()));
        match request.schema() {
            None => put(&mut hasher, b"text"),
            Some(schema) => {
                put(&mut hasher, b"json");
                put(&mut hasher, schema.name().as_bytes());
                put(&mut hasher, schema.text().as_bytes());
                put(&mut hasher, instruction);
            }
        }
        put_count(&mut hasher, usize::from(request.system.is_some()));
        put(&mut hasher, request.system.as_deref().unwrap_or_default().as_bytes());
        put_count(&mut hasher, request.turns.len());
        for turn in &request.turns {
            put(&mut hasher, if turn.role == Role::User { b"user" } else { b"assistant" });
            put(&mut hasher, turn.text.as_bytes());
        }
        put(&mut hasher, asker.row_key);
        put(&mut hasher, &asker.draw.to_le_bytes());
        Self(hasher)
    }

    /// The address of a model's answer to it.
    pub(crate) fn to(&self, kind: Kind, model: &str) -> Address {
        let mut hasher = self.0.clone();
        put(&mut hasher, kind.name().as_bytes());
        put(&mut hasher, model.as_bytes());
        Address(hasher.finalize().into())
    }
}

/// Bytes after their length, so that no two lists of parts are the same bytes.
fn put(hasher: &mut blake3::Hasher, bytes: &[u8]) {
    put_count(hasher, bytes.len());
    hasher.update(bytes);
}

fn put_count(hasher: &mut blake3::Hasher, count: usize) {
    hasher.update(&(count as u64).to_le_bytes());
}

/// A number by its bits; both zeros are one.
fn put_number(hasher: &mut blake3::Hasher, number: Option<f64>) {
    put_optional(hasher, number.map(|number| (number + 0.0).to_bits().to_le_bytes()));
}

fn put_optional(hasher: &mut blake3::Hasher, bytes: Option<[u8; 8]>) {
    match bytes {
        Some(bytes) => put(hasher, &bytes),
        None => put(hasher, &[]),
    }
}

#[cfg(test)]
mod tests;
