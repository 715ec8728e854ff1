//! A model by the name of its provider. Pure.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shardmill_shared::job::Name;

use crate::error::ConfigError;

/// The longest name of a model.
const MODEL_BYTES_MAX: usize = 200;

/// A model of a provider; written `PROVIDER/MODEL`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Route {
    /// The provider.
    pub provider: Name,
    /// The model, as the provider calls it.
    pub model: String,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl FromStr for Route {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
        let wrong = |what: &str| ConfigError(format!("`{shown}` is no model: {what}"));
        let (provider, model) =
            text.split_once('/').ok_or_else(|| wrong("write PROVIDER/MODEL, like main/gpt-5-mini"))?;
        let provider = Name::new(provider).map_err(|error| wrong(&error.to_string()))?;
        // The name becomes a part of some providers' addresses.
        let is_plain = model.chars().all(|c| c.is_ascii_graphic())
            && !model.split('/').any(|part| matches!(part, "" | "." | ".."));
        if !is_plain || model.len() > MODEL_BYTES_MAX {
            return Err(wrong("a model's name has letters, digits and signs, and no empty part between slashes"));
        }
        Ok(Self { provider, model: model.to_owned() })
    }
}

impl TryFrom<String> for Route {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        text.parse()
    }
}

impl From<Route> for String {
    fn from(route: Route) -> Self {
        route.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_may_have_slashes_and_may_not_lead_elsewhere() {
        for text in ["main/gpt-5", "local/org/model:7b", "aws/eu.anthropic.claude-v1:0", "a/b@c"] {
            assert_eq!(text.parse::<Route>().expect("reads").to_string(), text);
        }
        let text = "main/".to_owned() + &"x".repeat(201);
        for text in
            ["gpt-5", "main/", "/gpt-5", "main/a b", "main/../x", "main/a/../b", "main/..", "a b/c", "main/ä", &text]
        {
            assert!(text.parse::<Route>().is_err(), "{text}");
        }
    }
}
