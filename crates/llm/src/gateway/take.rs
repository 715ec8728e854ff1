//! Whether an answer can be taken. Pure.

use serde_json::Value;

use super::ask::{AskError, Tally};
use crate::doors::Answer;
use crate::error::Class;
use crate::reply::Finish;
use crate::request::Request;
use crate::structured::{Rejection, cleaned, kept, read};

/// Why an answer cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) class: Class,
    /// A line each.
    pub(super) reasons: Vec<String>,
}

/// The text and, where a schema was given, the value of an answer.
///
/// # Errors
/// When it is refused, empty, or does not fit the schema. A text that was cut off is taken: its end says so.
pub(super) fn take(request: &Request, answer: &Answer) -> Result<(String, Option<Value>), Objection> {
    let most = request.parameters.max_output_tokens;
    let cut_off = || format!("the answer was cut off at {most} tokens: it must be shorter");
    if answer.finish == Finish::Refused {
        let reason = format!("the model refused: {}", crate::secret::presentable(&answer.text, None));
        return Err(Objection { class: Class::Refused, reasons: vec![reason] });
    }
    let Some(schema) = request.schema() else {
        let text = cleaned(&answer.text);
        return match (text.trim().is_empty(), answer.finish) {
            (false, _) => Ok((text.into_owned(), None)),
            (true, Finish::Length) => Err(Objection { class: Class::CutOff, reasons: vec![cut_off()] }),
            (true, _) => Err(Objection { class: Class::Invalid, reasons: vec!["the answer is empty".to_owned()] }),
        };
    };
    match read(schema, &answer.text) {
        Ok(value) => Ok((cleaned(&answer.text).into_owned(), Some(value))),
        Err(_) if answer.finish == Finish::Length => Err(Objection { class: Class::CutOff, reasons: vec![cut_off()] }),
        Err(unfit) => Err(Objection { class: Class::Invalid, reasons: unfit.lines() }),
    }
}

impl Objection {
    /// Whether asking again would bring the same: a model that refuses is not talked round.
    pub(super) fn is_final(&self) -> bool {
        self.class == Class::Refused
    }

    /// The rejection of the last answer.
    pub(super) fn rejected(self, answer: &Answer, tally: &Tally) -> AskError {
        AskError::Rejected(Box::new(Rejection {
            class: self.class,
            reasons: self.reasons,
            calls: tally.calls,
            usage: tally.usage,
            paid: tally.paid,
            raw: kept(&answer.text),
        }))
    }
}
