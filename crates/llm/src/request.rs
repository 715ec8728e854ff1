//! What a model is asked, in words that are the same for every provider. Pure.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::structured::Schema;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The one who asks.
    User,
    /// The model.
    Assistant,
}

/// One turn of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said. Shared, so that a repair does not copy what came before.
    pub text: Arc<str>,
}

/// How a model shall answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// From 0 (always the likeliest word) to 2; without it the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The share of likeliest words among which one is drawn, above 0 up to 1; without it the provider's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The most tokens that the answer may have, reasoning included. Always sent: without it no call has a worst case.
    pub max_output_tokens: u32,
    /// A seed for providers that take one (the Chat Completions family); elsewhere only a part of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// Texts that end the answer; at most four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
}

impl Parameters {
    /// The provider's defaults, and an answer of at most so many tokens.
    pub fn with_at_most(max_output_tokens: u32) -> Self {
        Self { temperature: None, top_p: None, max_output_tokens, seed: None, stop: Vec::new() }
    }

    /// What is wrong with them, all at once; nothing when they can be sent.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(found) = self.temperature.filter(|value| !(0.0..=2.0).contains(value)) {
            problems.push(format!("temperature is {found}, expected 0 to 2"));
        }
        if let Some(found) = self.top_p.filter(|value| !(*value > 0.0 && *value <= 1.0)) {
            problems.push(format!("top_p is {found}, expected above 0, at most 1"));
        }
        if self.max_output_tokens == 0 {
            problems.push("max_output_tokens is 0, expected at least 1".to_owned());
        }
        if self.stop.len() > 4 || self.stop.iter().any(String::is_empty) {
            problems.push("stop has empty texts or more than four".to_owned());
        }
        problems
    }
}

/// What form the answer shall have.
#[derive(Clone, Debug)]
pub enum Output {
    /// Free text.
    Text,
    /// JSON that fits a schema.
    Json(Arc<Schema>),
}

/// What a model is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it is told before the conversation.
    pub system: Option<Arc<str>>,
    /// The conversation; the last turn is the user's.
    pub turns: Vec<Turn>,
    /// How it shall answer.
    pub parameters: Parameters,
    /// In what form.
    pub output: Output,
}

impl Request {
    /// A single question.
    pub fn of(question: impl Into<Arc<str>>, parameters: Parameters) -> Self {
        let turns = vec![Turn { role: Role::User, text: question.into() }];
        Self { system: None, turns, parameters, output: Output::Text }
    }

    /// The same, with something said before it.
    #[must_use]
    pub fn with_system(mut self, system: impl Into<Arc<str>>) -> Self {
        self.system = Some(system.into());
        self
    }

    /// The same, to be answered as JSON that fits `schema`.
    #[must_use]
    pub fn as_json(mut self, schema: Arc<Schema>) -> Self {
        self.output = Output::Json(schema);
        self
    }

    /// The same conversation, one answer and one further question later.
    #[must_use]
    pub fn after(&self, answer: impl Into<Arc<str>>, question: impl Into<Arc<str>>) -> Self {
        let mut next = self.clone();
        next.turns.push(Turn { role: Role::Assistant, text: answer.into() });
        next.turns.push(Turn { role: Role::User, text: question.into() });
        next
    }

    /// The schema of the answer, if it shall have one.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        match &self.output {
            Output::Text => None,
            Output::Json(schema) => Some(schema),
        }
    }

    /// The bytes of everything that is said.
    pub fn said_bytes(&self) -> u64 {
        let turns: usize = self.turns.iter().map(|turn| turn.text.len()).sum();
        (turns + self.system.as_ref().map_or(0, |system| system.len())) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_that_no_provider_takes_are_named() {
        let good = Parameters { temperature: Some(0.0), top_p: Some(1.0), ..Parameters::with_at_most(1) };
        assert_eq!(good.problems(), Vec::<String>::new());
        let bad = Parameters {
            temperature: Some(f64::NAN),
            top_p: Some(0.0),
            max_output_tokens: 0,
            seed: None,
            stop: vec![String::new()],
        };
        assert_eq!(bad.problems().len(), 4, "{:?}", bad.problems());
    }

    #[test]
    fn a_repair_shares_what_came_before() {
        let first = Request::of("question", Parameters::with_at_most(9)).with_system("be brief");
        let second = first.after("answer", "again");
        assert!(Arc::ptr_eq(&first.turns[0].text, &second.turns[0].text));
        assert_eq!((second.turns.len(), second.said_bytes()), (3, 8 + 8 + 6 + 5));
    }
}
