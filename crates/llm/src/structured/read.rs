//! Reads an answer as its request wants it. Pure.

use serde_json::Value;

use super::extract::candidates;
use super::schema::Schema;
use super::validate::{Problem, problems};

/// Why an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It has no JSON.
    NoJson,
    /// It has JSON that does not fit the schema.
    Problems(Vec<Problem>),
}

impl Unfit {
    /// What is wrong, a line each.
    pub fn lines(&self) -> Vec<String> {
        match self {
            Self::NoJson => vec!["$: no JSON was found in the answer, or it is not well formed".to_owned()],
            Self::Problems(problems) => problems.iter().map(Problem::to_string).collect(),
        }
    }
}

/// The value in an answer that fits the schema.
///
/// # Errors
/// What is wrong with the answer: with its longest value, where it has several and none fits.
pub fn read(schema: &Schema, text: &str) -> Result<Value, Unfit> {
    let mut worst: Option<(usize, Vec<Problem>)> = None;
    for found in candidates(text) {
        let wrong = problems(schema, &found.value);
        if wrong.is_empty() {
            return Ok(found.value);
        }
        if worst.as_ref().is_none_or(|(bytes, _)| found.bytes > *bytes) {
            worst = Some((found.bytes, wrong));
        }
    }
    Err(worst.map_or(Unfit::NoJson, |(_, problems)| Unfit::Problems(problems)))
}

#[cfg(test)]
mod tests;
