//! System packages: installed where that is ours to do, named in one line where it is not.

use std::fs;
use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::workspace::{self, AskedBy};

/// Debian asks this script before it starts a service; 101 means "forbidden".
const POLICY_PATH: &str = "/usr/sbin/policy-rc.d";
const POLICY: &str = "#!/bin/sh\n# shardmill: tests start private copies, packages start nothing\nexit 101\n";

/// Installs Debian packages as root, or in CI by `sudo`; elsewhere fails with the line to type.
pub(super) fn install(packages: &[&str], asked_by: AskedBy) -> Result<()> {
    let names = packages.join(" ");
    let is_root = workspace::is_root();
    if !is_root && asked_by == AskedBy::Person {
        bail!("not installed; `sudo apt-get install -y --no-install-recommends {names}` does it");
    }
    let _guard = if is_root { Some(NoServices::forbid()?) } else { None };
    workspace::must(apt_get(is_root, &["update", "-qq"]))?;
    workspace::must(apt_get(is_root, &[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat()))
}

fn apt_get(is_root: bool, arguments: &[&str]) -> Command {
    let words: &[&str] = if is_root { &["apt-get"] } else { &["sudo", "-n", "apt-get"] };
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While this lives, installing a package starts no service of it.
struct NoServices;

impl NoServices {
    /// A policy that somebody else has put there stays, and stays in force.
    fn forbid() -> Result<Option<Self>> {
        match fs::read_to_string(POLICY_PATH) {
            Ok(found) if found != POLICY => return Ok(None),
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot read {POLICY_PATH}"));
            }
            _ => {}
        }
        fs::write(POLICY_PATH, POLICY).with_context(|| format!("cannot write {POLICY_PATH}"))?;
        let mut executable = Command::new("chmod");
        executable.args(["755", POLICY_PATH]);
        workspace::must(executable)?;
        Ok(Some(Self))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        // What is left behind only keeps services from starting, and the next run takes it away.
        let _ = fs::remove_file(POLICY_PATH);
    }
}
