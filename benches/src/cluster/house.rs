//! A cluster on this machine: private RabbitMQ and Redis, a folder as the store, and the roles as processes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use shardmill_engine::ENGINES;
use shardmill_servers::process::Server;
use shardmill_servers::rabbitmq::RabbitMq;
use shardmill_servers::redis::Redis;
use shardmill_shared::job::{Ending, JobId, JobState, Name, PRIORITY_USUAL, Submission};
use shardmill_shared::ledger::{Ledger, LedgerError, RedisLedger, RedisOptions, RunState};
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec, document};
use shardmill_shared::store::{FolderStore, JobRecords, Store};
use tempfile::TempDir;

/// The tenant of all jobs.
const TENANT: &str = "bench";
/// Between two looks at a condition that another process brings about: short against what is measured, long against what
/// a look costs.
const LOOK: Duration = Duration::from_millis(20);
/// What takes longer than this has gone wrong.
const PATIENCE: Duration = Duration::from_secs(240);

/// A file system without a disk, where nobody waits for one: to remove hundreds of thousands of files takes minutes on some.
const MEMORY: &str = "/dev/shm";

/// What a measured spec may say.
pub(super) const KNOWN: Known<'static> =
    Known { kinds: &["tables"], formats: &["parquet", "csv"], compressions: &["zstd", "none"], engines: ENGINES };

/// Servers and roles. Dropped, they are killed and what they wrote is gone.
pub(super) struct House {
    roles: Vec<(String, Server)>,
    pub(super) rabbitmq: RabbitMq,
    pub(super) redis: Redis,
    pub(super) folder: TempDir,
    pub(super) ledger: RedisLedger,
    settings: Vec<(&'static str, String)>,
    records: JobRecords,
}

/// Whether the store waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fsync {
    /// It does, as is the default of `serve`.
    Waits,
    /// It does not.
    Never,
}

impl House {
    /// Starts the servers, and no role. The store is a folder.
    pub(super) async fn start(fsync: Fsync) -> Result<Self> {
        let folder = match fsync {
            Fsync::Never if Path::new(MEMORY).is_dir() => TempDir::new_in(MEMORY)?,
            _ => TempDir::new()?,
        };
        let root = folder.path().join("store");
        let settings = vec![
            ("SHARDMILL_STORE__URL", root.display().to_string()),
            ("SHARDMILL_STORE__FSYNC", (fsync == Fsync::Waits).to_string()),
        ];
        Self::start_on(Arc::new(FolderStore::at(root)), settings, folder).await
    }

    /// Starts the servers, and no role. `settings` are what roles need to find `store`.
    pub(super) async fn start_on(
        store: Arc<dyn Store>,
        settings: Vec<(&'static str, String)>,
        folder: TempDir,
    ) -> Result<Self> {
        let (redis, rabbitmq) = (Redis::start()?, RabbitMq::start()?);
        let ledger = RedisLedger::connect(&redis.url(), RedisOptions::default()).await?;
        let records = JobRecords::of(&store, &Name::new(TENANT)?);
        Ok(Self { roles: Vec::new(), rabbitmq, redis, folder, ledger, settings, records })
    }

    /// Starts a role.
    pub(super) fn role(&mut self, name: &str, arguments: &[&str]) -> Result<()> {
        self.role_under(&[], name, arguments)
    }

    /// Starts a role by another command, like `taskset -c 0`.
    pub(super) fn role_under(&mut self, words: &[&str], name: &str, arguments: &[&str]) -> Result<()> {
        let log = self.folder.path().join(format!("{name}.log"));
        let executable = executable()?;
        let mut command = match words {
            [] => Command::new(executable),
            [word, rest @ ..] => {
                let mut command = Command::new(word);
                command.args(rest).arg(executable);
                command
            }
        };
        command
            .current_dir(self.folder.path())
            .arg("serve")
            .args(arguments)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SHARDMILL_QUEUE__URL", self.rabbitmq.url())
            .env("SHARDMILL_LEDGER__URL", self.redis.url())
            .env("SHARDMILL_METRICS__LISTEN", "127.0.0.1:0")
            .env("SHARDMILL_API__LISTEN", "127.0.0.1:0");
        // A role of that name may have been there before.
        let _ = std::fs::remove_file(&log);
        let mut server = Server::start(&command, &log)?;
        let is_up = || std::fs::read_to_string(&log).is_ok_and(|text| text.contains(" is up: "));
        server.wait_until(is_up).with_context(|| read_or_nothing(&log))?;
        self.roles.push((name.to_owned(), server));
        Ok(())
    }

    /// The address of the API that was started as `name`.
    pub(super) fn api(&self, name: &str) -> Result<String> {
        let log = read_or_nothing(&self.folder.path().join(format!("{name}.log")));
        let (_, after) = log.split_once("API on ").context("the role has no API")?;
        Ok(after.split([',', '\n']).next().unwrap_or_default().to_owned())
    }

    /// The process of a role.
    pub(super) fn process(&self, name: &str) -> Result<&Server> {
        let found = self.roles.iter().find(|(known, _)| known == name);
        found.map(|(_, server)| server).with_context(|| format!("no role is called {name}"))
    }

    /// SIGTERM to a role; waits for its end.
    pub(super) fn terminate(&mut self, name: &str) -> Result<()> {
        self.take(name)?.terminate()?;
        Ok(())
    }

    /// `kill -9` of a role.
    pub(super) fn kill(&mut self, name: &str) -> Result<()> {
        Ok(self.take(name)?.kill()?)
    }

    fn take(&mut self, name: &str) -> Result<Server> {
        let at = self.roles.iter().position(|(known, _)| known == name);
        Ok(self.roles.remove(at.with_context(|| format!("no role is called {name}"))?).1)
    }

    /// The command as a client: its output, when it succeeds.
    pub(super) fn client(&self, api: &str, arguments: &[&str]) -> Result<String> {
        let key = self.folder.path().join("shardmill-admin.key");
        let mut command = Command::new(executable()?);
        command.current_dir(self.folder.path()).args(arguments).args(["--api", api, "--key-file"]).arg(key);
        let ran = command.output()?;
        ensure!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        Ok(String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    /// Submits a spec under an id of its own, as the API does.
    pub(super) async fn submit(&self, id: &str, spec: &str) -> Result<JobId> {
        let report = Report::strict();
        let Some(spec) = document::parse(spec, &report).and_then(|tree| Spec::read(&tree, &KNOWN, &report)) else {
            bail!("{:?}", report.into_problems());
        };
        let submission = Submission {
            job: JobId::new(id)?,
            tenant: Name::new(TENANT)?,
            dataset: Name::new(&spec.name)?,
            spec: String::from_utf8(spec.canonical())?,
            priority: PRIORITY_USUAL,
            submitted_ms: 1,
            by: "bench".to_owned(),
            afterwards: Afterwards::default(),
            trace: None,
        };
        self.records.submit(&submission).await?;
        self.ledger.set_run_state(&submission.job, RunState::Running).await?;
        Ok(submission.job)
    }

    /// How many shards of a job are done, how many there are, and the rows that were made; nothing before it is planned.
    pub(super) async fn progress(&self, job: &JobId) -> Result<(u64, u64, u64)> {
        match self.ledger.progress(job).await {
            Ok(progress) => {
                let stages = progress.stages.iter();
                Ok(stages.fold((0, 0, 0), |(done, total, rows), stage| {
                    (done + stage.shards_done, total + stage.shards_total.unwrap_or(0), rows + stage.made.rows)
                }))
            }
            // Unplanned, or over and forgotten.
            Err(LedgerError::Unknown(_)) if self.ending(job).await?.is_none() => Ok((0, 0, 0)),
            Err(LedgerError::Unknown(_)) => Ok((u64::MAX, 0, 0)),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for so many shards of a job to be done.
    pub(super) async fn until_done(&self, job: &JobId, shards: u64) -> Result<()> {
        until(&format!("{shards} shards of {job} are done"), async || Ok(self.progress(job).await?.0 >= shards)).await
    }

    /// Waits for the job to succeed.
    pub(super) async fn until_succeeded(&self, job: &JobId) -> Result<()> {
        until(&format!("{job} ends"), async || Ok(self.ending(job).await?.is_some())).await?;
        let ending = self.ending(job).await?.context("the ending was there")?;
        ensure!(ending.state == JobState::Succeeded, "{job} ended as {:?}: {:?}", ending.state, ending.message);
        Ok(())
    }

    async fn ending(&self, job: &JobId) -> Result<Option<Ending>> {
        Ok(self.records.ending(job, 0).await?)
    }

    /// Shards of a job per second, from the moment that `from` of them are done until all `shards` are.
    pub(super) async fn rate(&self, job: &JobId, from: u64, shards: u64) -> Result<f64> {
        rate(from, shards, async || Ok(self.progress(job).await?.0)).await
    }
}

/// Things per second, from the moment that `count` has reached `from` until it has reached `to`.
pub(super) async fn rate(from: u64, to: u64, mut count: impl AsyncFnMut() -> Result<u64>) -> Result<f64> {
    let mut first = 0;
    until("the first ones are done", async || {
        first = count().await?;
        Ok(first >= from)
    })
    .await?;
    let start = Instant::now();
    until("all are done", async || Ok(count().await? >= to)).await?;
    Ok((to - first) as f64 / start.elapsed().as_secs_f64())
}

/// Waits until `is_so`.
pub(super) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while !is_so().await? {
        ensure!(start.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// The command that is measured, built beside this program.
pub(super) fn executable() -> Result<PathBuf> {
    let executable = std::env::current_exe()?.with_file_name("shardmill");
    ensure!(executable.exists(), "{} is not there; build the workspace in release", executable.display());
    Ok(executable)
}

fn read_or_nothing(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
