//! The forms of answers: free text, one of some choices, JSON in a schema, scores with reasons. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::Int32Type;
use serde_json::{Value, json};

use super::{Shape, column_of};
use crate::error::{EngineError, Result};
use crate::expression::{ExpressionError, Typed};
use crate::value::Type;

/// The key of an answer that is a choice.
const CHOICE: &str = "choice";

/// In what form a model answers.
#[derive(Debug)]
pub(crate) enum Form {
    /// Free text.
    Text,
    /// One of some texts.
    Choice(Choices),
    /// A struct.
    Json {
        /// As the model is given it.
        schema: Value,
        shape: Shape,
    },
    /// Scores with reasons.
    Judge(Judgement),
}

/// Texts of which one is the answer.
#[derive(Debug)]
pub(crate) struct Choices {
    schema: Value,
    values: StringArray,
}

/// What a row is judged by.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// As the model is given it: reasons before scores, for a reason that follows a score only defends it.
    pub(crate) schema: Value,
    pub(crate) shape: Shape,
    /// What each score is about, a line each.
    pub(crate) criteria: Vec<String>,
    /// Which rows stay, by their scores.
    pub(crate) keep: Option<Typed>,
}

/// What becomes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the cell, as this text.
    Cell(String),
    /// The row is not wanted, for this reason.
    Dropped(String),
    /// It cannot be a cell, for this reason.
    Unfit(String),
}

impl Choices {
    pub(crate) fn of(texts: Vec<String>) -> Self {
        let schema = json!({
            "type": "object",
            "properties": { CHOICE: { "type": "string", "enum": texts } },
            "required": [CHOICE],
            "additionalProperties": false,
        });
        Self { schema, values: StringArray::from(texts) }
    }

    fn position(&self, text: &str) -> Option<usize> {
        (0..self.values.len()).find(|at| self.values.value(*at) == text)
    }
}

impl Form {
    /// The type of the column.
    pub(crate) const fn kind(&self) -> Type {
        match self {
            Self::Text | Self::Choice(_) => Type::Text,
            Self::Json { .. } | Self::Judge(_) => Type::Struct,
        }
    }

    /// What the column's values consist of, when they are structs.
    pub(crate) const fn shape(&self) -> Option<&Shape> {
        match self {
            Self::Text | Self::Choice(_) => None,
            Self::Json { shape, .. } | Self::Judge(Judgement { shape, .. }) => Some(shape),
        }
    }

    pub(super) const fn schema(&self) -> Option<(&'static str, &Value)> {
        match self {
            Self::Text => None,
            Self::Choice(choices) => Some((CHOICE, &choices.schema)),
            Self::Json { schema, .. } => Some(("record", schema)),
            Self::Judge(judgement) => Some(("judgement", &judgement.schema)),
        }
    }

    pub(super) fn take(&self, text: String, value: Option<&Value>) -> Taken {
        let Some((_, _)) = self.schema() else { return Taken::Cell(text) };
        let Some(value) = value else { return Taken::Unfit("the answer has no JSON".to_owned()) };
        match (self, self.shape()) {
            (Self::Choice(choices), _) => match value.get(CHOICE).and_then(Value::as_str) {
                Some(text) if choices.position(text).is_some() => Taken::Cell(text.to_owned()),
                _ => Taken::Unfit(format!("$.{CHOICE}: is none of the choices")),
            },
            (_, Some(shape)) => match shape.whole(value, "$") {
                Err(reason) => Taken::Unfit(reason),
                Ok(value) => match self.objection(&value) {
                    Some(reason) => Taken::Dropped(reason),
                    None => Taken::Cell(value.to_string()),
                },
            },
            (_, None) => Taken::Cell(text),
        }
    }

    /// Why a row with these scores does not stay.
    fn objection(&self, value: &Value) -> Option<String> {
        let Self::Judge(Judgement { keep: Some(keep), .. }) = self else { return None };
        let score = |name: &str| value.get(name).and_then(Value::as_i64);
        let held = keep.evaluate::<ExpressionError>(1, &|name| Ok(Arc::new(Int64Array::from(vec![score(name)]))));
        match held {
            Ok(held) if held.as_boolean().is_valid(0) && held.as_boolean().value(0) => None,
            Ok(_) => {
                let scores = keep.columns().map(|(name, _)| format!("{name} is {}", score(name).unwrap_or_default()));
                let scores: Vec<String> = scores.collect();
                Some(format!("`{}` does not hold: {}", keep.text(), scores.join(", ")))
            }
            Err(error) => Some(format!("`{}` cannot be computed: {}", keep.text(), error.message)),
        }
    }

    /// An answer as it is written in an example: the text of it.
    ///
    /// # Errors
    /// What does not fit.
    pub(crate) fn example(&self, value: &Value) -> std::result::Result<String, String> {
        match (self, value, self.shape()) {
            (Self::Text, Value::String(text), _) => Ok(text.clone()),
            (Self::Choice(choices), Value::String(text), _) if choices.position(text).is_some() => {
                Ok(json!({ CHOICE: text }).to_string())
            }
            (Self::Choice(_), ..) => Err(format!("{value} is none of the choices")),
            (_, _, Some(shape)) => {
                let mut value = shape.whole(value, "$")?;
                let asked = self.schema().and_then(|(_, schema)| schema["properties"].as_object());
                let parts = asked.into_iter().flat_map(|parts| parts.keys());
                let parts = parts.map(|name| (name.clone(), value[name.as_str()].take()));
                Ok(Value::Object(parts.collect()).to_string())
            }
            (_, _, None) => Err(format!("{value} is no text")),
        }
    }

    /// Answers, as the texts of their cells, as a column.
    ///
    /// # Errors
    /// When a text is no cell of this form; `place` makes the error.
    pub(crate) fn column(&self, given: ArrayRef, place: impl Fn(String) -> EngineError) -> Result<ArrayRef> {
        let texts = given.as_string::<i32>();
        match (self, self.shape()) {
            (Self::Choice(choices), _) => {
                let position = |text: Option<&str>| match text {
                    None => Ok(None),
                    Some(text) => match choices.position(text) {
                        Some(at) => Ok(Some(at as i32)),
                        None => Err(place("an answer is none of the choices".to_owned())),
                    },
                };
                let keys = texts.iter().map(position).collect::<Result<Int32Array>>()?;
                Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(choices.values.clone()))?))
            }
            (_, Some(shape)) => {
                let value = |text: Option<&str>| text.map(serde_json::from_str::<Value>).transpose();
                let values = texts.iter().map(value).collect::<std::result::Result<Vec<_>, _>>();
                let values = values.map_err(|error| place(format!("an answer is no JSON: {error}")))?;
                column_of(&values.iter().map(Option::as_ref).collect::<Vec<_>>(), &shape.arrow())
            }
            (_, None) => Ok(given),
        }
    }
}
