//! Why a dataset could not be verified at all.

use std::io;
use std::path::{Path, PathBuf};

use shardmill_engine::EngineError;

/// A dataset that cannot be judged. One that can be, and is wrong, has a report instead.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The folder holds no finished dataset.
    #[error("`{}` is no finished dataset: it has no `{missing}`", dir.display())]
    NotFinished {
        /// The folder.
        dir: PathBuf,
        /// The file that every finished dataset has.
        missing: &'static str,
    },
    /// A file could not be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the dataset's records is not what belongs there.
    #[error("`{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where reading stopped.
        reason: String,
    },
    /// The spec is not one of this build.
    #[error("the spec of the dataset is refused: {}", problems.join("; "))]
    Spec {
        /// All that is wrong with it.
        problems: Vec<String>,
    },
    /// The engine could not make the rows to compare with.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl VerifyError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_path_buf(), source }
    }

    pub(super) fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.to_path_buf(), reason: reason.to_string() }
    }
}
