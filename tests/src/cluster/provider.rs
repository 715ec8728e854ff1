//! A provider of models that costs nothing, as a process that roles ask.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use shardmill_servers::process::Server;

use super::{Cluster, executable};

/// A mock provider. Dropped, it ends.
pub struct Provider {
    address: String,
    _server: Server,
}

impl Cluster {
    /// Starts a mock provider with options of `shardmill mock-provider`, and configures it as `rehearsal` for all roles that are
    /// started from now on, with these lines below `[providers.rehearsal]`.
    pub fn provider(&self, options: &[&str], lines: &str) -> Provider {
        let provider = Provider::start(self.folder(), options);
        let address = &provider.address;
        let config = format!(
            "[providers.rehearsal]\nkind = \"openai_compatible\"\nbase_url = \"http://{address}/v1\"\napi_key_env = \"REHEARSAL_KEY\"\n{lines}\n\
             [prices.\"rehearsal/*\"]\ninput = \"1\"\noutput = \"5\"\n"
        );
        self.write("shardmill.toml", &config);
        provider
    }
}

impl Provider {
    fn start(folder: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(executable());
        command.current_dir(folder).args(["mock-provider", "--listen", "127.0.0.1:0", "--seed", "7"]).args(options);
        let log = folder.join("provider.log");
        let mut server = Server::start(&command, &log).unwrap();
        let address = || {
            let text = std::fs::read_to_string(&log).ok()?;
            let rest = text.split_once("http://")?.1;
            Some(rest.split_once([',', ' ', '\n'])?.0.to_owned())
        };
        server.wait_until(|| address().is_some()).unwrap();
        Self { address: address().unwrap(), _server: server }
    }

    /// What it would charge: `charged` calls, and their sum in `cost_nano_dollars`.
    pub fn bill(&self) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET /mock/bill HTTP/1.0\r\nhost: mock\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// How many calls it charged.
    pub fn charged(&self) -> u64 {
        self.bill()["charged"].as_u64().unwrap()
    }

    /// What it charged, in nano-dollars.
    pub fn nano_dollars(&self) -> u64 {
        self.bill()["cost_nano_dollars"].as_u64().unwrap()
    }
}
