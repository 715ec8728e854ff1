//! The commit: the record, put once, that a shard's output is final. Pure.
//!
//! It holds content only (no clock, attempt or host), so attempts of one shard write the same commit.

use serde::{Deserialize, Serialize};

use super::{Digest, ObjectPath, Shard, ShardId};

/// Where the rows of a shard went: made = written + rejected + failed + skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Candidates that were made.
    pub made: u64,
    /// Rows in the files.
    pub written: u64,
    /// Candidates that a check refused.
    pub rejected: u64,
    /// Candidates that could not be finished.
    pub failed: u64,
    /// Candidates that were not wanted.
    pub skipped: u64,
}

impl Account {
    /// All rows were written.
    pub fn written(rows: u64) -> Self {
        Self { made: rows, written: rows, ..Self::default() }
    }

    /// Whether no row is missing from the books.
    pub fn adds_up(&self) -> bool {
        let parts = [self.rejected, self.failed, self.skipped];
        parts.iter().try_fold(self.written, |sum, part| sum.checked_add(*part)) == Some(self.made)
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            made: self.made.saturating_add(other.made),
            written: self.written.saturating_add(other.written),
            rejected: self.rejected.saturating_add(other.rejected),
            failed: self.failed.saturating_add(other.failed),
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

/// One file of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// The path below the version's folder.
    pub key: ObjectPath,
    /// Rows in it.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// The digest of its bytes.
    pub blake3: Digest,
}

/// The output of one shard, final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The shard.
    pub shard: ShardId,
    /// The rows (of a counting stage: parents) it covered.
    pub rows: u64,
    /// Its files, in order.
    pub files: Vec<FileEntry>,
    /// Where its rows went.
    pub account: Account,
    /// What a counting shard counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
}

/// Why a commit is not one of its shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The commit of another shard.
    #[error("the commit of shard `{expected}` is one of `{found}`")]
    OtherShard {
        /// The shard that was asked for.
        expected: ShardId,
        /// The shard that the commit names.
        found: ShardId,
    },
    /// Other rows than planned.
    #[error("the commit of shard `{shard}` covers {found} rows where {expected} were planned")]
    Rows {
        /// The shard.
        shard: ShardId,
        /// As planned.
        expected: u64,
        /// In the commit.
        found: u64,
    },
    /// Rows are missing from the books.
    #[error("the rows of shard `{0}` do not add up")]
    Account(ShardId),
}

impl Commit {
    /// Bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).fold(0, u64::saturating_add)
    }

    /// Whether this can be the commit of `shard`: its rows are the planned ones and add up.
    ///
    /// # Errors
    /// What contradicts the plan.
    pub fn check(&self, shard: &Shard) -> Result<(), CommitError> {
        if self.shard != shard.id {
            return Err(CommitError::OtherShard { expected: shard.id.clone(), found: self.shard.clone() });
        }
        let expected = shard.rows.end - shard.rows.start;
        if self.rows != expected {
            return Err(CommitError::Rows { shard: shard.id.clone(), expected, found: self.rows });
        }
        let in_files = self.files.iter().try_fold(0, |sum: u64, file| sum.checked_add(file.rows));
        let is_table = self.counted.is_none();
        let is_whole = !is_table || (self.account.made == self.rows && in_files == Some(self.account.written));
        if self.account.adds_up() && is_whole { Ok(()) } else { Err(CommitError::Account(shard.id.clone())) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::StageId;
    use super::*;

    fn commit(account: Account, file_rows: u64) -> (Commit, Shard) {
        let id = ShardId { stage: StageId::new("t").expect("allowed"), index: 3 };
        let key = ObjectPath::new("t/part-00003.csv").expect("allowed");
        let file = FileEntry { key, rows: file_rows, bytes: 9, blake3: Digest::of(b"x") };
        let shard = Shard { id: id.clone(), rows: 30..40, of: 9 };
        (Commit { shard: id, rows: 10, files: vec![file], account, counted: None }, shard)
    }

    #[test]
    fn rows_that_add_up_pass() {
        let (commit, shard) = commit(Account { made: 10, written: 7, rejected: 1, failed: 1, skipped: 1 }, 7);
        commit.check(&shard).expect("adds up");
    }

    #[test]
    fn a_missing_row_is_noticed() {
        for (account, file_rows) in [
            (Account { made: 10, written: 7, ..Account::default() }, 7),
            (Account { made: 9, written: 9, ..Account::default() }, 9),
            (Account::written(10), 9),
            (Account { made: 10, written: u64::MAX, rejected: 11, failed: 0, skipped: 0 }, 10),
        ] {
            let (commit, shard) = commit(account, file_rows);
            assert_eq!(commit.check(&shard), Err(CommitError::Account(shard.id.clone())), "{account:?}");
        }
    }

    #[test]
    fn another_shard_or_range_is_noticed() {
        let (commit, shard) = commit(Account::written(10), 10);
        let other = Shard { rows: 30..41, ..shard.clone() };
        assert!(matches!(commit.check(&other), Err(CommitError::Rows { expected: 11, found: 10, .. })));
        let other = Shard { id: ShardId { index: 4, ..shard.id.clone() }, ..shard };
        assert!(matches!(commit.check(&other), Err(CommitError::OtherShard { .. })));
    }
}
