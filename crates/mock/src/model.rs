//! The models that are served, and what their tokens cost. Pure.

use serde::Deserialize;

use crate::error::OptionError;

/// What a table of models looks like, for errors.
const EXAMPLE: &str =
    r#"[{"name": "some-model", "input_pico": 1000000, "cached_pico": 100000, "output_pico": 5000000}]"#;
/// The name that stands for every model without a line of its own.
const ANY: &str = "*";

/// One model. Prices are pico-dollars (millionths of a millionth) per token: $3 per million tokens is 3 000 000.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name in requests; `*` stands for every other name.
    pub name: String,
    /// A token of the prompt.
    pub input_pico: u64,
    /// A token of the prompt that was read from the cache.
    pub cached_pico: u64,
    /// A token of the prompt that was written to the cache; as the prompt where it is left out.
    pub cache_write_pico: Option<u64>,
    /// A token of the answer.
    pub output_pico: u64,
    /// Tokens that prompt and answer may have together.
    #[serde(default = "context_tokens")]
    pub context_tokens: u64,
    /// Tokens that an answer may have.
    #[serde(default = "max_output_tokens")]
    pub max_output_tokens: u64,
}

fn context_tokens() -> u64 {
    200_000
}

fn max_output_tokens() -> u64 {
    64_000
}

/// The tokens of one call, or of many, by what they cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt that were neither read from the cache nor written to it.
    pub input: u64,
    /// Tokens of the prompt that were read from the cache.
    pub cached: u64,
    /// Tokens of the prompt that were written to the cache.
    pub cache_written: u64,
    /// Tokens of the answer.
    pub output: u64,
}

impl Usage {
    /// The whole prompt, in tokens.
    pub fn prompt(&self) -> u64 {
        self.input + self.cached + self.cache_written
    }
}

impl Model {
    /// What one call costs, in nano-dollars, rounded up.
    pub fn cost_nanos(&self, usage: &Usage) -> u64 {
        let part = |tokens: u64, pico: u64| u128::from(tokens) * u128::from(pico);
        let pico = part(usage.input, self.input_pico)
            + part(usage.cached, self.cached_pico)
            + part(usage.cache_written, self.cache_write_pico.unwrap_or(self.input_pico))
            + part(usage.output, self.output_pico);
        u64::try_from(pico.div_ceil(1_000)).unwrap_or(u64::MAX)
    }
}

/// All models that are served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Models(Vec<Model>);

impl Default for Models {
    /// `mock-1`, its small sister `mock-mini`, and `mock-embed`.
    fn default() -> Self {
        let model = |name: &str, (input_pico, output_pico), context_tokens, max_output_tokens| Model {
            name: name.to_owned(),
            input_pico,
            cached_pico: input_pico / 10,
            cache_write_pico: Some(input_pico * 5 / 4),
            output_pico,
            context_tokens,
            max_output_tokens,
        };
        Self(vec![
            model("mock-1", (1_000_000, 5_000_000), 200_000, 64_000),
            model("mock-mini", (100_000, 400_000), 32_000, 8_192),
            model("mock-embed", (20_000, 0), 8_192, 1),
        ])
    }
}

impl Models {
    /// Reads a table: a JSON list of [`Model`].
    ///
    /// # Errors
    /// When it is no such list, is empty, or names a model twice.
    pub fn read(json: &str) -> Result<Self, OptionError> {
        let wrong = |reason: String| OptionError::Models { reason, example: EXAMPLE };
        let models: Vec<Model> = serde_json::from_str(json).map_err(|error| wrong(error.to_string()))?;
        if models.is_empty() {
            return Err(wrong("it is empty".to_owned()));
        }
        let twice = models.iter().enumerate().find(|(at, model)| models[..*at].iter().any(|m| m.name == model.name));
        match twice {
            Some((_, model)) => Err(wrong(format!("`{}` stands in it twice", model.name))),
            None => Ok(Self(models)),
        }
    }

    /// The models, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &Model> {
        self.0.iter()
    }

    /// The model at a place that [`Models::find`] gave.
    pub(crate) fn at(&self, place: usize) -> &Model {
        &self.0[place]
    }

    /// Where the model called `name` stands.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let at = |name: &str| self.0.iter().position(|model| model.name == name);
        at(name).or_else(|| at(ANY))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_what_its_tokens_cost_rounded_up() {
        let model = Models::default().at(0).clone();
        let usage = Usage { input: 1_000, cached: 100, cache_written: 8, output: 20 };
        assert_eq!(model.cost_nanos(&usage), 1_000_000 + 10_000 + 10_000 + 100_000);
        let odd = Model { input_pico: 1, cache_write_pico: None, ..model };
        assert_eq!(odd.cost_nanos(&Usage { input: 1, ..Usage::default() }), 1, "rounded up");
        assert_eq!(odd.cost_nanos(&Usage::default()), 0);
        assert_eq!(usage.prompt(), 1_108);
    }

    #[test]
    fn a_table_is_read_and_a_star_catches_the_rest() {
        let line = |name: &str| format!(r#"{{"name":"{name}","input_pico":1,"cached_pico":1,"output_pico":1}}"#);
        let models = Models::read(&format!("[{},{}]", line("a"), line("*"))).expect("right");
        assert_eq!((models.find("a"), models.find("b")), (Some(0), Some(1)));
        assert_eq!(Models::default().find("b"), None);
        for (json, part) in [
            ("[]".to_owned(), "it is empty"),
            (format!("[{},{}]", line("a"), line("a")), "`a` stands in it twice"),
            ("{}".to_owned(), "expected a list such as"),
            (r#"[{"name":"a","price":3}]"#.to_owned(), "unknown field `price`"),
        ] {
            let error = Models::read(&json).expect_err("wrong").to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
