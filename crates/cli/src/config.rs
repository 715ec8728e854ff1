//! The configuration of the roles: defaults, then a file, then the environment, then flags. Secrets come from the file's
//! owner or the environment and are never printed: nothing here is `Debug`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use serde::{Deserialize, Serialize};
use shardmill_llm::config::ProviderConfig;
use shardmill_llm::price::{PriceConfig, Prices};
use shardmill_llm::prompts::{Prompts, read_folder};
use shardmill_llm::{Gateway, Parts, Route};
use shardmill_shared::job::{Name, NanoUsd, Pool};
use shardmill_shared::process::Clock;

/// The file that is read when none is named, if it is there.
const FILE: &str = "shardmill.toml";
/// What names of variables begin with: `SHARDMILL_QUEUE__URL` is `url` in `[queue]`.
const PREFIX: &str = "SHARDMILL_";

/// Everything that can be configured.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) store: StoreConfig,
    pub(crate) queue: QueueConfig,
    pub(crate) ledger: LedgerConfig,
    pub(crate) api: ApiConfig,
    pub(crate) worker: WorkerConfig,
    pub(crate) metrics: MetricsConfig,
    pub(crate) log: LogConfig,
    pub(crate) traces: TracesConfig,
    pub(crate) retention: RetentionConfig,
    /// By the names that schedules call them.
    pub(crate) webhooks: BTreeMap<Name, WebhookConfig>,
    /// Model accounts, by the names that specs call them.
    pub(crate) providers: BTreeMap<Name, ProviderConfig>,
    /// What models cost, over the prices that come with the program: by `PROVIDER/MODEL`, `PROVIDER/*` or `MODEL`.
    pub(crate) prices: BTreeMap<String, PriceConfig>,
    pub(crate) prompts: PromptsConfig,
    pub(crate) budgets: BudgetsConfig,
    pub(crate) create: CreateConfig,
}

/// Who writes specs.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct CreateConfig {
    /// The model that `shardmill create` asks, as PROVIDER/MODEL; without it specs come from templates.
    pub(crate) model: Option<Route>,
}

/// What jobs may spend.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct BudgetsConfig {
    /// What a job may spend on models that names no budget, in dollars; 0 refuses such jobs.
    pub(crate) default_job_usd: NanoUsd,
}

impl Default for BudgetsConfig {
    fn default() -> Self {
        Self { default_job_usd: NanoUsd::dollars(5) }
    }
}

/// The words with which models are asked.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct PromptsConfig {
    /// A folder of files `NAME.j2`, each in place of the prompt of that name.
    pub(crate) folder: Option<PathBuf>,
}

/// What is removed, and when.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RetentionConfig {
    /// How long the files of failed and cancelled jobs stay, in hours.
    pub(crate) failed_hours: u64,
}

/// Who is told what becomes of jobs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookConfig {
    pub(crate) url: String,
    /// The variable that has the secret.
    #[serde(default)]
    pub(crate) secret_env: Option<String>,
    /// The file that has the secret.
    #[serde(default)]
    pub(crate) secret_file: Option<String>,
    /// Who may use it; to others it does not exist.
    pub(crate) tenants: Vec<Name>,
}

/// The object store.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct StoreConfig {
    /// A folder, or `s3://bucket/folder`.
    pub(crate) url: String,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) path_style: bool,
    pub(crate) allow_http: bool,
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
    /// That nobody else writes, for a store without conditional create.
    pub(crate) single_writer: bool,
    /// Whether a folder waits for the disk at every file: without it a power failure may lose finished shards.
    pub(crate) fsync: bool,
}

/// RabbitMQ.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QueueConfig {
    /// The server's address, or `memory`: a local twin, for one process that has every role.
    pub(crate) url: String,
    /// What all names on the server begin with.
    pub(crate) prefix: String,
    /// A file of certificates to trust beside the machine's.
    pub(crate) ca_file: Option<String>,
}

/// Redis.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LedgerConfig {
    /// The server's address, or `memory`: a local twin, for one process that has every role.
    pub(crate) url: String,
    /// What all keys begin with.
    pub(crate) prefix: String,
    /// A file of certificates to trust instead of the machine's.
    pub(crate) ca_file: Option<String>,
}

/// The REST API.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ApiConfig {
    pub(crate) listen: String,
    /// A key with the role `admin` in the tenant `default`; without it one is made at the first start.
    pub(crate) first_admin_key: Option<String>,
    pub(crate) requests_per_minute: u32,
}

/// Workers.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WorkerConfig {
    pub(crate) pools: Vec<Pool>,
    /// Shards at a time in each pool; 0 is the number of processors.
    pub(crate) slots: usize,
    /// How long running shards may go on after the order to end, in seconds.
    pub(crate) grace_seconds: u64,
}

/// What programs ask every role.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct MetricsConfig {
    pub(crate) listen: String,
}

/// Logs.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogConfig {
    /// `text` or `json`.
    pub(crate) format: String,
    /// `error`, `warn`, `info`, `debug`, or a list like `info,lapin=error`.
    pub(crate) level: String,
}

/// Traces.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TracesConfig {
    /// The address of an OpenTelemetry collector that takes OTLP over HTTP. Without it `OTEL_EXPORTER_OTLP_ENDPOINT`
    /// decides.
    pub(crate) endpoint: Option<String>,
    /// The share of attempts whose traces are kept, from 0 to 1; those that fail are always kept.
    pub(crate) shard_ratio: f64,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: "shardmill-data".to_owned(),
            endpoint: None,
            region: None,
            path_style: false,
            allow_http: false,
            access_key_id: None,
            secret_access_key: None,
            single_writer: false,
            fsync: true,
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { url: MEMORY.to_owned(), prefix: "shardmill".to_owned(), ca_file: None }
    }
}

impl Default for LedgerConfig {
    fn default() -> Self {
        Self { url: MEMORY.to_owned(), prefix: "shardmill".to_owned(), ca_file: None }
    }
}

impl Default for ApiConfig {
    fn default() -> Self {
        let listen = "127.0.0.1:8080".to_owned();
        Self { listen, first_admin_key: None, requests_per_minute: 600 }
    }
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self { pools: vec![Pool::Generate, Pool::Llm], slots: 0, grace_seconds: 60 }
    }
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { failed_hours: 24 }
    }
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { listen: "127.0.0.1:9090".to_owned() }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: "text".to_owned(), level: "info,lapin=off,async_rs=off".to_owned() }
    }
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self { endpoint: None, shard_ratio: 0.01 }
    }
}

/// Whether the variables that all programs with OpenTelemetry share ask for traces.
#[expect(clippy::disallowed_methods, reason = "this is the configuration")]
pub(crate) fn is_traced_by_environment() -> bool {
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found.eq_ignore_ascii_case(value));
    let is_off = is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none");
    let endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    !is_off && endpoints.iter().any(|name| std::env::var(name).is_ok_and(|found| !found.is_empty()))
}

/// The address of a local twin.
pub(crate) const MEMORY: &str = "memory";

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// When a named file is not there, or a key is unknown or has a value that does not fit; the message names it.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self> {
        if let Some(file) = file {
            ensure!(file.exists(), "the configuration {} is not there", file.display());
        }
        let file = file.unwrap_or_else(|| Path::new(FILE));
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if file.exists() {
            figment = figment.merge(Toml::file_exact(file));
        }
        let figment = figment.merge(Env::prefixed(PREFIX).split("__").filter(|key| key.as_str().contains('.')));
        figment.extract().context("the configuration cannot be used")
    }

    /// The way to all providers.
    ///
    /// # Errors
    /// Everything that is wrong with providers, prices or prompts.
    pub(crate) fn gateway(&self, clock: Arc<dyn Clock>) -> Result<Gateway> {
        let (providers, prices, prompts) = (self.providers.clone(), Prices::new(&self.prices)?, self.prompts()?);
        let parts = Parts { providers, prices, prompts };
        #[expect(clippy::disallowed_methods, reason = "this is the configuration")]
        let variable = |name: &str| std::env::var(name).ok();
        Gateway::new(parts, clock, variable).context("the configuration cannot be used")
    }

    /// The prompts that come with the program, and those of the folder in place of them.
    ///
    /// # Errors
    /// When the folder cannot be read, or one of its prompts cannot be used.
    pub(crate) fn prompts(&self) -> Result<Prompts> {
        let own = self.prompts.folder.as_deref().map(read_folder).transpose().context("prompts.folder")?;
        Prompts::shipped().with(own.unwrap_or_default()).context("prompts.folder")
    }

    /// Shards at a time in each pool.
    pub(crate) fn slots(&self) -> usize {
        match self.worker.slots {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            slots => slots,
        }
    }
}

#[cfg(test)]
mod tests {
    use shardmill_shared::process::ManualClock;

    use super::*;

    #[test]
    fn the_example_of_the_manual_is_a_configuration() {
        let manual = include_str!("../../../docs/operate.md");
        let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
        let figment = Figment::from(Serialized::defaults(Config::default()));
        let config: Config = figment.merge(Toml::string(example.expect("has one"))).extract().expect("is right");
        let team = &config.webhooks[&Name::new("team").expect("allowed")];
        assert!(team.secret_file.is_some() && team.tenants.len() == 1 && config.retention.failed_hours == 24);
    }

    #[test]
    fn the_examples_of_the_manual_of_models_are_configurations() {
        let manual = include_str!("../../../docs/models.md");
        let examples: Vec<&str> =
            manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(examples.len() > 2, "{}", examples.len());
        for example in examples {
            let figment = Figment::from(Serialized::defaults(Config::default())).merge(Toml::string(example));
            let mut config: Config = figment.extract().expect("is right");
            config.prompts.folder = None;
            assert!(config.gateway(Arc::new(ManualClock::default())).is_ok(), "{example}");
        }
    }
}
