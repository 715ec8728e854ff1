//! What operators say of providers, and what is wrong with it. Pure.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::Url;
use serde::{Deserialize, Serialize};
use shardmill_shared::job::Name;

use crate::error::ConfigError;
use crate::limits::{CALL_SECONDS, CALL_SECONDS_MAX, IN_FLIGHT_MAX};
use crate::near::near;
use crate::providers::{Anthropic, Bedrock, Chat, Dialect, Responses, Wire};

/// What a provider understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Anthropic's Messages.
    #[serde(rename = "anthropic")]
    Anthropic,
    /// OpenAI's Responses.
    #[serde(rename = "openai")]
    OpenAi,
    /// OpenAI's Chat Completions.
    #[serde(rename = "openai_chat")]
    OpenAiChat,
    /// Chat Completions of any other server: vLLM, Ollama, llama.cpp.
    #[serde(rename = "openai_compatible")]
    OpenAiCompatible,
    /// Chat Completions of Azure; models are deployments.
    #[serde(rename = "azure_openai")]
    AzureOpenAi,
    /// Converse of Amazon Bedrock.
    #[serde(rename = "bedrock")]
    Bedrock,
}

impl Kind {
    /// As the configuration says it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::OpenAiChat => "openai_chat",
            Self::OpenAiCompatible => "openai_compatible",
            Self::AzureOpenAi => "azure_openai",
            Self::Bedrock => "bedrock",
        }
    }

    /// Under what its prices are kept; nothing where only the operator knows them.
    pub(crate) fn price_family(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("anthropic"),
            Self::OpenAi | Self::OpenAiChat | Self::AzureOpenAi => Some("openai"),
            Self::Bedrock => Some("bedrock"),
            Self::OpenAiCompatible => None,
        }
    }

    /// The variable that has the key where the configuration names none.
    fn usual_key_env(self) -> Option<&'static str> {
        match self {
            Self::Anthropic => Some("ANTHROPIC_API_KEY"),
            Self::OpenAi | Self::OpenAiChat => Some("OPENAI_API_KEY"),
            Self::AzureOpenAi => Some("AZURE_OPENAI_API_KEY"),
            Self::OpenAiCompatible | Self::Bedrock => None,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A configured model account: `[providers.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What it understands.
    pub kind: Kind,
    /// Where it is; `anthropic`, `openai`, `openai_chat` and `bedrock` have one of their own.
    #[serde(default)]
    pub base_url: Option<String>,
    /// The environment variable that has the key; most kinds have a usual one.
    #[serde(default)]
    pub api_key_env: Option<String>,
    /// The models that may be asked; all of them when none is named.
    #[serde(default)]
    pub models: Vec<String>,
    /// What the account allows.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Who may use it; to others it does not exist.
    #[serde(default = "default_tenants")]
    pub tenants: Vec<Name>,
    /// How long one call may take, in seconds.
    #[serde(default = "default_timeout")]
    pub timeout_s: u64,
    /// The AWS region, for `bedrock`.
    #[serde(default)]
    pub region: Option<String>,
    /// The version of the API, for `azure_openai`.
    #[serde(default)]
    pub api_version: Option<String>,
}

/// What an account allows; what is not said is unknown, and found out by what the provider answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Calls in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// Tokens of prompts in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_tokens_per_minute: Option<u64>,
    /// Tokens of answers in a minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_tokens_per_minute: Option<u64>,
    /// Tokens of both in a minute, for providers that count them together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Calls in flight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u64>,
}

fn default_tenants() -> Vec<Name> {
    vec![Name::new("default").expect("letters are allowed in names")]
}

fn default_timeout() -> u64 {
    CALL_SECONDS
}

impl ProviderConfig {
    /// A provider of some kind at some address, with the usual rest.
    pub fn at(kind: Kind, base_url: &str) -> Self {
        Self {
            kind,
            base_url: Some(base_url.to_owned()),
            api_key_env: None,
            models: Vec::new(),
            limits: LimitsConfig::default(),
            tenants: default_tenants(),
            timeout_s: CALL_SECONDS,
            region: None,
            api_version: None,
        }
    }

    /// The variable that has the key; nothing where none is needed.
    pub fn key_env(&self) -> Option<&str> {
        self.api_key_env.as_deref().or_else(|| self.kind.usual_key_env())
    }

    /// Whether a tenant may use it.
    pub fn serves(&self, tenant: &Name) -> bool {
        self.tenants.contains(tenant)
    }

    /// Where it is.
    ///
    /// # Errors
    /// When there is no address, or it is none.
    pub fn url(&self) -> Result<Url, ConfigError> {
        let text = match (&self.base_url, self.kind) {
            (Some(url), _) => url.clone(),
            (None, Kind::Anthropic) => "https://api.anthropic.com".to_owned(),
            (None, Kind::OpenAi | Kind::OpenAiChat) => "https://api.openai.com/v1".to_owned(),
            (None, Kind::Bedrock) => {
                format!("https://bedrock-runtime.{}.amazonaws.com", self.region.as_deref().unwrap_or_default())
            }
            (None, Kind::OpenAiCompatible) => return missing("base_url", "http://localhost:8000/v1"),
            (None, Kind::AzureOpenAi) => return missing("base_url", "https://NAME.openai.azure.com"),
        };
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url =
            url.ok_or_else(|| ConfigError("base_url is no address; write it like https://host/path".to_owned()))?;
        let is_bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
        // The text is not repeated: it may have a secret in it.
        is_bare.then_some(url).ok_or_else(|| {
            ConfigError(
                "base_url has a user, a password or a query; keys belong into the variable of api_key_env".to_owned(),
            )
        })
    }

    /// How it is spoken to.
    ///
    /// # Errors
    /// When something that its kind needs is not said.
    pub fn wire(&self) -> Result<Box<dyn Wire>, ConfigError> {
        Ok(match self.kind {
            Kind::Anthropic => Box::new(Anthropic),
            Kind::OpenAi => Box::new(Responses),
            Kind::OpenAiChat => Box::new(Chat { dialect: Dialect::OpenAi }),
            Kind::OpenAiCompatible => Box::new(Chat { dialect: Dialect::Compatible }),
            Kind::AzureOpenAi => match self.api_version.clone() {
                Some(api_version) => Box::new(Chat { dialect: Dialect::Azure { api_version } }),
                None => return missing("api_version", "2025-04-01-preview"),
            },
            Kind::Bedrock => match self.region {
                Some(_) => Box::new(Bedrock),
                None => return missing("region", "us-east-1"),
            },
        })
    }

    /// Whether a model may be asked.
    ///
    /// # Errors
    /// When it is not in the list; the message names the nearest that are.
    pub fn allows(&self, model: &str) -> Result<(), ConfigError> {
        if self.models.is_empty() || self.models.iter().any(|allowed| allowed == model) {
            return Ok(());
        }
        let near = near(model, self.models.iter().map(String::as_str));
        let near = if near.is_empty() { self.models.join(", ") } else { near.join(", ") };
        Err(ConfigError(format!("the model `{model}` is not among its models; it has {near}")))
    }

    /// Everything that is wrong with it; nothing when it can be used.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = Vec::new();
        problems.extend(self.url().err().map(|error| error.0));
        problems.extend(self.wire().err().map(|error| error.0));
        if self.timeout_s == 0 || self.timeout_s > CALL_SECONDS_MAX {
            problems.push(format!("timeout_s is {}, expected 1 to {CALL_SECONDS_MAX}", self.timeout_s));
        }
        let limits = &self.limits;
        let named = [
            ("requests_per_minute", limits.requests_per_minute),
            ("input_tokens_per_minute", limits.input_tokens_per_minute),
            ("output_tokens_per_minute", limits.output_tokens_per_minute),
            ("tokens_per_minute", limits.tokens_per_minute),
            ("concurrency", limits.concurrency),
        ];
        let zeros = named.iter().filter(|(_, limit)| *limit == Some(0));
        problems
            .extend(zeros.map(|(name, _)| format!("limits.{name} is 0, expected at least 1; leave it out if unknown")));
        if limits.concurrency.is_some_and(|most| most > u64::from(IN_FLIGHT_MAX)) {
            problems.push(format!("limits.concurrency is above {IN_FLIGHT_MAX}, which is the most of one process"));
        }
        problems
    }
}

fn missing<T>(key: &str, example: &str) -> Result<T, ConfigError> {
    Err(ConfigError(format!("{key} is missing; write one like {key} = \"{example}\"")))
}

/// Everything that is wrong with a map of providers, each problem after the name of the provider.
///
/// # Errors
/// All of it, in one text.
pub fn check(providers: &BTreeMap<Name, ProviderConfig>) -> Result<(), ConfigError> {
    let problems = providers.iter().flat_map(|(name, provider)| {
        provider.problems().into_iter().map(move |problem| format!("providers.{name}: {problem}"))
    });
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems.join("; "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(json: serde_json::Value) -> ProviderConfig {
        serde_json::from_value(json).expect("reads")
    }

    #[test]
    fn a_kind_is_enough_where_the_rest_is_usual() {
        let main = provider(serde_json::json!({"kind": "anthropic"}));
        assert_eq!(main.problems(), Vec::<String>::new());
        assert_eq!((main.key_env(), main.timeout_s), (Some("ANTHROPIC_API_KEY"), 300));
        assert_eq!(main.url().expect("has one").as_str(), "https://api.anthropic.com/");
        assert!(main.serves(&Name::new("default").expect("a name")) && !main.serves(&Name::new("b").expect("a name")));
        let bedrock = provider(serde_json::json!({"kind": "bedrock", "region": "eu-central-1"}));
        assert_eq!(bedrock.url().expect("has one").host_str(), Some("bedrock-runtime.eu-central-1.amazonaws.com"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_and_no_secret_with_it() {
        let wrong = provider(serde_json::json!({
            "kind": "azure_openai", "base_url": "https://user:hunter2@host", "timeout_s": 0, "limits": {"concurrency": 0}
        }));
        let providers = [(Name::new("main").expect("a name"), wrong)].into();
        let error = check(&providers).expect_err("is wrong").to_string();
        for part in
            ["providers.main: base_url has", "api_version is missing", "timeout_s is 0", "limits.concurrency is 0"]
        {
            assert!(error.contains(part), "{error}");
        }
        assert!(!error.contains("hunter2"));
        for json in [
            serde_json::json!({"kind": "anthropic", "limits": {"requests_per_minute": -1}}),
            serde_json::json!({"kind": "anthropic", "base-url": "x"}),
            serde_json::json!({"kind": "antropic"}),
        ] {
            assert!(serde_json::from_value::<ProviderConfig>(json).is_err());
        }
    }

    #[test]
    fn models_are_those_of_the_list() {
        let main = provider(serde_json::json!({"kind": "openai", "models": ["gpt-5", "gpt-5-mini"]}));
        assert!(main.allows("gpt-5").is_ok());
        let error = main.allows("gpt-5-min").expect_err("is not").to_string();
        assert!(error.contains("gpt-5-mini"), "{error}");
    }
}
