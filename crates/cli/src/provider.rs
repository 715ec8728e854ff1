//! `shardmill provider`: which models can be asked, whether they answer, and what they cost.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Subcommand;
use serde_json::{Value, json};
use shardmill_llm::price::{Price, PriceLine, Prices};
use shardmill_llm::{AskError, Class, Gateway, Probe, Provider, Route};
use shardmill_shared::job::{Name, NanoUsd, PicoUsd};
use shardmill_shared::process::MonotonicClock;

use crate::config::Config;
use crate::{exit, say, table};

#[derive(Debug, clap::Args)]
pub(crate) struct ProviderArgs {
    #[command(subcommand)]
    command: ProviderCommand,
    /// The configuration; the default is ./shardmill.toml, if it is there
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ProviderCommand {
    /// The configured providers, and whether their keys are there; asks nobody
    List,
    /// Ask a model for one word: whether address, key and model are right, and what it costs
    Test {
        /// The model: PROVIDER/MODEL, or PROVIDER for the first of its models
        #[arg(value_name = "MODEL")]
        model: String,
    },
    /// What models cost, in dollars per million tokens
    Prices {
        /// Only models with this in their names
        #[arg(value_name = "TEXT")]
        filter: Option<String>,
    },
}

/// Does something with providers.
pub(crate) fn provider(args: &ProviderArgs) -> Result<ExitCode> {
    let config = Config::load(args.config.as_deref())?;
    match &args.command {
        ProviderCommand::List => list(&config, args.json),
        ProviderCommand::Test { model } => test(&config, model, args.json),
        ProviderCommand::Prices { filter } => prices(&config, filter.as_deref().unwrap_or_default(), args.json),
    }
}

fn list(config: &Config, as_json: bool) -> Result<ExitCode> {
    let gateway = config.gateway(Arc::new(MonotonicClock::start()))?;
    if as_json {
        say::result(&Value::from_iter(gateway.providers().map(as_value)).to_string());
        return Ok(exit::OK);
    }
    if gateway.providers().next().is_none() {
        say::error("no provider is configured; add [providers.NAME] to shardmill.toml (docs/models.md)");
        return Ok(exit::OK);
    }
    let rows = gateway.providers().map(|provider| {
        let models = provider.config().models.join(", ");
        [
            provider.name().to_string(),
            provider.kind().to_string(),
            if models.is_empty() { "any".to_owned() } else { models },
            key_state(provider),
        ]
    });
    say::result(&table::render(&["provider", "kind", "models", "key"], rows));
    Ok(exit::OK)
}

fn as_value(provider: &Provider) -> Value {
    let config = provider.config();
    json!({"name": provider.name(), "kind": provider.kind(), "models": config.models, "limits": config.limits,
        "tenants": config.tenants, "timeout_s": config.timeout_s, "key_env": config.key_env(),
        "key_missing": provider.missing_key().is_some()})
}

fn key_state(provider: &Provider) -> String {
    match (provider.missing_key(), provider.config().key_env()) {
        (Some(variable), _) => format!("missing: set {variable}"),
        (None, Some(variable)) => format!("from {variable}"),
        (None, None) => "none needed".to_owned(),
    }
}

fn test(config: &Config, model: &str, as_json: bool) -> Result<ExitCode> {
    let gateway = config.gateway(Arc::new(MonotonicClock::start()))?;
    let route = match route(&gateway, model) {
        Ok(route) => route,
        Err(problem) => {
            say::error(&format!("error: {problem:#}"));
            return Ok(exit::bad_spec());
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match runtime.block_on(gateway.probe(&route)) {
        Ok(probe) => {
            tell(&route, &probe, as_json);
            Ok(exit::OK)
        }
        Err(error) => {
            say::error(&format!("error: {error}"));
            let is_away = |class| matches!(class, Class::Unreachable | Class::Timeout | Class::Network);
            let is_away = matches!(error, AskError::Unavailable { class, .. } if is_away(class));
            Ok(if is_away { exit::unreachable() } else { exit::FAILED })
        }
    }
}

/// The model that a text names.
fn route(gateway: &Gateway, text: &str) -> Result<Route> {
    if text.contains('/') {
        let route: Route = text.parse()?;
        gateway.provider(&route.provider)?.config().allows(&route.model)?;
        return Ok(route);
    }
    let provider = gateway.provider(&Name::new(text)?)?;
    let first = provider.config().models.first();
    let model = first.with_context(|| format!("provider `{text}` lists no models; name one: {text}/MODEL"))?;
    Ok(Route { provider: provider.name().clone(), model: model.clone() })
}

fn tell(route: &Route, probe: &Probe, as_json: bool) {
    let Probe { took_ms, text, usage, paid } = probe;
    if as_json {
        let told = json!({"model": route, "took_ms": took_ms, "text": text, "usage": usage, "cost_usd": paid});
        return say::result(&told.to_string());
    }
    let cost = paid.map_or("price unknown".to_owned(), |paid| format!("${paid}"));
    let (input, output) = (usage.prompt_tokens(), usage.output_tokens);
    say::result(&format!("{route} answers in {took_ms} ms: {input} tokens in, {output} out, {cost}"));
}

fn prices(config: &Config, filter: &str, as_json: bool) -> Result<ExitCode> {
    let prices = Prices::new(&config.prices)?;
    let lines: Vec<PriceLine> = prices.lines().into_iter().filter(|line| line.model.contains(filter)).collect();
    if as_json {
        let lines = lines.iter().map(|line| priced(&line.source, &line.model, &line.price));
        say::result(&json!({"as_of": prices.as_of(), "prices": Value::from_iter(lines)}).to_string());
        return Ok(exit::OK);
    }
    say::error(&format!("as of {}. {}", prices.as_of(), prices.note()));
    let rows = lines.iter().map(|line| {
        let Price { rates, long, .. } = line.price;
        let above = long.map_or(String::new(), |band| {
            format!(
                "{} / {} above {}",
                per_million(band.rates.input),
                per_million(band.rates.output),
                band.above_tokens
            )
        });
        let rates = [rates.input, rates.cached, rates.cache_write, rates.output].map(per_million);
        [line.source.clone(), line.model.clone()].into_iter().chain(rates).chain([above])
    });
    say::result(&table::render(&["of", "model", "input", "cached", "cache write", "output", "long prompts"], rows));
    Ok(exit::OK)
}

fn priced(source: &str, model: &str, price: &Price) -> Value {
    let rates = |rates: &shardmill_llm::price::Rates| {
        json!({"input": per_million(rates.input), "cached_input": per_million(rates.cached),
            "cache_write": per_million(rates.cache_write), "output": per_million(rates.output)})
    };
    let long = price.long.as_ref().map(|band| json!({"above_tokens": band.above_tokens, "rates": rates(&band.rates)}));
    json!({"source": source, "model": model, "rates": rates(&price.rates), "long_context": long,
        "context_tokens": price.context_tokens, "max_output_tokens": price.max_output_tokens})
}

/// Dollars per million tokens.
fn per_million(rate: PicoUsd) -> String {
    NanoUsd(rate.0.saturating_mul(1_000)).to_string()
}
