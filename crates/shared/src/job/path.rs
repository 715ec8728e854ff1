//! The path of an object below the root of its store. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Name;

/// A relative path of `/`-separated segments, none of them empty, `.` or `..`: it cannot leave the store's root.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectPath(String);

/// A text that is no path of an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no path below a store's root")]
pub struct PathError(String);

impl ObjectPath {
    /// Checks `text`.
    ///
    /// # Errors
    /// When a segment is empty, `.`, `..`, or has a backslash or a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        let is_bad = |segment: &str| {
            matches!(segment, "" | "." | "..") || segment.contains(|c: char| c == '\\' || c.is_control())
        };
        if text.split('/').any(is_bad) { Err(PathError(text)) } else { Ok(Self(text)) }
    }

    /// A path that was put together from checked names and numbers.
    pub(super) fn from_parts(text: String) -> Self {
        debug_assert!(Self::new(text.clone()).is_ok(), "{text}");
        Self(text)
    }

    /// A folder in the root of a store.
    pub fn of_name(name: &Name) -> Self {
        Self(name.to_string())
    }

    /// The path of what is at `rest` below this folder.
    #[must_use]
    pub fn join(&self, rest: &ObjectPath) -> Self {
        Self(format!("{}/{}", self.0, rest.0))
    }

    /// The path as seen from `folder`; nothing when it is not below it.
    pub fn inside(&self, folder: &ObjectPath) -> Option<Self> {
        let rest = self.0.strip_prefix(&folder.0)?.strip_prefix('/')?;
        Some(Self(rest.to_owned()))
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last segment.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// Whether the object lies in `folder` or in a folder of it.
    pub fn is_below(&self, folder: &ObjectPath) -> bool {
        self.0.strip_prefix(&folder.0).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether a segment begins with a dot: files of operating systems and version control, never ours.
    pub fn is_hidden(&self) -> bool {
        self.0.split('/').any(|segment| segment.starts_with('.'))
    }
}

impl fmt::Display for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl TryFrom<String> for ObjectPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, PathError> {
        Self::new(text)
    }
}

impl From<ObjectPath> for String {
    fn from(path: ObjectPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_root() {
        for text in ["", "/etc/passwd", "a/../b", "a//b", "a/", ".", "a\\b", "a/\u{7}"] {
            assert!(ObjectPath::new(text).is_err(), "{text:?} passed");
        }
        assert_eq!(ObjectPath::new("users/part-00000.parquet").expect("allowed").file_name(), "part-00000.parquet");
    }

    #[test]
    fn a_folder_is_not_a_prefix_of_letters() {
        let path = |text: &str| ObjectPath::new(text).expect("allowed");
        assert!(path("users/a").is_below(&path("users")));
        assert!(!path("users2/a").is_below(&path("users")));
        assert!(!path("users").is_below(&path("users")));
    }
}
