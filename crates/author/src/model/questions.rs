//! What is asked of the one who describes, before a spec is written: only what is essential and not said.

use shardmill_llm::prompts::slots;
use shardmill_llm::{Parameters, Request};

use super::asking::{Asking, Spent, ask, inside};
use crate::description::Description;
use crate::error::AuthorError;
use crate::limits::{QUESTION_CHARS_MAX, QUESTIONS_MAX, QUESTIONS_TOKENS_MAX};

const PROMPT: &str = "spec_questions";

/// Something essential that a description does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// How many rows.
    Counts,
    /// Which time.
    Time,
}

impl Lack {
    /// What is asked where no model words the question.
    pub const fn question(self) -> &'static str {
        match self {
            Self::Counts => "How many rows shall there be? (such as: 5k users, 3 orders per user)",
            Self::Time => "Which time shall it cover? (such as: 2024, last two years)",
        }
    }

    /// What a model is told is missing.
    const fn said(self) -> &'static str {
        match self {
            Self::Counts => "how many rows",
            Self::Time => "which time",
        }
    }
}

/// What a description lacks.
pub fn lacks(description: &Description) -> Vec<Lack> {
    let counts = description.amounts.is_empty().then_some(Lack::Counts);
    let time = description.period.is_none().then_some(Lack::Time);
    counts.into_iter().chain(time).collect()
}

/// At most two questions of a model about what a description lacks; none where it lacks nothing.
///
/// # Errors
/// When the model is not reached or not paid.
pub async fn questions(
    asking: &Asking<'_>,
    description: &Description,
    spent: &mut Spent,
) -> Result<Vec<String>, AuthorError> {
    let lacks = lacks(description);
    if lacks.is_empty() {
        return Ok(Vec::new());
    }
    let missing: Vec<&str> = lacks.iter().map(|lack| lack.said()).collect();
    let text = inside(&description.text, "description");
    let values = slots! { description => text, missing => missing, most => QUESTIONS_MAX };
    let question = asking.gateway.prompts().fill(PROMPT, &values)?;
    let request = Request::of(question, Parameters::with_at_most(QUESTIONS_TOKENS_MAX));
    match ask(asking, &request, spent).await {
        Ok(told) => Ok(numbered(&told.text)),
        Err(error) => Err(AuthorError::Unanswered { error, spent: *spent, attempt: None }),
    }
}

/// The lines `Q1: …`, at most two.
fn numbered(text: &str) -> Vec<String> {
    let question = |line: &str| {
        let line = line.trim().trim_start_matches(['*', '-', ' ']);
        let rest = line.strip_prefix(['Q', 'q'])?.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = rest.trim_start_matches(['*', ':', '.', ')', ' ']).trim();
        rest.ends_with('?').then(|| rest.chars().filter(|c| !c.is_control()).take(QUESTION_CHARS_MAX).collect())
    };
    text.lines().filter_map(question).take(QUESTIONS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    #[test]
    fn only_what_is_not_said_is_asked_for() {
        let today = NaiveDate::from_ymd_opt(2026, 3, 15).expect("a day");
        for (text, wanted) in [
            ("a shop", vec![Lack::Counts, Lack::Time]),
            ("a shop with 5k users", vec![Lack::Time]),
            ("a shop in 2024", vec![Lack::Counts]),
            ("a shop with 5k users in 2024", vec![]),
        ] {
            assert_eq!(lacks(&Description::read(text, today).expect("reads")), wanted, "{text}");
        }
    }

    #[test]
    fn at_most_two_questions_are_read() {
        let text = "I have some:\nQ1: Which year?\n**Q2:** How many users, 1000?\nQ3: More?\nQ is a letter.";
        assert_eq!(numbered(text), ["Which year?", "How many users, 1000?"]);
        assert!(numbered("none").is_empty());
    }
}
