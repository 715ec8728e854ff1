//! A mock provider in a process of its own, and a folder in which builds ask it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const SHARDMILL: &str = env!("CARGO_BIN_EXE_shardmill");

/// A mock provider, and a folder with a spec and a configuration that names it.
pub(crate) struct Rehearsal {
    pub(crate) folder: TempDir,
    pub(crate) provider: Child,
    address: String,
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        // A provider that has ended by itself is no harm here.
        let _ = self.provider.kill();
        let _ = self.provider.wait();
    }
}

impl Rehearsal {
    /// Starts a provider with options, beside a spec.
    pub(crate) fn start(spec: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut provider = Command::new(SHARDMILL)
            .args(["mock-provider", "--listen", "127.0.0.1:0", "--seed", "7"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(provider.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).unwrap().split([',', ' ', '\n']).next().unwrap().to_owned();
        let config = format!(
            "[providers.rehearsal]\nkind = \"openai_compatible\"\nbase_url = \"http://{address}/v1\"\napi_key_env = \"REHEARSAL_KEY\"\n\n\
             [prices.\"rehearsal/*\"]\ninput = \"1\"\noutput = \"5\"\n"
        );
        std::fs::write(folder.path().join("shardmill.toml"), config).unwrap();
        std::fs::write(folder.path().join("reviews.yaml"), spec).unwrap();
        Self { folder, provider, address }
    }

    /// Writes another spec in place of the one there.
    pub(crate) fn write_spec(&self, spec: &str) {
        std::fs::write(self.folder.path().join("reviews.yaml"), spec).unwrap();
    }

    /// The command in the folder, with a key for the provider.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(SHARDMILL);
        command.current_dir(self.folder.path()).args(arguments).env("REHEARSAL_KEY", "any");
        command
    }

    /// Builds the spec into a folder.
    pub(crate) fn run(&self, folder: &str, more: &[&str]) -> Output {
        self.command(&[&["run", "reviews.yaml", "-o", folder], more].concat()).output().unwrap()
    }

    /// What the provider would charge: `charged` calls, and its sum in nano-dollars.
    pub(crate) fn bill(&self) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET /mock/bill HTTP/1.0\r\nhost: mock\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    /// Calls that were charged.
    pub(crate) fn charged(&self) -> u64 {
        self.bill()["charged"].as_u64().unwrap()
    }

    /// The rows of the table `reviews`, which are JSON Lines.
    pub(crate) fn rows(&self, folder: &str) -> Vec<Value> {
        let table = self.folder.path().join(folder).join("reviews");
        let mut parts: Vec<_> = std::fs::read_dir(table).unwrap().map(|entry| entry.unwrap().path()).collect();
        parts.sort();
        let text: String = parts.iter().map(|part| std::fs::read_to_string(part).unwrap()).collect();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rows that the manifest says were made, written and rejected.
    pub(crate) fn account(&self, folder: &str) -> (u64, u64, u64) {
        let manifest = self.folder.path().join(folder).join("_shardmill/manifest.json");
        let manifest: Value = serde_json::from_slice(&std::fs::read(manifest).unwrap()).unwrap();
        let tables = manifest["tables"].as_array().unwrap();
        let account = &tables.iter().find(|table| table["table"] == "reviews").unwrap()["account"];
        let of = |part: &str| account[part].as_u64().unwrap();
        (of("made"), of("written"), of("rejected"))
    }
}

/// What a command said beside its results.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
