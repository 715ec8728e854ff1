//! The gateway: known answers first; else limit, hold, call, journal, settle; then parse, check, and repair by the same
//! way.

mod ask;
mod route;
mod buy;
mod take;
mod probe;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::context;
use shardmill_shared::job::Name;
use shardmill_shared::process::Clock;

pub use ask::{Ask, AskError, Doors, Source, Told};
pub use probe::Probe;
pub use route::Route;

use crate::config::{self, ProviderConfig};
use crate::error::ConfigError;
use crate::flights::Flights;
use crate::near::nearest;
use crate::price::Prices;
use crate::prompts::Prompts;
use crate::provider::Provider;
use crate::structured::Schema;

/// The prompt that asks for a schema where the provider cannot be given it.
const SCHEMA_PROMPT: &str = "json_schema";
/// The prompt that asks for an answer again.
const REPAIR_PROMPT: &str = "repair";

/// All configured providers, and what is needed to ask them.
#[derive(Debug)]
pub struct Gateway {
    providers: BTreeMap<Name, Provider>,
    prices: Prices,
    prompts: Prompts,
    /// Tells with which words schemas are asked for.
    instruction: String,
    clock: Arc<dyn Clock>,
    flights: Flights,
}

/// What a gateway is made of.
#[derive(Debug)]
pub struct Parts {
    /// Providers by name.
    pub providers: BTreeMap<Name, ProviderConfig>,
    /// What calls cost.
    pub prices: Prices,
    /// Prompts by name.
    pub prompts: Prompts,
}

impl Gateway {
    /// A gateway; `variable` reads the environment, which only the process does.
    ///
    /// # Errors
    /// Everything that is wrong with the providers.
    pub fn new(
        parts: Parts,
        clock: Arc<dyn Clock>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        config::check(&parts.providers)?;
        let made = parts.providers.into_iter().map(|(name, config)| {
            let provider = Provider::new(name.clone(), config, &variable)?;
            Ok((name, provider))
        });
        let providers = made.collect::<Result<_, ConfigError>>()?;
        let prompts = parts.prompts;
        let instruction = prompts.digest(SCHEMA_PROMPT).map_err(|error| ConfigError(error.to_string()))?.to_string();
        Ok(Self { providers, prices: parts.prices, prompts, instruction, clock, flights: Flights::default() })
    }

    /// The providers, by name.
    pub fn providers(&self) -> impl Iterator<Item = &Provider> {
        self.providers.values()
    }

    /// What calls cost.
    pub fn prices(&self) -> &Prices {
        &self.prices
    }

    /// The prompts.
    pub fn prompts(&self) -> &Prompts {
        &self.prompts
    }

    /// A provider.
    ///
    /// # Errors
    /// When there is none of the name; the message has the nearest.
    pub fn provider(&self, name: &Name) -> Result<&Provider, ConfigError> {
        self.providers.get(name).ok_or_else(|| unknown(name, self.providers.keys()))
    }

    /// Whether a tenant may ask a chain of models, and under a budget: before a job begins.
    ///
    /// # Errors
    /// Everything that is wrong, each with the route.
    pub fn check(&self, chain: &[Route], tenant: &Name) -> Result<(), ConfigError> {
        let visible =
            || self.providers.values().filter(|provider| provider.config().serves(tenant)).map(Provider::name);
        let problems = chain.iter().filter_map(|route| {
            // A provider of others does not exist, not even by name.
            let provider = self.providers.get(&route.provider).filter(|provider| provider.config().serves(tenant));
            let Some(provider) = provider else { return Some(unknown(&route.provider, visible()).0) };
            let allowed = provider.config().allows(&route.model);
            let priced = self.prices.require(provider.name().as_str(), provider.kind(), &route.model);
            let problem = allowed.and(priced.map(drop)).err()?;
            Some(format!("{route}: {problem}"))
        });
        let problems: Vec<String> = problems.collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError(problems.join("; "))) }
    }

    /// The words with which a schema is asked for in the prompt.
    fn schema_instruction(&self, schema: &Schema) -> Result<String, AskError> {
        let filled = self.prompts.fill(SCHEMA_PROMPT, &context! { schema => schema.text() });
        filled.map_err(|error| AskError::Misconfigured(error.to_string()))
    }

    /// The words with which an answer is asked for again.
    fn repair_question(&self, problems: &[String]) -> Result<String, AskError> {
        let filled = self.prompts.fill(REPAIR_PROMPT, &context! { problems => problems.to_vec() });
        filled.map_err(|error| AskError::Misconfigured(error.to_string()))
    }
}

fn unknown<'a>(name: &Name, names: impl Iterator<Item = &'a Name>) -> ConfigError {
    let near = nearest(name.as_str(), names.map(Name::as_str));
    let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    ConfigError(format!("there is no provider `{name}` in [providers]{near}"))
}

#[cfg(test)]
mod tests;
