//! What can go wrong with a store, named by what the caller can do about it.

use std::io;

use crate::job::Scope;

/// Why an operation of a store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no such object.
    #[error("`{path}` does not exist")]
    NotFound {
        /// The object.
        path: String,
    },
    /// No space is left: make room and start again.
    #[error("no space left to write `{path}`: free some space and start again, what is finished is kept")]
    Full {
        /// The object.
        path: String,
    },
    /// This process may not do that.
    #[error("`{path}` may not be accessed: {reason}")]
    Permission {
        /// The object.
        path: String,
        /// What the store said.
        reason: String,
    },
    /// This store cannot be used as it is configured.
    #[error("`{path}` cannot be used: {reason}")]
    Refused {
        /// The store or the object.
        path: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Another process works in the folder.
    #[error("another process is working in `{path}`")]
    Locked {
        /// The folder.
        path: String,
    },
    /// It may work later.
    #[error("`{path}` cannot be accessed now: {reason}")]
    Transient {
        /// The object.
        path: String,
        /// What the store said.
        reason: String,
        /// When the store wants to be asked again, in milliseconds from now.
        retry_after_ms: Option<u64>,
    },
    /// It will not work, for another reason.
    #[error("`{path}` cannot be accessed: {reason}")]
    Permanent {
        /// The object.
        path: String,
        /// What the store said.
        reason: String,
    },
}

impl StoreError {
    /// The error for `path` that the file system gave.
    pub(super) fn from_io(path: impl ToString, error: &io::Error) -> Self {
        let (path, reason) = (path.to_string(), error.to_string());
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { path },
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { path },
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Permission { path, reason },
            io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::ResourceBusy => {
                Self::Transient { path, reason, retry_after_ms: None }
            }
            _ => Self::Permanent { path, reason },
        }
    }

    /// How far it reaches.
    pub fn scope(&self) -> Scope {
        match self {
            Self::Full { .. } | Self::Permission { .. } | Self::Refused { .. } | Self::Locked { .. } => Scope::Job,
            Self::Transient { .. } => Scope::Later,
            Self::NotFound { .. } | Self::Permanent { .. } => Scope::Shard,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_with_its_path() {
        // 28 is ENOSPC and 122 is EDQUOT.
        for code in [28, 122] {
            let error = StoreError::from_io("users/part-00000.csv", &io::Error::from_raw_os_error(code));
            assert_eq!(error, StoreError::Full { path: "users/part-00000.csv".to_owned() });
            assert_eq!(error.scope(), Scope::Job);
        }
    }

    #[test]
    fn what_may_pass_is_transient() {
        let error = StoreError::from_io("a", &io::Error::from(io::ErrorKind::TimedOut));
        assert!(matches!(error, StoreError::Transient { .. }));
        assert_eq!(error.scope(), Scope::Later);
    }
}
