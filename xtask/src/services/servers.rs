//! RabbitMQ and Redis: tests start private copies themselves, because they kill and wipe them; here they are installed.

use std::process::Command;

use anyhow::Result;

use super::{Service, Started};
use crate::workspace::{self, Workspace};

/// A server that tests start from its package.
pub(super) struct Server {
    name: &'static str,
    marker: &'static str,
    packages: &'static [&'static str],
    /// What must be there: one of the words of each command.
    asks: &'static [&'static [&'static str]],
}

/// The queue. The wrapper on the path changes users, so the package is asked for, not the command.
pub(super) const RABBITMQ: Server = Server {
    name: "RabbitMQ",
    marker: "needs_rabbitmq",
    packages: &["rabbitmq-server", "util-linux", "openssl"],
    asks: &[&["dpkg", "-L", "rabbitmq-server"], &["setpriv", "--version"], &["openssl", "version"]],
};

/// The ledger.
pub(super) const REDIS: Server = Server {
    name: "Redis",
    marker: "needs_redis",
    packages: &["redis-server", "util-linux", "openssl"],
    asks: &[
        &["redis-server", "--version"],
        &["redis-cli", "--version"],
        &["setpriv", "--version"],
        &["openssl", "version"],
    ],
};

impl Service for Server {
    fn name(&self) -> &'static str {
        self.name
    }

    fn marker(&self) -> &'static str {
        self.marker
    }

    fn packages(&self) -> &'static [&'static str] {
        self.packages
    }

    fn is_installed(&self) -> bool {
        self.asks.iter().all(|words| {
            let mut command = Command::new(words[0]);
            command.args(&words[1..]);
            workspace::answers(command)
        })
    }

    fn start(&self, _: &Workspace) -> Result<Started> {
        Ok(Started { environment: Vec::new() })
    }
}
