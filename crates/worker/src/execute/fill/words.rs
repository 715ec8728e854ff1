//! With which words a column is asked for: whom, in what form, and after which examples.

use std::sync::Arc;

use serde_json::json;
use shardmill_engine::Filling;
use shardmill_llm::structured::Schema;
use shardmill_llm::{Parameters, Request, Role, Route, Turn};

use super::Models;
use crate::execute::ExecuteError;

/// The prompt that asks for scores with reasons.
const JUDGE_PROMPT: &str = "judge";

/// What all questions of a column have in common.
pub(super) struct Words<'a> {
    /// The column.
    pub(super) column: &'a str,
    /// What its answers are.
    pub(super) filling: &'a Filling,
    /// Whom to ask.
    pub(super) chain: [Route; 1],
    models: &'a Models,
    schema: Option<Arc<Schema>>,
    /// The turns before the prompt.
    examples: Vec<Turn>,
}

impl<'a> Words<'a> {
    /// The words for a column.
    ///
    /// # Errors
    /// When the model has no usable name, or a prompt cannot be filled.
    pub(super) fn of(models: &'a Models, column: &'a str, filling: &'a Filling) -> Result<Self, ExecuteError> {
        let route: Route = format!("{}/{}", filling.provider, filling.model).parse().map_err(misconfigured)?;
        let schema = match filling.schema() {
            Some((name, schema)) => Some(Arc::new(Schema::new(name, schema.clone()).map_err(misconfigured)?)),
            None => None,
        };
        let mut words = Self { column, filling, chain: [route], models, schema, examples: Vec::new() };
        for (question, answer) in &filling.examples {
            let question = words.question(question)?;
            words.examples.push(Turn { role: Role::User, text: question.into() });
            words.examples.push(Turn { role: Role::Assistant, text: answer.as_str().into() });
        }
        Ok(words)
    }

    /// The request for a row with this prompt.
    ///
    /// # Errors
    /// When a prompt cannot be filled.
    pub(super) fn request(&self, prompt: &str) -> Result<Request, ExecuteError> {
        let filling = self.filling;
        let parameters =
            Parameters { temperature: filling.temperature, ..Parameters::with_at_most(filling.max_output_tokens) };
        let mut request = Request::of(self.question(prompt)?, parameters);
        request.turns.splice(0..0, self.examples.iter().cloned());
        if let Some(system) = &filling.system {
            request = request.with_system(system.as_str());
        }
        Ok(match &self.schema {
            Some(schema) => request.as_json(Arc::clone(schema)),
            None => request,
        })
    }

    /// What is said for a prompt: where scores are asked for, what they are about stands before it.
    fn question(&self, prompt: &str) -> Result<String, ExecuteError> {
        let Some(criteria) = self.filling.criteria() else { return Ok(prompt.to_owned()) };
        let slots = json!({ "criteria": criteria, "question": prompt });
        self.models.gateway.prompts().fill_from(JUDGE_PROMPT, &slots).map_err(misconfigured)
    }
}

fn misconfigured(error: impl ToString) -> ExecuteError {
    ExecuteError::Model(error.to_string())
}
