//! The seal: what a shard obtained of models, put once. From then on its rows are a function of plan and seal. Pure.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use serde::{Deserialize, Serialize};
use shardmill_llm::Class;
use shardmill_shared::job::NanoUsd;

/// What a shard obtained.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// The filled columns, in the order they were asked.
    pub columns: Vec<SealedColumn>,
    /// Why rows are missing.
    pub rejects: Vec<Reject>,
    /// What was paid for it, by this attempt and those before.
    pub paid: NanoUsd,
    /// Calls that were made for it by this attempt.
    pub calls: u64,
    /// Answers that were known from earlier attempts.
    pub known: u64,
}

/// The answers to one column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedColumn {
    /// Its name.
    pub column: String,
    /// One for every row of the shard; none where the row is rejected.
    pub answers: Vec<Option<String>>,
}

/// A row that is missing, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// The row in its table, from 0.
    pub row: u64,
    /// The column that could not be filled.
    pub column: String,
    /// What kind of refusal it was.
    pub class: Class,
    /// What was wrong with the last answer.
    pub reasons: Vec<String>,
    /// Calls that were made for it.
    pub calls: u32,
    /// What they cost.
    pub paid: NanoUsd,
    /// The last answer, cut.
    pub answer: String,
}

impl SealedColumn {
    /// The answers as a column. A row that is not kept has some text, so that its other columns can be made before it goes.
    pub(super) fn texts(&self) -> ArrayRef {
        let texts = self.answers.iter().map(|answer| Some(answer.as_deref().unwrap_or_default()));
        Arc::new(texts.collect::<StringArray>())
    }
}

impl Seal {
    /// Which rows have an answer in every column.
    pub fn kept(&self) -> Vec<bool> {
        let rows = self.columns.first().map_or(0, |column| column.answers.len());
        (0..rows).map(|row| self.columns.iter().all(|column| column.answers[row].is_some())).collect()
    }

    /// Whether this can be the seal of so many rows.
    ///
    /// # Errors
    /// What contradicts that.
    pub fn check(&self, rows: u64) -> Result<(), String> {
        match self.columns.iter().find(|column| column.answers.len() as u64 != rows) {
            Some(column) => Err(format!(
                "the seal has {} answers for `{}` and the shard {rows} rows",
                column.answers.len(),
                column.column
            )),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_kept_with_all_its_answers() {
        let column = |name: &str, answers: &[Option<&str>]| SealedColumn {
            column: name.to_owned(),
            answers: answers.iter().map(|answer| answer.map(str::to_owned)).collect(),
        };
        let columns = vec![column("a", &[Some("x"), None, Some("")]), column("b", &[Some("y"), None, None])];
        let seal = Seal { columns, ..Seal::default() };
        assert_eq!(seal.kept(), [true, false, false]);
        assert_eq!(seal.check(3), Ok(()));
        assert!(seal.check(4).is_err_and(|error| error.contains("3 answers for `a`")));
    }
}
