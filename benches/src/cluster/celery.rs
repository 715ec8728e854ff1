//! The peer: Celery on the same RabbitMQ and Redis, in the Python environment that `SHARDMILL_BENCH_CELERY` names.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use shardmill_servers::process::Server;

use super::house::{House, rate, until};

/// The tasks, which the worker imports.
const PEER: &str = include_str!("peer.py");
/// The variable with the interpreter of an environment that has Celery.
const PYTHON: &str = "SHARDMILL_BENCH_CELERY";
/// Where results go: not where the ledger is.
const RESULTS: u32 = 1;

/// Celery beside a cluster, on its servers.
pub(super) struct Celery<'a> {
    house: &'a House,
    python: String,
}

/// When tasks are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// While the worker runs, as shards are released.
    Meanwhile,
    /// All of them before the worker starts.
    Before,
}

impl<'a> Celery<'a> {
    /// The peer, if there is one here.
    pub(super) fn beside(house: &'a House) -> Result<Option<Self>> {
        let Some(python) = std::env::var(PYTHON).ok().filter(|python| !python.is_empty()) else { return Ok(None) };
        std::fs::write(house.folder.path().join("peer.py"), PEER)?;
        Ok(Some(Self { house, python }))
    }

    fn python(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.python);
        command
            .current_dir(self.house.folder.path())
            .args(arguments)
            .env("PEER_BROKER", self.house.rabbitmq.url())
            .env("PEER_RESULTS", format!("{}/{RESULTS}", self.house.redis.url()));
        command
    }

    fn work(&self) -> Result<Server> {
        let mut command =
            self.python(&["-m", "celery", "-A", "peer", "worker", "-P", "prefork", "-c", "2", "-l", "ERROR"]);
        command.args(["--without-gossip", "--without-mingle", "--without-heartbeat"]);
        Ok(Server::start(&command, &self.house.folder.path().join("celery.log"))?)
    }

    fn send(&self, tasks: u64) -> Result<std::process::Child> {
        Ok(self.python(&["peer.py", &tasks.to_string()]).spawn()?)
    }

    fn results(&self) -> Result<u64> {
        let count = format!("redis.call('SELECT', {RESULTS}) return redis.call('DBSIZE')");
        let answer = self.house.redis.command(&["EVAL", &count, "0"])?;
        answer.trim_start_matches(':').parse().with_context(|| format!("the peer's results: {answer}"))
    }

    fn forget_results(&self) -> Result<()> {
        let forget = format!("redis.call('SELECT', {RESULTS}) return redis.call('FLUSHDB')");
        self.house.redis.command(&["EVAL", &forget, "0"])?;
        Ok(())
    }

    /// Tasks per second, of which the first fifth is not counted.
    pub(super) async fn rate(&self, tasks: u64, sent: Sent) -> Result<f64> {
        self.forget_results()?;
        let worker = match sent {
            Sent::Meanwhile => {
                let worker = self.work()?;
                self.send(1)?.wait()?;
                until("Celery is up", async || Ok(self.results()? >= 1)).await?;
                Some(worker)
            }
            Sent::Before => None,
        };
        let mut sender = self.send(tasks)?;
        if sent == Sent::Before {
            ensure!(sender.wait()?.success(), "Celery's tasks were not sent");
        }
        let _worker = worker.map_or_else(|| self.work(), Ok)?;
        let rate = rate(tasks / 5, tasks, async || self.results()).await?;
        ensure!(sender.wait()?.success(), "Celery's tasks were not sent");
        Ok(rate)
    }
}
