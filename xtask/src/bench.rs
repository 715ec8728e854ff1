//! `cargo xtask bench engine` and `cargo xtask bench cluster`: build in release, then measure.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::services;
use crate::workspace::{Workspace, target};

/// Runs one suite of benchmarks; `arguments` go to it as they are (`--check`, or the names of groups).
pub(crate) fn run(workspace: &Workspace, suite: &str, arguments: &[&str]) -> Result<()> {
    let prepared = if suite == "cluster" { Some(services::prepare_benchmarks(workspace)?) } else { None };
    // The whole workspace with one feature set, as everywhere.
    let built = workspace.cargo(&["build", "--release", "--workspace", "--bins"]).status()?;
    ensure!(built.success(), "the release build failed");
    let mut bench = Command::new(target(&workspace.root).join("release/bench"));
    bench.current_dir(&workspace.root).arg(suite).args(arguments);
    bench.envs(prepared.iter().flat_map(services::Prepared::environment));
    ensure!(bench.status()?.success(), "a bar is missed, or the benchmark failed");
    Ok(())
}
