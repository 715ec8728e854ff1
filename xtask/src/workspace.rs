//! Where things are and who we are: the clone, the caches, the environment. The only file that reads the environment.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The clone this command works on, and where it may keep what is costly to make again.
pub(crate) struct Workspace {
    /// The folder of the root manifest.
    pub(crate) root: PathBuf,
    /// Survives between runs: `SHARDMILL_CACHE_DIR`, else the target folder.
    pub(crate) cache: PathBuf,
    /// Whether a machine, not a person, asked: then nothing may be skipped.
    pub(crate) asked_by: AskedBy,
}

/// Who waits for the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AskedBy {
    /// `CI=true`: what cannot be tested is a failure.
    Ci,
    /// Somebody at a terminal: what cannot be tested is skipped, and said.
    Person,
}

impl Workspace {
    /// The workspace of the running `cargo xtask`.
    ///
    /// The path is asked of cargo at run time: one baked in at compile time would be another clone's where several
    /// clones share a target folder.
    pub(crate) fn find() -> Result<Self> {
        let manifest = variable("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&manifest).parent().context("xtask has no folder above it")?.to_path_buf();
        let cache = variable("SHARDMILL_CACHE_DIR").map_or_else(|| target(&root), |folder| root.join(folder));
        let asked_by = if variable("CI").as_deref() == Some("true") { AskedBy::Ci } else { AskedBy::Person };
        Ok(Self { root, cache, asked_by })
    }

    /// A cargo command in the root folder, of the toolchain that runs us.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root).args(arguments);
        // What cargo tells us of our own package is not the package that it builds now: build scripts that look at it (ring's)
        // would run again, and all that stands on them be built again, whenever this and a plain cargo take turns.
        own_package().for_each(|name| {
            command.env_remove(name);
        });
        command
    }

    /// Whether `cargo name` exists here.
    pub(crate) fn has_cargo_command(&self, name: &str) -> bool {
        answers(self.cargo(&[name, "--version"]))
    }
}

/// The variables in which cargo tells a program about its own package.
fn own_package() -> impl Iterator<Item = OsString> {
    let is_own = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    };
    std::env::vars_os().map(|(name, _)| name).filter(is_own)
}

/// Where cargo builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    variable("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// Whether this process is root.
pub(crate) fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Whether `command` can be started and succeeds; its output is dropped.
pub(crate) fn answers(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// Runs `command` with our own output, and fails when it does.
pub(crate) fn must(mut command: Command) -> Result<()> {
    let shown = show(&command);
    let status = command.status().with_context(|| format!("cannot start `{shown}`"))?;
    ensure!(status.success(), "`{shown}` failed with {status}");
    Ok(())
}

/// The command as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[expect(clippy::disallowed_methods, reason = "this is the configuration of the tool")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
