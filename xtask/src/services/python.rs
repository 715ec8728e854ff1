//! A Python with the readers our files are proved by: pyarrow, DuckDB, pandas and polars, pinned by hash.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::{Service, Started};
use crate::say;
use crate::workspace::{self, Workspace};

const REQUIREMENTS: &str = "tests/readers/requirements.txt";
/// Written last: an environment without it is one whose making was interrupted.
const COMPLETE: &str = "complete";

pub(super) struct Python;

impl Service for Python {
    fn name(&self) -> &'static str {
        "Python readers"
    }

    fn marker(&self) -> &'static str {
        "needs_python"
    }

    fn packages(&self) -> &'static [&'static str] {
        &["python3", "python3-venv"]
    }

    fn is_installed(&self) -> bool {
        workspace::answers(python("python3", &["-c", "import venv, ensurepip"]))
    }

    fn start(&self, workspace: &Workspace) -> Result<Started> {
        let requirements = workspace.root.join(REQUIREMENTS);
        let folder = workspace.cache.join("readers").join(name_of(&requirements)?);
        let interpreter = folder.join("bin/python");
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        // Two test commands at once would build the same environment into each other.
        let lock = File::create(folder.with_extension("lock"))?;
        lock.lock()?;
        if !is_usable(&folder, &interpreter) {
            build(&folder, &requirements)?;
        }
        Ok(Started { environment: vec![("SHARDMILL_TEST_PYTHON", interpreter.into())] })
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
    say::line(&format!("    {} into {}", REQUIREMENTS, folder.display()));
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
