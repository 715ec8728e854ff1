//! A cluster of real processes over real servers, whose parts may be killed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use shardmill_servers::process::Server;
use shardmill_servers::rabbitmq::{RabbitMq, RabbitMqSetup};
use shardmill_servers::redis::{Fsync, Redis};
use shardmill_servers::s3::S3;
use shardmill_shared::job::{
    Digest, Ending, JobId, JobState, Layout, Manifest, Name, PRIORITY_USUAL, Submission, Success, encode,
};
use shardmill_shared::ledger::{Ledger, RedisLedger, RedisOptions};
use shardmill_shared::queue::{RabbitMqOptions, RabbitMqQueue};
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::spec::{Report, Spec, document};
use shardmill_shared::store::{
    AddressStyle, Durability, FolderStore, JobRecords, Keys, RemoteOptions, RemoteStore, Secret, Store, Transport,
};
use shardmill_worker::take::in_hand;
use tempfile::TempDir;

use crate::engine::KNOWN;
use crate::sandbox::Meeting;

mod ask;
mod commands;
mod provider;

pub use commands::{Commands, executable, undisturbed};
pub use provider::Provider;

/// The tenant of all jobs: that of the API's first key.
pub const TENANT: &str = "default";
/// Looks at a condition that another process brings about.
const LOOK: Duration = Duration::from_millis(50);

/// The servers of a cluster.
pub struct Servers {
    /// The ledger's.
    pub redis: Redis,
    /// The queue's.
    pub rabbitmq: RabbitMq,
}

impl Servers {
    fn start() -> Self {
        Self { redis: Redis::start_with(Fsync::Always).unwrap(), rabbitmq: RabbitMq::start().unwrap() }
    }
}

/// A process, and how it was started.
struct Role {
    name: String,
    command: Command,
    server: Server,
}

/// Servers, a store, and the processes of the roles.
pub struct Cluster {
    servers: Option<Servers>,
    folder: TempDir,
    store: Arc<dyn Store>,
    settings: Vec<(&'static str, String)>,
    roles: Vec<Role>,
    started: usize,
    newest_log: PathBuf,
}

impl Cluster {
    /// Starts servers, and no role. The store is a folder.
    pub fn start() -> Self {
        Self { servers: Some(Servers::start()), ..Self::in_folder(TempDir::new().unwrap()) }
    }

    fn in_folder(folder: TempDir) -> Self {
        let root = folder.path().join("store");
        let store = FolderStore::at(&root).with_durability(Durability::Unsynced);
        let settings =
            vec![("SHARDMILL_STORE__URL", root.display().to_string()), ("SHARDMILL_STORE__FSYNC", "false".to_owned())];
        Self::with(folder, Arc::new(store), settings)
    }

    /// As [`Self::start`], with a RabbitMQ that is set up otherwise.
    pub fn start_impatient(setup: &RabbitMqSetup) -> Self {
        let redis = Redis::start_with(Fsync::Always).unwrap();
        let rabbitmq = RabbitMq::start_with(setup).unwrap();
        Self { servers: Some(Servers { redis, rabbitmq }), ..Self::in_folder(TempDir::new().unwrap()) }
    }

    /// No servers: for one process with every role on the local twins.
    pub fn alone() -> Self {
        Self { servers: None, ..Self::in_folder(TempDir::new().unwrap()) }
    }

    /// Starts servers, and no role. The store is a bucket of an S3 server.
    pub async fn start_on_s3(s3: &S3) -> Self {
        let bucket = s3.bucket("cluster").unwrap();
        let url = format!("s3://{bucket}/data");
        let options = RemoteOptions {
            endpoint: Some(s3.url()),
            style: AddressStyle::Path,
            transport: Transport::PlainAllowed,
            keys: Keys::Given { id: "test".to_owned(), secret: Secret::new("test".to_owned()), token: None },
            ..RemoteOptions::default()
        };
        let store = RemoteStore::open(&url, &options).await.unwrap();
        let settings = vec![
            ("SHARDMILL_STORE__URL", url),
            ("SHARDMILL_STORE__ENDPOINT", s3.url()),
            ("SHARDMILL_STORE__PATH_STYLE", "true".to_owned()),
            ("SHARDMILL_STORE__ALLOW_HTTP", "true".to_owned()),
            ("SHARDMILL_STORE__ACCESS_KEY_ID", "test".to_owned()),
            ("SHARDMILL_STORE__SECRET_ACCESS_KEY", "test".to_owned()),
        ];
        Self { servers: Some(Servers::start()), ..Self::with(TempDir::new().unwrap(), Arc::new(store), settings) }
    }

    fn with(folder: TempDir, store: Arc<dyn Store>, settings: Vec<(&'static str, String)>) -> Self {
        Self { servers: None, store, settings, folder, roles: Vec::new(), started: 0, newest_log: PathBuf::new() }
    }

    /// Starts a role as a process of its own; the name is for [`Self::kill`].
    pub fn role(&mut self, name: &str, arguments: &[&str]) {
        self.role_with(name, arguments, &[]);
    }

    /// As [`Self::role`], with settings that come before the cluster's own: the address of a proxy instead of a server's.
    pub fn role_with(&mut self, name: &str, arguments: &[&str], settings: &[(&str, String)]) {
        self.start_role(name, Command::new(executable()), arguments, settings);
    }

    /// As [`Self::role`], in a process that may not have more than `bytes` of memory.
    pub fn role_within(&mut self, bytes: u64, name: &str, arguments: &[&str]) {
        let mut command = Command::new("prlimit");
        command.arg(format!("--data={bytes}")).arg(executable());
        self.start_role(name, command, arguments, &[]);
    }

    fn start_role(&mut self, name: &str, command: Command, arguments: &[&str], settings: &[(&str, String)]) {
        let command = self.serve(command, arguments, settings);
        let server = self.start_process(name, &command);
        self.roles.push(Role { name: name.to_owned(), command, server });
    }

    fn serve(&self, mut command: Command, arguments: &[&str], settings: &[(&str, String)]) -> Command {
        command
            .current_dir(self.folder.path())
            .arg("serve")
            .args(arguments)
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .env("SHARDMILL_QUEUE__URL", self.servers.as_ref().map_or("memory".to_owned(), |own| own.rabbitmq.url()))
            .env("SHARDMILL_LEDGER__URL", self.servers.as_ref().map_or("memory".to_owned(), |own| own.redis.url()))
            .env("SHARDMILL_METRICS__LISTEN", "127.0.0.1:0")
            .env("SHARDMILL_API__LISTEN", "127.0.0.1:0")
            .envs(settings.iter().map(|(name, value)| (name, value)));
        command
    }

    fn start_process(&mut self, name: &str, command: &Command) -> Server {
        self.started += 1;
        let log = self.folder.path().join(format!("{name}-{}.log", self.started));
        let mut server = Server::start(command, &log).unwrap();
        self.newest_log.clone_from(&log);
        let is_up = || std::fs::read_to_string(&log).is_ok_and(|text| text.contains(" is up: "));
        server.wait_until(is_up).unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.logs()));
        server
    }

    /// Starts every role again that has ended by itself; how many.
    pub fn revive(&mut self) -> usize {
        let (mut alive, mut ended) = (Vec::new(), Vec::new());
        for mut role in std::mem::take(&mut self.roles) {
            if role.server.has_ended().unwrap() { ended.push(role) } else { alive.push(role) }
        }
        self.roles = alive;
        let revived = ended.len();
        for Role { name, command, .. } in ended {
            let server = self.start_process(&name, &command);
            self.roles.push(Role { name, command, server });
        }
        revived
    }

    /// Where the API listens that was started last.
    pub fn api(&self) -> String {
        self.address("API on ")
    }

    /// Where the role that was started last tells how it is.
    pub fn metrics(&self) -> String {
        self.address("metrics on ")
    }

    fn address(&self, after: &str) -> String {
        let log = std::fs::read_to_string(&self.newest_log).unwrap();
        let at = log.find(after).unwrap_or_else(|| panic!("the newest role has no {after}:\n{log}"));
        log[at + after.len()..].split([',', '\n']).next().unwrap().to_owned()
    }

    /// SIGTERM to the oldest role of that name, which goes on to its end.
    pub fn ask_to_end(&self, name: &str) {
        self.roles.iter().find(|role| role.name == name).unwrap().server.ask_to_end().unwrap();
    }

    /// The folder in which everything runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file where clients run.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// `kill -9` of the oldest role of that name.
    pub fn kill(&mut self, name: &str) {
        self.take_role(name).server.kill().unwrap();
    }

    /// SIGTERM to the oldest role of that name; waits for it to end, and answers its exit code.
    pub fn terminate(&mut self, name: &str) -> Option<i32> {
        self.take_role(name).server.terminate().unwrap().code()
    }

    fn take_role(&mut self, name: &str) -> Role {
        let at = self.roles.iter().position(|role| role.name == name).unwrap();
        self.roles.remove(at)
    }

    /// The folder of a store that is one.
    pub fn store_folder(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// The store of all tenants.
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The records of the tenant's jobs.
    pub fn records(&self) -> JobRecords {
        JobRecords::of(&self.store, &Name::new(TENANT).unwrap())
    }

    /// The servers, which may be killed and wiped.
    pub fn servers(&mut self) -> &mut Servers {
        self.servers.as_mut().unwrap()
    }

    /// The ledger, as a role sees it.
    pub async fn ledger(&self) -> RedisLedger {
        RedisLedger::connect(&self.servers.as_ref().unwrap().redis.url(), RedisOptions::default()).await.unwrap()
    }

    /// What roles in the test's own process meet in, with a connection of their own; at most so many shards at once.
    pub async fn meeting(&self, slots: usize) -> Meeting {
        let url = self.servers.as_ref().unwrap().rabbitmq.url();
        let options = RabbitMqOptions { slots: in_hand(slots), ..RabbitMqOptions::default() };
        let queue = Arc::new(RabbitMqQueue::connect(&url, options).await.unwrap());
        Meeting { store: self.store(), queue, ledger: Arc::new(self.ledger().await) }
    }

    /// Submits a spec.
    pub async fn submit(&self, id: &str, spec: &str) -> JobId {
        let report = Report::strict();
        let spec = document::parse(spec, &report).and_then(|tree| Spec::read(&tree, &KNOWN, &report)).unwrap();
        let submission = Submission {
            job: JobId::new(id).unwrap(),
            tenant: Name::new(TENANT).unwrap(),
            dataset: Name::new(&spec.name).unwrap(),
            spec: String::from_utf8(spec.canonical()).unwrap(),
            priority: PRIORITY_USUAL,
            submitted_ms: 1,
            by: "test".to_owned(),
            afterwards: Afterwards::default(),
            trace: None,
        };
        self.records().submit(&submission).await.unwrap();
        submission.job
    }

    /// Waits until `is_so`.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, seconds: u64, mut is_so: impl FnMut() -> F) {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(LOOK).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(seconds), waiting).await.is_err() {
            panic!("not within {seconds} s: {what}\n{}", self.logs());
        }
    }

    /// Waits until RabbitMQ, killed, would come back with a queue.
    pub async fn until_written_down(&self, queue: &str) {
        let rabbitmq = &self.servers.as_ref().unwrap().rabbitmq;
        let is_written = async || rabbitmq.has_written_down(queue).unwrap();
        self.until("RabbitMQ has written its queue down", 180, is_written).await;
    }

    /// Waits until so many shards of a job are done.
    pub async fn until_done(&self, job: &JobId, shards: u64) {
        let ledger = self.ledger().await;
        let done = async || match ledger.progress(job).await {
            Ok(progress) => progress.stages.iter().map(|stage| stage.shards_done).sum::<u64>() >= shards,
            Err(_) => false,
        };
        self.until(&format!("{shards} shards of {job} are done"), 180, done).await;
    }

    /// Waits for a job to succeed, and compares it with an undisturbed build of the same spec.
    pub async fn succeeds(&self, job: &JobId, spec: &str) {
        let ending = self.ended(job, 180).await;
        assert_eq!(ending.state, JobState::Succeeded, "{ending:?}\n{}", self.logs());
        assert_eq!(self.manifest(job).await, undisturbed(spec));
    }

    /// Waits for the end of a job.
    pub async fn ended(&self, job: &JobId, seconds: u64) -> Ending {
        let records = self.records();
        self.until(&format!("{job} ends"), seconds, || async { records.ending(job, 0).await.unwrap().is_some() }).await;
        records.ending(job, 0).await.unwrap().unwrap()
    }

    /// The version that a job makes.
    pub async fn version(&self, job: &JobId) -> u64 {
        match self.records().place(job).await.unwrap().unwrap().layout {
            Layout::Root { version, .. } => version,
            Layout::Folder => 0,
        }
    }

    /// The manifest of a job that succeeded.
    pub async fn manifest(&self, job: &JobId) -> Manifest {
        let place = self.records().place(job).await.unwrap().unwrap();
        let success: Success = place.read(&shardmill_shared::job::Key::Success).await.unwrap();
        let manifest: Manifest = place.read(&shardmill_shared::job::Key::Manifest).await.unwrap();
        assert_eq!(Digest::of(&encode(&manifest)), success.manifest);
        manifest
    }

    /// What every role said, oldest first, its last lines.
    pub fn logs(&self) -> String {
        let mut logs: Vec<PathBuf> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
            .collect();
        logs.sort();
        let tail = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            format!("== {}\n{}\n", path.display(), lines[lines.len().saturating_sub(15)..].join("\n"))
        };
        logs.iter().map(|path| tail(path)).collect()
    }
}
