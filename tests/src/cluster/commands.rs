//! Commands that a test runs to their end: those of clients, and a build in one process to compare with.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use shardmill_shared::job::Manifest;
use tempfile::TempDir;

use super::Cluster;

/// Commands of clients, with the first key.
#[derive(Clone, Debug)]
pub struct Commands {
    folder: PathBuf,
}

impl Commands {
    /// Commands that run in a folder with the first key.
    pub fn within(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Runs a command, and answers its exit code and what it printed.
    pub fn run(&self, api: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let key = self.folder.join("shardmill-admin.key");
        let mut command = Command::new(executable());
        command.args(arguments).args(["--api", api, "--key-file"]).arg(key);
        told(&command.current_dir(&self.folder).output().unwrap())
    }
}

impl Cluster {
    /// Runs a command of a client, and answers its exit code and what it printed.
    pub fn client(&self, api: &str, arguments: &[&str]) -> (Option<i32>, String) {
        self.commands().run(api, arguments)
    }

    /// Commands of clients, for threads of their own.
    pub fn commands(&self) -> Commands {
        Commands::within(self.folder.path())
    }

    /// Runs a command of a person with a home of its own and that input, and answers its exit code and what it printed.
    pub fn person(&self, arguments: &[&str], input: &str) -> (Option<i32>, String) {
        let mut command = Command::new(executable());
        command.args(arguments).current_dir(self.folder.path()).env("XDG_CONFIG_HOME", self.folder.path().join("home"));
        command.env_remove("SHARDMILL_API_URL").env_remove("SHARDMILL_API_KEY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may have ended before.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        told(&child.wait_with_output().unwrap())
    }

    /// Runs the doctor with the cluster's settings, and others over them.
    pub fn doctor(&self, settings: &[(&str, &str)]) -> (Option<i32>, String) {
        let servers = self.servers.as_ref().unwrap();
        let mut command = Command::new(executable());
        command
            .current_dir(self.folder.path())
            .arg("doctor")
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SHARDMILL_QUEUE__URL", servers.rabbitmq.url())
            .env("SHARDMILL_LEDGER__URL", servers.redis.url())
            .envs(settings.iter().copied());
        told(&command.output().unwrap())
    }

    /// Runs a role that is to end by itself before it is up, and answers its exit code and what it said.
    pub fn refuses(&self, arguments: &[&str], settings: &[(&str, String)]) -> (Option<i32>, String) {
        // One that starts all the same would run for ever.
        let mut command = Command::new("timeout");
        command.args(["--signal=KILL", "120"]).arg(executable());
        told(&self.serve(command, arguments, settings).output().unwrap())
    }
}

/// The exit code of a command, and what it printed.
fn told(ran: &Output) -> (Option<i32>, String) {
    (ran.status.code(), format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr)))
}

/// The manifest of an undisturbed build of a spec in one process.
pub fn undisturbed(spec: &str) -> Manifest {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("spec.yaml");
    std::fs::write(&file, spec).unwrap();
    let ran =
        Command::new(executable()).arg("run").arg(&file).arg("-o").arg(folder.path().join("out")).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let manifest = std::fs::read(folder.path().join("out/_shardmill/manifest.json")).unwrap();
    serde_json::from_slice(&manifest).unwrap()
}

/// The command under test, which is built beside the tests.
pub fn executable() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let folder = own.parent().and_then(Path::parent).unwrap();
    let executable = folder.join("shardmill");
    assert!(executable.exists(), "{} is not built: run the tests of the whole workspace", executable.display());
    executable
}
