//! Names that may become a part of a path, and the ids made of them. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest name: file systems stop at 255 bytes, and a file's name adds a number and an extension.
const LONGEST_BYTES: usize = 128;

/// A name that is safe as one segment of an object key on every store: ASCII letters, digits, `_`, `-` and `.`,
/// beginning with a letter, a digit or `_`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Name(Arc<str>);

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("a name is empty")]
    Empty,
    /// More than 128 bytes.
    #[error("name `{0}…` is longer than {LONGEST_BYTES} bytes")]
    TooLong(String),
    /// A character that a path may not have, or may not begin with.
    #[error(
        "name `{name}` has `{character}`, where letters, digits, `_`, `-` and `.` are allowed and the first is a letter, digit or `_`"
    )]
    Character {
        /// The whole name.
        name: String,
        /// The first character that is not allowed where it stands.
        character: char,
    },
}

impl Name {
    /// Checks `text`.
    ///
    /// # Errors
    /// When the text is empty, too long, or has a character that a path may not have.
    pub fn new(text: &str) -> Result<Self, NameError> {
        if text.len() > LONGEST_BYTES {
            return Err(NameError::TooLong(text.chars().take(20).collect()));
        }
        let first = text.chars().next().ok_or(NameError::Empty)?;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let begins_badly = matches!(first, '-' | '.').then_some(first);
        match begins_badly.or_else(|| text.chars().find(|c| !is_allowed(*c))) {
            Some(character) => Err(NameError::Character { name: text.to_owned(), character }),
            None => Ok(Self(text.into())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        Self::new(&text)
    }
}

impl From<Name> for String {
    fn from(name: Name) -> Self {
        name.0.as_ref().to_owned()
    }
}

/// The id of a job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct JobId(Name);

/// The id of a stage within its job.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StageId(Name);

impl JobId {
    /// Checks `text`.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        Name::new(text).map(Self)
    }
}

impl StageId {
    /// Checks `text`.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        Name::new(text).map(Self)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for StageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_pass() {
        for text in ["users", "order_items", "a", "9", "_x", "v1.2-beta"] {
            assert_eq!(Name::new(text).expect("allowed").as_str(), text);
        }
    }

    #[test]
    fn what_could_leave_its_folder_is_refused() {
        for text in ["", ".", "..", ".hidden", "-rf", "a/b", "a\\b", "a b", "a\0b", "größe", "a:b", "a\n"] {
            assert!(Name::new(text).is_err(), "{text:?} passed");
        }
        assert!(Name::new(&"x".repeat(128)).is_ok());
        assert!(Name::new(&"x".repeat(129)).is_err());
    }

    #[test]
    fn reading_checks_too() {
        assert!(serde_json::from_str::<StageId>("\"../etc\"").is_err());
        assert_eq!(serde_json::from_str::<StageId>("\"users\"").expect("allowed").to_string(), "users");
    }
}
