//! `llm_text`: text that a model writes for every row. Pure: the engine asks, and is given the answers.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::{Generator, Info, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::filling::{Filling, Prompt};
use crate::frame::Source;
use crate::value::Type;

/// The most tokens of an answer where a spec does not say.
const OUTPUT_TOKENS: u32 = 512;
/// More than any model answers at once.
const OUTPUT_TOKENS_MAX: u64 = 1_000_000;
/// The highest temperature that a provider takes.
const TEMPERATURE_MAX: f64 = 2.0;

/// How specs name it.
pub const INFO: Info = Info {
    name: "llm_text",
    about: "text that a model writes for every row; see [models](models.md)",
    params: &[
        Param {
            name: "model",
            takes: "PROVIDER/MODEL",
            default: "",
            about: "who writes it: a provider of the configuration, and its model",
        },
        Param {
            name: "prompt",
            takes: "template",
            default: "",
            about: "what is asked: text with `{{ column }}` and `{{ table.column }}`",
        },
        Param { name: "system", takes: "text", default: "none", about: "what the model is told before the prompt" },
        Param {
            name: "max_output_tokens",
            takes: "int, at least 1",
            default: "512",
            about: "the most tokens of an answer",
        },
        Param {
            name: "temperature",
            takes: "number from 0 to 2",
            default: "the model's own",
            about: "how much answers vary",
        },
    ],
    bare: None,
    example: "{llm_text: {model: rehearsal/mock-1, prompt: 'A sentence about something blue.'}}",
    build,
};

#[derive(Debug)]
struct Written {
    /// The column, by position.
    column: usize,
    filling: Filling,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let (model, prompt) = (fields.need("model"), fields.need("prompt"));
    let system = fields.get("system").map(|place| place.text().map(str::to_owned));
    let tokens = fields.get("max_output_tokens");
    let temperature = fields.get("temperature");
    fields.finish();
    let (provider, model) = named(&model?)?;
    let prompt = slots(&prompt?, site)?;
    let system = system.map_or(Some(None), |text| text.map(Some))?;
    let max_output_tokens = tokens.map_or(Some(OUTPUT_TOKENS), |place| match place.count()? {
        tokens @ 1..=OUTPUT_TOKENS_MAX => u32::try_from(tokens).ok(),
        tokens => place.problem(format!("an answer of {tokens} tokens cannot be"), format!("1 to {OUTPUT_TOKENS_MAX}")),
    })?;
    let in_range = |x: f64| (0.0..=TEMPERATURE_MAX).contains(&x);
    let temperature =
        temperature.map_or(Some(None), |place| place.float_where("a number from 0 to 2", in_range).map(Some))?;
    let column = site.column?;
    Some(Box::new(Written {
        column,
        filling: Filling { provider, model, system, max_output_tokens, temperature, prompt },
    }))
}

fn named(place: &Place<'_>) -> Option<(String, String)> {
    let text = place.text()?;
    match text.split_once('/') {
        Some((provider, model)) if !provider.is_empty() && !model.is_empty() => {
            Some((provider.to_owned(), model.to_owned()))
        }
        _ => place.problem(
            format!("`{text}` names no provider and model"),
            "PROVIDER/MODEL, like `anthropic/claude-haiku-4-5`",
        ),
    }
}

fn slots(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Prompt> {
    let text = place.text()?;
    if text.trim().is_empty() {
        return place
            .problem("the prompt is empty", "what the model is to write, with `{{ column }}` for values of the row");
    }
    let mut prompt = match Prompt::parse(text) {
        Ok(prompt) => prompt,
        Err(reason) => {
            return place.problem(format!("the prompt is no template: {reason}"), "text with `{{ column }}`");
        }
    };
    for name in prompt.names() {
        let source = match name.split_once('.') {
            Some((table, column)) if !site.has_column(table) => {
                let table = site.table_named(place, table)?;
                let column = site.column_named(place, table, column)?;
                Source::Linked { link: site.relate(place, table, None, None)?, column }
            }
            Some((column, _)) => {
                return place.problem(format!("`{name}` asks for a part of the column `{column}`"), "a whole column");
            }
            None => Source::Own(site.own(place, &name)?),
        };
        prompt.slots.push((name, source));
    }
    Some(prompt)
}

impl Generator for Written {
    fn kind(&self) -> Type {
        Type::Text
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        draw.frame.given(self.column)
    }

    fn reads(&self) -> Vec<Read> {
        self.filling.prompt.slots.iter().map(|(_, source)| Read::Column(*source)).collect()
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }

    fn filling(&self) -> Option<&Filling> {
        Some(&self.filling)
    }
}
