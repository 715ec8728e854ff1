//! `cargo xtask check`: everything that can be said about the code without running it. All steps run, then all that
//! failed are named.

mod expression;
mod licences;
mod policy;

use std::process::Command;

use anyhow::{Result, bail};

use crate::say;
use crate::workspace::{self, Workspace};

/// Format, lints, documentation, licences, house rules, and spelling where the tool for it is installed.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut document = workspace.cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    document.env("RUSTDOCFLAGS", "-D warnings");
    let steps = [
        ("format", workspace.cargo(&["fmt", "--all", "--check"])),
        ("lints", workspace.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])),
        ("documentation", document),
        ("house rules", workspace.cargo(&["test", "--workspace", "--test", "tidy", "--quiet"])),
    ];
    let mut failed = Vec::new();
    for (name, command) in steps {
        say::step(name);
        note(name, workspace::must(command), &mut failed);
    }
    say::step("licences");
    note("licences", check_licences(workspace), &mut failed);
    say::step("spelling");
    note("spelling", check_spelling(workspace), &mut failed);
    if !failed.is_empty() {
        bail!("not clean: {}", failed.join(", "));
    }
    say::line("clean");
    Ok(())
}

fn note(name: &'static str, outcome: Result<()>, failed: &mut Vec<&'static str>) {
    if let Err(error) = outcome {
        say::problem(&format!("{name}: {error:#}"));
        failed.push(name);
    }
}

fn check_licences(workspace: &Workspace) -> Result<()> {
    if workspace.has_cargo_command("deny") {
        return workspace::must(workspace.cargo(&["deny", "--all-features", "check", "licenses", "bans", "sources"]));
    }
    say::line("    cargo-deny is not installed (`cargo install cargo-deny --locked`): own check of deny.toml's");
    say::line("    licences, bans and sources instead");
    licences::check(workspace)
}

fn check_spelling(workspace: &Workspace) -> Result<()> {
    let mut command = Command::new("typos");
    command.current_dir(&workspace.root);
    let mut version = Command::new("typos");
    version.arg("--version");
    if !workspace::answers(version) {
        say::line("    SKIPPED: typos is not installed (`cargo install typos-cli --locked`)");
        return Ok(());
    }
    workspace::must(command)
}
