//! Pythons with what tests need, pinned by hash: the readers our files are proved by (pyarrow, DuckDB, pandas and polars), the
//! clients that our mock provider is proved by, the S3 server our store is proved by, and the peer that the cluster is
//! measured against.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Service, Started};
use crate::say;
use crate::workspace::{self, Workspace};

/// Written last: an environment without it is one whose making was interrupted.
const COMPLETE: &str = "complete";

/// A Python environment of its own.
pub(super) struct Python {
    name: &'static str,
    marker: &'static str,
    requirements: &'static str,
    /// The folder in the cache.
    folder: &'static str,
    /// Where the tests find it.
    variable: &'static str,
}

/// What reads our files.
pub(super) const READERS: Python = Python {
    name: "Python readers",
    marker: "needs_python",
    requirements: "tests/readers/requirements.txt",
    folder: "readers",
    variable: "SHARDMILL_TEST_PYTHON",
};

/// What talks to the mock provider.
pub(super) const SDKS: Python = Python {
    name: "Python clients of model providers",
    marker: "needs_python_sdks",
    requirements: "tests/sdks/requirements.txt",
    folder: "sdks",
    variable: "SHARDMILL_TEST_SDK_PYTHON",
};

/// The S3 server.
pub(super) const S3: Python = Python {
    name: "an S3 server",
    marker: "needs_s3",
    requirements: "tests/servers/requirements.txt",
    folder: "s3",
    variable: "SHARDMILL_TEST_S3_PYTHON",
};

/// What the cluster is measured against.
pub(super) const PEER: Python = Python {
    name: "Celery",
    marker: "needs_celery",
    requirements: "benches/src/cluster/celery.txt",
    folder: "celery",
    variable: "SHARDMILL_BENCH_CELERY",
};

impl Service for Python {
    fn name(&self) -> &'static str {
        self.name
    }

    fn marker(&self) -> &'static str {
        self.marker
    }

    fn packages(&self) -> &'static [&'static str] {
        &["python3", "python3-venv"]
    }

    fn is_installed(&self) -> bool {
        workspace::answers(python("python3", &["-c", "import venv, ensurepip"]))
    }

    fn start(&self, workspace: &Workspace) -> Result<Started> {
        let requirements = workspace.root.join(self.requirements);
        let folder = workspace.cache.join(self.folder).join(name_of(&requirements)?);
        let interpreter = folder.join("bin/python");
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        // Two test commands at once would build the same environment into each other.
        let lock = File::create(folder.with_extension("lock"))?;
        lock.lock()?;
        if !is_usable(&folder, &interpreter) {
            say::line(&format!("    {} into {}", self.requirements, folder.display()));
            build(&folder, &requirements)?;
        }
        Ok(Started { environment: vec![(self.variable, interpreter.into())] })
    }
}

/// A name that changes whenever an environment could: with the requirements and with the Python that reads them.
fn name_of(requirements: &Path) -> Result<PathBuf> {
    let pinned = fs::read(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let version = python("python3", &["-VV"]).output()?.stdout;
    let digest = blake3::Hasher::new().update(&pinned).update(&version).finalize().to_hex();
    Ok(PathBuf::from(&digest[..16]))
}

fn is_usable(folder: &Path, interpreter: &Path) -> bool {
    // The interpreter below an environment can go away with an upgrade of the system.
    folder.join(COMPLETE).exists() && workspace::answers(python(interpreter, &["-c", "import pip"]))
}

fn build(folder: &Path, requirements: &Path) -> Result<()> {
    workspace::must(python_in("python3", &["-m", "venv", "--clear"], folder))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"];
    workspace::must(python_in(folder.join("bin/python"), &install, requirements))?;
    fs::write(folder.join(COMPLETE), "").context("cannot mark the Python environment as complete")
}

fn python(program: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(arguments);
    command
}

fn python_in(program: impl AsRef<Path>, arguments: &[&str], last: &Path) -> Command {
    let mut command = python(program, arguments);
    command.arg(last);
    command
}
