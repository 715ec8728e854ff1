//! What a description says, as far as it can be read without a model: numbers, a time, and words. Pure.

pub mod word;
mod amount;
mod period;

use std::ops::Range;

use chrono::NaiveDate;

pub use amount::Amount;
pub use period::Period;
use word::Word;

use crate::error::AuthorError;
use crate::limits::DESCRIPTION_BYTES_MAX;

/// A description that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The text without control characters, line ends and tabs as blanks.
    pub text: String,
    /// Its words.
    pub words: Vec<Word>,
    /// What it counts.
    pub amounts: Vec<Amount>,
    /// The time it is about, and the words that say so.
    pub period: Option<(Period, Range<usize>)>,
}

impl Description {
    /// Reads a description; `today` is what `last month` counts from.
    ///
    /// # Errors
    /// When it is empty or too long.
    pub fn read(text: &str, today: NaiveDate) -> Result<Self, AuthorError> {
        if text.len() > DESCRIPTION_BYTES_MAX {
            return Err(AuthorError::TooLong { bytes: text.len() });
        }
        let line_end = |c: char| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        let text: String = text.chars().map(line_end).filter(|c| !c.is_control()).collect();
        let text = text.trim().to_owned();
        let words = word::words(&text);
        if words.is_empty() {
            return Err(AuthorError::Empty);
        }
        let period = period::period(&words, today);
        let mut taken = vec![false; words.len()];
        if let Some((_, range)) = &period {
            taken[range.clone()].fill(true);
        }
        let amounts = amount::amounts(&words, &taken);
        Ok(Self { text, words, amounts, period })
    }

    /// The description with what was answered to questions about it.
    #[must_use]
    pub fn with(text: &str, answers: &[(String, String)]) -> String {
        let said = answers.iter().filter(|(_, answer)| !answer.trim().is_empty());
        let said: String = said.map(|(question, answer)| format!("\n{question} {}", answer.trim())).collect();
        format!("{text}{said}")
    }
}
