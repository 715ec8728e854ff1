//! Prices by provider and model: those that come with the program, and over them those of the configuration. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shardmill_shared::job::{NanoUsd, PicoUsd};

use super::rates::{Band, Price, Rates};
use crate::config::Kind;
use crate::error::ConfigError;
use crate::near::near;

/// The prices that come with the program.
const SHIPPED: &str = include_str!("../../data/prices.json");

/// Rates as people write them: dollars per million tokens, as decimal texts (`"0.15"`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceConfig {
    /// Input.
    pub input: String,
    /// Input from a cache; without it the same as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<String>,
    /// Input into a cache; without it the same as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    /// Output, reasoning included.
    pub output: String,
    /// What prompt and answer may have together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// The most tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// The rates of prompts that are longer than some number of tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_context: Option<BandConfig>,
}

/// Rates of long prompts, as people write them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BandConfig {
    /// They count for prompts of more tokens than this.
    pub above_tokens: u64,
    /// Input.
    pub input: String,
    /// Input from a cache; without it the same as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<String>,
    /// Input into a cache; without it the same as input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<String>,
    /// Output, reasoning included.
    pub output: String,
}

#[derive(Deserialize)]
struct Shipped {
    as_of: String,
    note: String,
    providers: BTreeMap<String, Vec<Entry>>,
}

/// The price of several models.
#[derive(Deserialize)]
struct Entry {
    models: Vec<String>,
    #[serde(flatten)]
    price: PriceConfig,
}

/// All prices that are known.
#[derive(Clone, Debug)]
pub struct Prices {
    as_of: String,
    note: String,
    /// By family of providers, then model.
    shipped: BTreeMap<String, BTreeMap<String, Price>>,
    /// By `PROVIDER/MODEL`, `PROVIDER/*` or `MODEL`.
    own: BTreeMap<String, Price>,
}

/// One price, for a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceLine {
    /// Whose it is: a family of providers, or `configuration`.
    pub source: String,
    /// The model, or the pattern under which the configuration has it.
    pub model: String,
    /// What it costs.
    pub price: Price,
}

impl Prices {
    /// The prices that come with the program, and over them those of the configuration: by `PROVIDER/MODEL`,
    /// `PROVIDER/*` or `MODEL`.
    ///
    /// # Errors
    /// Every rate that is no amount of dollars, by its key.
    pub fn new(own: &BTreeMap<String, PriceConfig>) -> Result<Self, ConfigError> {
        let shipped: Shipped = serde_json::from_str(SHIPPED).expect("a test reads the shipped prices");
        let families = shipped.providers.iter().map(|(family, entries)| {
            let priced = |entry: &Entry| entry.price.price().expect("a test reads the shipped prices");
            let models = entries.iter().flat_map(|entry| {
                let price = priced(entry);
                entry.models.iter().map(move |model| (model.clone(), price))
            });
            (family.clone(), models.collect())
        });
        let families = families.collect();
        let mut problems = Vec::new();
        let mut prices = BTreeMap::new();
        for (key, config) in own {
            match config.price() {
                Ok(price) => drop(prices.insert(key.clone(), price)),
                Err(problem) => problems.push(format!("prices.\"{key}\": {problem}")),
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError(problems.join("; ")));
        }
        Ok(Self { as_of: shipped.as_of, note: shipped.note, shipped: families, own: prices })
    }

    /// The day of the prices that come with the program.
    pub fn as_of(&self) -> &str {
        &self.as_of
    }

    /// What to know of them.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The price of a model of the provider with this name and kind; nothing when it is not known.
    pub fn find(&self, provider: &str, kind: Kind, model: &str) -> Option<Price> {
        let own = |key: &str| self.own.get(key);
        let configured = own(&format!("{provider}/{model}")).or_else(|| own(model));
        let configured = configured.or_else(|| own(&format!("{provider}/*")));
        let models = || kind.price_family().and_then(|family| self.shipped.get(family));
        let shipped = || models().and_then(|models| models.get(model).or_else(|| models.get(undated(model))));
        configured.or_else(shipped).copied()
    }

    /// The price of a model, which a call under a budget must know.
    ///
    /// # Errors
    /// When it is not known; the message names the nearest models and how to give a price.
    pub fn require(&self, provider: &str, kind: Kind, model: &str) -> Result<Price, ConfigError> {
        self.find(provider, kind, model).ok_or_else(|| {
            let known = kind.price_family().and_then(|family| self.shipped.get(family));
            let near = near(model, known.into_iter().flat_map(BTreeMap::keys).map(String::as_str));
            let near = if near.is_empty() { String::new() } else { format!(" (priced are {})", near.join(", ")) };
            ConfigError(format!(
                "no price is known of the model `{model}` of provider `{provider}`{near}, so a budget could not hold; \
                 give one: [prices.\"{provider}/{model}\"] with input and output in dollars per million tokens, \
                 \"0\" for a model that costs nothing"
            ))
        })
    }

    /// Every price, those of the configuration first.
    pub fn lines(&self) -> Vec<PriceLine> {
        let line = |source: &str, (model, price): (&String, &Price)| PriceLine {
            source: source.to_owned(),
            model: model.clone(),
            price: *price,
        };
        let own = self.own.iter().map(|entry| line("configuration", entry));
        let shipped =
            self.shipped.iter().flat_map(|(family, models)| models.iter().map(move |entry| line(family, entry)));
        own.chain(shipped).collect()
    }
}

impl PriceConfig {
    fn price(&self) -> Result<Price, String> {
        let rates = rates(&self.input, &self.output, [&self.cached_input, &self.cache_write])?;
        let long = self.long_context.as_ref().map(|band| {
            let rates = rates_of_band(band)?;
            Ok::<_, String>(Band { above_tokens: band.above_tokens, rates })
        });
        let long = long.transpose()?;
        Ok(Price { rates, long, context_tokens: self.context_tokens, max_output_tokens: self.max_output_tokens })
    }
}

fn rates_of_band(band: &BandConfig) -> Result<Rates, String> {
    rates(&band.input, &band.output, [&band.cached_input, &band.cache_write])
}

fn rates(input: &str, output: &str, [cached, cache_write]: [&Option<String>; 2]) -> Result<Rates, String> {
    let or_input = |text: &Option<String>| per_token(text.as_deref().unwrap_or(input));
    Ok(Rates {
        input: per_token(input)?,
        cached: or_input(cached)?,
        cache_write: or_input(cache_write)?,
        output: per_token(output)?,
    })
}

/// Dollars per million tokens as pico-dollars per token, rounded up.
fn per_token(dollars_per_million: &str) -> Result<PicoUsd, String> {
    let money: NanoUsd = dollars_per_million.parse().map_err(|error| format!("{error}"))?;
    Ok(PicoUsd(money.0.div_ceil(1_000)))
}

/// A model's name without the date at its end: `-20250514` or `-2024-07-18`.
fn undated(model: &str) -> &str {
    let is_date = |tail: &str| {
        let digits: String = tail.chars().filter(char::is_ascii_digit).collect();
        let is_plain =
            tail.len() == 8 || (tail.len() == 10 && tail.as_bytes()[4] == b'-' && tail.as_bytes()[7] == b'-');
        digits.len() == 8 && is_plain && digits.starts_with("20")
    };
    let cut = [9, 11].into_iter().find_map(|length| {
        let at = model.len().checked_sub(length).filter(|at| model.is_char_boundary(*at))?;
        let tail = model[at..].strip_prefix('-')?;
        is_date(tail).then_some(at)
    });
    cut.map_or(model, |at| &model[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(key: &str, input: &str) -> BTreeMap<String, PriceConfig> {
        let price = PriceConfig { input: input.to_owned(), output: "2".to_owned(), ..PriceConfig::default() };
        [(key.to_owned(), price)].into()
    }

    fn input_of(prices: &Prices, kind: Kind, model: &str) -> Option<u64> {
        prices.find("main", kind, model).map(|price| price.rates.input.0)
    }

    #[test]
    fn the_shipped_prices_are_read_and_found_with_and_without_a_date() {
        let prices = Prices::new(&BTreeMap::new()).expect("reads");
        assert!(prices.as_of().len() == 10 && prices.lines().len() > 40);
        for (kind, model, wanted) in [
            (Kind::Anthropic, "claude-sonnet-4-20250514", Some(3_000_000)),
            (Kind::Anthropic, "claude-sonnet-5", Some(3_000_000)),
            (Kind::OpenAi, "gpt-4o-mini-2024-07-18", Some(150_000)),
            (Kind::AzureOpenAi, "gpt-4o-mini", Some(150_000)),
            (Kind::Bedrock, "eu.anthropic.claude-haiku-4-5-20251001-v1:0", Some(1_100_000)),
            (Kind::OpenAi, "claude-sonnet-5", None),
            (Kind::OpenAiCompatible, "gpt-4o", None),
            (Kind::OpenAi, "größe-20250514", None),
            (Kind::OpenAi, "", None),
        ] {
            assert_eq!(input_of(&prices, kind, model), wanted, "{model}");
        }
        let band = prices.find("main", Kind::OpenAi, "gpt-5.4").and_then(|price| price.long).expect("has one");
        assert_eq!((band.above_tokens, band.rates.output.0), (272_000, 22_500_000));
    }

    #[test]
    fn the_configuration_overrides_by_provider_model_or_all() {
        for (key, wanted) in
            [("main/gpt-4o", 546_875), ("gpt-4o", 546_875), ("main/*", 546_875), ("other/*", 2_500_000)]
        {
            let prices = Prices::new(&own(key, "0.546875")).expect("reads");
            assert_eq!(input_of(&prices, Kind::OpenAi, "gpt-4o"), Some(wanted), "{key}");
        }
        let free = Prices::new(&own("main/*", "0")).expect("reads");
        assert_eq!(input_of(&free, Kind::OpenAiCompatible, "anything"), Some(0));
    }

    #[test]
    fn an_unknown_model_is_refused_with_what_is_near_and_what_to_do() {
        let prices = Prices::new(&BTreeMap::new()).expect("reads");
        let error = prices.require("main", Kind::OpenAi, "gpt-4o-mni").expect_err("unknown").to_string();
        assert!(error.contains("gpt-4o-mini") && error.contains("[prices.\"main/gpt-4o-mni\"]"), "{error}");
        let error = Prices::new(&own("a/b", "-1")).expect_err("negative").to_string();
        assert!(error.starts_with("prices.\"a/b\": `-1` is no amount"), "{error}");
    }
}
