//! One configured provider, ready to be asked.

use std::collections::HashSet;
use std::fmt;
use std::sync::Mutex;

use bytes::Bytes;
use shardmill_shared::job::{Digest, Name};
use shardmill_shared::process::Clock;

use crate::config::{Kind, ProviderConfig};
use crate::error::{CallError, ConfigError};
use crate::gate::Gate;
use crate::limits::REFUSED_SCHEMAS_MAX;
use crate::providers::{Failure, Observed, Question, Wire};
use crate::reply::Reply;
use crate::secret::ApiKey;
use crate::send::Sender;
use crate::structured::Schema;

/// A provider.
pub struct Provider {
    name: Name,
    config: ProviderConfig,
    wire: Box<dyn Wire>,
    sender: Sender,
    /// The variable whose key is missing.
    missing_key: Option<String>,
    pub(crate) gate: Gate,
    /// Models and the digests of schemas that they were refused with.
    refused: Mutex<HashSet<(String, Digest)>>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("name", &self.name).field("kind", &self.config.kind).finish_non_exhaustive()
    }
}

/// A call that was answered: what the headers say, and the answer.
pub(crate) struct Called {
    pub(crate) limits: Vec<Observed>,
    pub(crate) reply: Result<Reply, CallError>,
}

impl Provider {
    /// A provider; `variable` reads the environment, which only the process does.
    ///
    /// # Errors
    /// When the configuration cannot be used. A key that is missing shows when it is needed.
    pub fn new(
        name: Name,
        config: ProviderConfig,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let named = |error: ConfigError| ConfigError(format!("providers.{name}: {error}"));
        let wire = config.wire().map_err(named)?;
        let key_env = config.key_env().map(str::to_owned);
        let key = key_env.as_deref().and_then(variable).and_then(|text| ApiKey::new(&text));
        let missing_key = key_env.filter(|_| key.is_none());
        let sender = Sender::new(&config, &*wire, key).map_err(named)?;
        let gate = Gate::new(config.limits.concurrency);
        Ok(Self { name, config, wire, sender, missing_key, gate, refused: Mutex::default() })
    }

    /// Its name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it understands.
    pub fn kind(&self) -> Kind {
        self.config.kind
    }

    /// What the operator says of it.
    pub fn config(&self) -> &ProviderConfig {
        &self.config
    }

    /// The variable whose key is missing; nothing when there is a key, or none is needed.
    pub fn missing_key(&self) -> Option<&str> {
        self.missing_key.as_deref()
    }

    /// Calls in flight, and how many may be at once now.
    pub fn in_flight(&self) -> (u32, u32) {
        self.gate.state()
    }

    /// Whether a model shall be held to a schema by the provider: it can, and did not refuse this one.
    pub(crate) fn holds(&self, model: &str, schema: &Schema) -> bool {
        let refused = self.refused.lock().expect("nothing panics while it holds the set");
        self.wire.holds_schemas() && (refused.is_empty() || !refused.contains(&(model.to_owned(), schema.digest())))
    }

    /// Remembers that a model was refused with a schema.
    pub(crate) fn refuse(&self, model: &str, schema: &Schema) {
        let mut refused = self.refused.lock().expect("nothing panics while it holds the set");
        if refused.len() >= REFUSED_SCHEMAS_MAX {
            refused.clear();
        }
        refused.insert((model.to_owned(), schema.digest()));
    }

    /// The body of a question.
    ///
    /// # Errors
    /// When it cannot be said in its format, or there is no key to say it with.
    pub(crate) fn write(&self, question: &Question<'_>) -> Result<Bytes, CallError> {
        if let Some(variable) = &self.missing_key {
            return Err(CallError::Authentication(format!(
                "no key: set the environment variable {variable}, or name the one that has it in providers.{}.api_key_env",
                self.name
            )));
        }
        self.wire.write(question).map(Bytes::from)
    }

    /// Makes one call.
    pub(crate) async fn call(&self, model: &str, body: Bytes, clock: &dyn Clock) -> Called {
        let answered = match self.sender.post(&self.wire.path(model), body).await {
            Ok(answered) => answered,
            Err(error) => return Called { limits: Vec::new(), reply: Err(error) },
        };
        let now_ms = clock.unix_ms();
        let limits = self.wire.observe(&answered.headers, now_ms);
        let reply = match answered.status {
            200..=299 => self.wire.read(&answered.body),
            status => {
                Err(self.wire.classify(&Failure { status, headers: &answered.headers, body: &answered.body, now_ms }))
            }
        };
        Called { limits, reply }
    }
}
