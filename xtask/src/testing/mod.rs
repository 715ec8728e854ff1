//! `cargo xtask test`: prepare what tests need, run them all, stop what was started, say what was skipped.

mod fused;
mod tally;

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};

use crate::say;
use crate::services::{self, Prepared, Reach};
use crate::workspace::{self, Workspace};
use tally::Tally;

/// Runs every test of the workspace. The last line is the sum, whatever happened; the code says whether all is well.
///
/// The whole workspace is one feature set: testing crates one by one would build their dependencies once more each.
pub(crate) fn run(workspace: &Workspace, reach: Reach) -> Result<ExitCode> {
    let prepared = services::prepare(workspace, reach)?;
    let runner = Runner::choose(workspace);
    say::step(&format!("build ({runner:?})"));
    workspace::must(runner.build(workspace))?;
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let mut runs = vec![("tests", runner.tests(workspace)), ("doc tests", doc_tests(workspace))];
    let fused = match reach {
        Reach::CargoOnly => Err("--quick was asked for".to_owned()),
        Reach::Everything => fused::tests(workspace),
    };
    match fused {
        Ok(command) => runs.push(("values on a processor that fuses", command)),
        Err(reason) => say::line(&format!("SKIPPING values on a processor that fuses: {reason}")),
    }
    for (name, command) in runs {
        say::step(name);
        let (status, counted) = execute(command, &prepared)?;
        tally = tally + counted;
        if !status.success() {
            failures.push(format!("{name} ended with {status}"));
        }
    }
    for skipped in &prepared.skipped {
        say::line(&format!("SKIPPED everything named {}: {}", skipped.marker, skipped.reason));
    }
    // A runner that says nothing must not look like one whose tests pass.
    if tally.passed == 0 {
        failures.push("no test passed".to_owned());
    }
    for failure in &failures {
        say::problem(&format!("error: {failure}"));
    }
    say::line(&tally.to_string());
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Clone, Copy, Debug)]
enum Runner {
    Nextest,
    CargoTest,
}

impl Runner {
    fn choose(workspace: &Workspace) -> Self {
        if workspace.has_cargo_command("nextest") { Self::Nextest } else { Self::CargoTest }
    }

    fn build(self, workspace: &Workspace) -> Command {
        match self {
            Self::Nextest => workspace.cargo(&["nextest", "run", "--workspace", "--no-run"]),
            Self::CargoTest => workspace.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-run"]),
        }
    }

    fn tests(self, workspace: &Workspace) -> Command {
        match self {
            Self::Nextest => workspace.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]),
            Self::CargoTest => {
                workspace.cargo(&["test", "--workspace", "--lib", "--bins", "--tests", "--no-fail-fast"])
            }
        }
    }
}

/// nextest does not run them, so they are a run of their own.
fn doc_tests(workspace: &Workspace) -> Command {
    workspace.cargo(&["test", "--workspace", "--doc", "--no-fail-fast"])
}

/// Runs a test command, passes its output on and counts its tests on the way.
fn execute(mut command: Command, prepared: &Prepared) -> Result<(ExitStatus, Tally)> {
    command.arg("--");
    for skipped in &prepared.skipped {
        command.args(["--skip", skipped.marker]);
    }
    // Colour codes would sit between the counts and their words.
    command.env("CARGO_TERM_COLOR", "never").envs(prepared.environment());
    let shown = workspace::show(&command);
    let (reader, writer) = std::io::pipe()?;
    let mut child = command
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    // The command holds the writing ends; the reader would wait for them for ever.
    drop(command);
    let tally = copy_and_count(BufReader::new(reader))?;
    let status = child.wait()?;
    if status.code().is_none() {
        bail!("`{shown}` was ended by {status}");
    }
    Ok((status, tally))
}

fn copy_and_count(mut reader: impl BufRead) -> Result<Tally> {
    let mut output = std::io::stdout().lock();
    let mut tally = Tally::default();
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        output.write_all(&line)?;
        if let Some(counted) = Tally::read(&String::from_utf8_lossy(&line)) {
            tally = tally + counted;
        }
        line.clear();
    }
    Ok(tally)
}
