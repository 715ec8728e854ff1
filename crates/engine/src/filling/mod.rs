//! What a model is asked for the rows of a filled column, in what form it answers, and what becomes of its answers. Pure.
//!
//! The engine only asks. What was answered is given to it as text, and is then a column like any other.

mod prompt;
mod shape;
mod arrays;
mod form;

use arrow::array::{Array, AsArray};

pub(crate) use arrays::{column_of, value_at};
pub use form::Taken;
pub(crate) use form::{Choices, Form, Judgement};
pub(crate) use prompt::{Prompt, Varied};
pub(crate) use shape::Kind;
pub use shape::Shape;

use crate::error::Result;
use crate::frame::Frame;
use crate::generators::expression::Computed;

/// What a model is asked for every row of a column.
#[derive(Debug)]
pub struct Filling {
    /// The provider, as the operator's configuration names it.
    pub provider: String,
    /// The model, as the provider names it.
    pub model: String,
    /// What the model is told before the prompt.
    pub system: Option<String>,
    /// The most tokens of an answer.
    pub max_output_tokens: u32,
    /// How much answers vary, from 0 to 2; the model's own default when it is not given.
    pub temperature: Option<f64>,
    /// Questions and answers that the model is shown before the prompt.
    pub examples: Vec<(String, String)>,
    /// Whether an answer to the same question for the same row of an earlier version is taken.
    pub reuses: bool,
    pub(crate) form: Form,
    pub(crate) prompt: Prompt,
    /// Rows for which nobody is asked.
    pub(crate) skip: Option<Computed>,
}

impl Filling {
    /// The JSON Schema of an answer and its name; nothing where answers are free text.
    pub fn schema(&self) -> Option<(&'static str, &serde_json::Value)> {
        self.form.schema()
    }

    /// What an answer is judged by, a line each, where the prompt asks for a judgement.
    pub fn criteria(&self) -> Option<&[String]> {
        match &self.form {
            Form::Judge(judgement) => Some(&judgement.criteria),
            _ => None,
        }
    }

    /// What becomes of an answer: its text, and the value in it where a schema was asked for.
    pub fn take(&self, text: String, value: Option<&serde_json::Value>) -> Taken {
        self.form.take(text, value)
    }

    /// The prompt for every row of a frame, none for those that are skipped; `column` is what it fills.
    pub(crate) fn prompts(&self, frame: &Frame<'_>, column: &str) -> Result<Vec<Option<String>>> {
        let skipped = match &self.skip {
            None => vec![false; frame.len()],
            Some(condition) => {
                let holds = condition.evaluate(frame)?;
                let holds = holds.as_boolean();
                (0..frame.len()).map(|row| holds.is_valid(row) && holds.value(row)).collect()
            }
        };
        self.prompt.render(frame, column, &skipped)
    }
}

#[cfg(test)]
mod tests;
