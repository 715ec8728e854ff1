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
    /// One for every row of the shard, as the text of its cell: JSON where that is a struct. None where the row is rejected
    /// or was skipped.
    pub answers: Vec<Option<String>>,
    /// The positions of rows for which nobody was asked, in order: their cells are null.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<u64>,
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
    pub class: RejectClass,
    /// What was wrong with the last answer.
    pub reasons: Vec<String>,
    /// Calls that were made for it.
    pub calls: u32,
    /// What they cost.
    pub paid: NanoUsd,
    /// The last answer, cut.
    pub answer: String,
}

/// Why a row is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectClass {
    /// Its scores do not satisfy the column's `keep_if`.
    KeepIf,
    /// There is no answer that can be taken.
    #[serde(untagged)]
    Answer(Class),
}

impl SealedColumn {
    /// Whether the row at a position has its cell, be it null.
    fn has(&self, at: usize) -> bool {
        self.answers[at].is_some() || self.skipped.binary_search(&(at as u64)).is_ok()
    }

    /// The cells of the rows at some positions, none of which is rejected.
    pub(super) fn cells(&self, positions: &[usize]) -> ArrayRef {
        Arc::new(positions.iter().map(|at| self.answers[*at].as_deref()).collect::<StringArray>())
    }
}

impl Seal {
    /// Which rows have a cell in every column.
    pub fn kept(&self) -> Vec<bool> {
        let rows = self.columns.first().map_or(0, |column| column.answers.len());
        (0..rows).map(|row| self.columns.iter().all(|column| column.has(row))).collect()
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
    fn a_row_is_kept_with_all_its_cells() {
        let column = |name: &str, answers: &[Option<&str>], skipped: &[u64]| SealedColumn {
            column: name.to_owned(),
            answers: answers.iter().map(|answer| answer.map(str::to_owned)).collect(),
            skipped: skipped.to_vec(),
        };
        let columns = vec![
            column("a", &[Some("x"), None, Some(""), None], &[3]),
            column("b", &[Some("y"), None, None, Some("z")], &[]),
        ];
        let seal = Seal { columns, ..Seal::default() };
        assert_eq!(seal.kept(), [true, false, false, true]);
        assert_eq!(seal.check(4), Ok(()));
        assert!(seal.check(5).is_err_and(|error| error.contains("4 answers for `a`")));
        let cells = seal.columns[0].cells(&[0, 3]);
        assert_eq!((cells.len(), cells.is_null(0), cells.is_null(1)), (2, false, true));
    }

    #[test]
    fn a_seal_of_before_there_were_other_columns_than_text_is_read() {
        let old = r#"{"columns":[{"column":"a","answers":["x",null]}],"rejects":[{"row":1,"column":"a","class":"refused",
            "reasons":["no"],"calls":1,"paid":"1","answer":""}],"paid":"2","calls":2,"known":0}"#;
        let seal: Seal = serde_json::from_str(old).expect("is a seal");
        assert_eq!(seal.rejects[0].class, RejectClass::Answer(Class::Refused));
        assert_eq!(seal.kept(), [true, false]);
        let again = serde_json::to_string(&seal).expect("is written");
        assert!(again.contains(r#""class":"refused""#) && !again.contains("skipped"), "{again}");
        assert_eq!(serde_json::to_string(&RejectClass::KeepIf).expect("is written"), r#""keep_if""#);
        assert_eq!(serde_json::from_str::<RejectClass>(r#""keep_if""#).expect("is read"), RejectClass::KeepIf);
    }
}
