//! `cargo xtask bench engine`: builds in release, then measures.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::workspace::{Workspace, target};

/// Runs the engine's benchmarks; `arguments` go to them as they are (`--check`, or the name of one group).
pub(crate) fn engine(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    // The whole workspace with one feature set, as everywhere.
    let built = workspace.cargo(&["build", "--release", "--workspace", "--bins"]).status()?;
    ensure!(built.success(), "the release build failed");
    let bench = target(&workspace.root).join("release/bench-engine");
    let ran = Command::new(bench).args(arguments).status()?;
    ensure!(ran.success(), "a bar is missed, or the benchmark failed");
    Ok(())
}
