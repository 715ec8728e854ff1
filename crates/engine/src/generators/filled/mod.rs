//! What all filled columns have in common: whom to ask and with which words, rows that are skipped, examples, and what varies
//! from row to row. Pure.

pub(super) mod schema;

use arrow::array::ArrayRef;
use shardmill_shared::spec::{Fields, Place};

use super::expression::Computed;
use super::{Generator, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::{EngineError, Result};
use crate::filling::{Filling, Form, Prompt, Shape, Varied};
use crate::frame::Source;
use crate::value::Type;

/// The most tokens of an answer where a spec does not say.
const OUTPUT_TOKENS: u32 = 512;
/// More than any model answers at once.
const OUTPUT_TOKENS_MAX: u64 = 1_000_000;
/// The highest temperature that a provider takes.
const TEMPERATURE_MAX: f64 = 2.0;
/// The most examples: each is paid for with every row.
const EXAMPLES_MAX: usize = 20;
/// The most texts that one name of `vary` has, and the most names.
const VARIED_MAX: usize = 1_000;

pub(super) const MODEL: Param = Param {
    name: "model",
    takes: "PROVIDER/MODEL",
    default: "",
    about: "who writes it: a provider of the configuration, and its model",
};
pub(super) const PROMPT: Param = Param {
    name: "prompt",
    takes: "template",
    default: "",
    about: "what is asked: text with `{{ column }}`, `{{ column.field }}` of a struct, `{{ table.column }}` and `{{ vary.name }}`",
};
pub(super) const SYSTEM: Param =
    Param { name: "system", takes: "text", default: "none", about: "what the model is told before the prompt" };
pub(super) const MAX_OUTPUT_TOKENS: Param = Param {
    name: "max_output_tokens",
    takes: "int, at least 1",
    default: "512",
    about: "the most tokens of an answer",
};
pub(super) const TEMPERATURE: Param = Param {
    name: "temperature",
    takes: "number from 0 to 2",
    default: "the model's own",
    about: "how much answers vary",
};
pub(super) const SKIP_IF: Param = Param {
    name: "skip_if",
    takes: "expression",
    default: "none",
    about: "rows for which it is true are not asked for and cost nothing: the cell is null",
};
pub(super) const EXAMPLES: Param = Param {
    name: "examples",
    takes: "list of {example}",
    default: "none",
    about: "questions with their answers, shown before the prompt; at most 20",
};
pub(super) const VARY: Param = Param {
    name: "vary",
    takes: "map of name to texts",
    default: "none",
    about: "of each list one text is drawn for every row: `{{ vary.name }}` in the prompt",
};

pub(super) const REUSE: Param = Param {
    name: "reuse",
    takes: "row or never",
    default: "row",
    about: "whether the answer to the same question for the same row of an earlier version is taken, or a new one is bought",
};

/// What all filled columns take, as written.
pub(super) struct Written<'a> {
    model: Option<Place<'a>>,
    prompt: Option<Place<'a>>,
    system: Option<Place<'a>>,
    tokens: Option<Place<'a>>,
    temperature: Option<Place<'a>>,
    skip: Option<Place<'a>>,
    examples: Option<Place<'a>>,
    vary: Option<Place<'a>>,
    reuse: Option<Place<'a>>,
}

impl<'a> Written<'a> {
    /// Asks for the keys.
    pub(super) fn of(fields: &Fields<'a>) -> Self {
        Self {
            model: fields.need(MODEL.name),
            prompt: fields.need(PROMPT.name),
            system: fields.get(SYSTEM.name),
            tokens: fields.get(MAX_OUTPUT_TOKENS.name),
            temperature: fields.get(TEMPERATURE.name),
            skip: fields.get(SKIP_IF.name),
            examples: fields.get(EXAMPLES.name),
            vary: fields.get(VARY.name),
            reuse: fields.get(REUSE.name),
        }
    }

    /// The generator that asks for answers in a form.
    pub(super) fn filled(self, form: Form, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
        let (provider, model) = named(&self.model?)?;
        let varied = self.vary.as_ref().map_or(Some(Vec::new()), |place| varied(place, site))?;
        let prompt = prompt(&self.prompt?, varied, site)?;
        let system = self.system.map_or(Some(None), |place| place.text().map(|text| Some(text.to_owned())))?;
        let max_output_tokens = self.tokens.map_or(Some(OUTPUT_TOKENS), |place| match place.count()? {
            tokens @ 1..=OUTPUT_TOKENS_MAX => u32::try_from(tokens).ok(),
            tokens => {
                place.problem(format!("an answer of {tokens} tokens cannot be"), format!("1 to {OUTPUT_TOKENS_MAX}"))
            }
        })?;
        let in_range = |x: f64| (0.0..=TEMPERATURE_MAX).contains(&x);
        let temperature = self
            .temperature
            .map_or(Some(None), |place| place.float_where("a number from 0 to 2", in_range).map(Some))?;
        let skip = self.skip.map_or(Some(None), |place| condition(&place, site).map(Some))?;
        let examples = self.examples.map_or(Some(Vec::new()), |place| examples(&place, &form))?;
        let reuses = self.reuse.map_or(Some(true), |place| match place.text()? {
            "row" => Some(true),
            "never" => Some(false),
            other => place.unknown("way to reuse answers", other, ["row", "never"]),
        })?;
        let filling =
            Filling { provider, model, system, max_output_tokens, temperature, examples, reuses, form, prompt, skip };
        Some(Box::new(Filled { column: site.column?, filling }))
    }
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

/// Whether a name can stand in templates and expressions as it is.
pub(super) fn is_word(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn varied(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Vec<Varied>> {
    let entries = place.entries()?;
    if entries.is_empty() || entries.len() > VARIED_MAX {
        return place.problem(format!("{} names vary", entries.len()), format!("1 to {VARIED_MAX}"));
    }
    let one = |(name, place): (&str, Place<'_>)| {
        if !is_word(name) {
            return place.problem(format!("`{name}` cannot be a name in the prompt"), "letters, digits and `_`");
        }
        let values: Option<Vec<String>> = place.list()?.iter().map(|item| item.text().map(str::to_owned)).collect();
        let values = values?;
        if values.is_empty() || values.len() > VARIED_MAX {
            return place
                .problem(format!("there are {} texts to draw from", values.len()), format!("1 to {VARIED_MAX}"));
        }
        Some(Varied { name: name.to_owned(), key: site.role(&format!("vary:{}:{name}", site.name())), values })
    };
    entries.into_iter().map(one).collect()
}

fn prompt(place: &Place<'_>, varied: Vec<Varied>, site: &Site<'_, '_>) -> Option<Prompt> {
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
    let names = prompt.names();
    for name in &names {
        let vary = name.strip_prefix("vary.").filter(|_| !varied.is_empty());
        if let Some(name) = vary {
            if varied.iter().all(|varied| varied.name != name) {
                return place.unknown("name in `vary`", name, varied.iter().map(|varied| varied.name.as_str()));
            }
            continue;
        }
        let (name, source) = slot(place, name, site)?;
        if prompt.slots.iter().all(|(known, _)| *known != name) {
            prompt.slots.push((name, source));
        }
    }
    for varied in varied.iter().filter(|varied| !names.contains(&format!("vary.{}", varied.name))) {
        place.warn(format!("the prompt does not use `vary.{}`", varied.name));
    }
    prompt.varied = varied;
    Some(prompt)
}

/// The value that a name in a prompt stands for, and its name without the field of a struct.
fn slot(place: &Place<'_>, name: &str, site: &Site<'_, '_>) -> Option<(String, Source)> {
    let Some((first, rest)) = name.split_once('.') else {
        return Some((name.to_owned(), Source::Own(site.own(place, name)?)));
    };
    if let Some((column, shape)) = site.struct_named(first) {
        field(place, (first, &shape), rest)?;
        return Some((first.to_owned(), Source::Own(column)));
    }
    if site.has_column(first) {
        return place.problem(format!("`{name}` asks for a part of the column `{first}`"), "a whole column");
    }
    let table = site.table_named(place, first)?;
    let column = site.column_named(place, table, rest)?;
    Some((name.to_owned(), Source::Linked { link: site.relate(place, table, None, None)?, column }))
}

/// The part of a struct column that a dotted path leads to, and where it stands at every step.
pub(super) fn field<'s>(
    place: &Place<'_>,
    (column, shape): (&str, &'s Shape),
    path: &str,
) -> Option<(Vec<usize>, &'s Shape)> {
    let (mut part, mut steps, mut named) = (shape, Vec::new(), column.to_owned());
    for name in path.split('.') {
        let Some((at, next)) = part.part(name) else {
            return place.unknown(&format!("field of `{named}` named"), name, part.names());
        };
        steps.push(at);
        named = format!("{named}.{name}");
        part = next;
    }
    Some((steps, part))
}

fn condition(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Computed> {
    let computed = Computed::read(place, site)?;
    match computed.kind() {
        Type::Bool => Some(computed),
        kind => place.problem(format!("it has type {kind}"), "a condition, like `stars < 3`"),
    }
}

fn examples(place: &Place<'_>, form: &Form) -> Option<Vec<(String, String)>> {
    let items = place.list()?;
    if items.len() > EXAMPLES_MAX {
        return place.problem(format!("there are {} examples", items.len()), format!("at most {EXAMPLES_MAX}"));
    }
    let one = |item: &Place<'_>| {
        let fields = item.fields()?;
        let (input, output) = (fields.need("input"), fields.need("output"));
        fields.finish();
        let (input, output) = (input?, output?);
        let said = input.text()?;
        if said.trim().is_empty() {
            return input.problem("the question is empty", "text, as the prompt would be for it");
        }
        match form.example(&output.node.to_json()) {
            Ok(text) if !text.trim().is_empty() => Some((said.to_owned(), text)),
            Ok(_) => output.problem("the answer is empty", "what the model would answer"),
            Err(reason) => output.problem(format!("it is no answer to this column: {reason}"), "an answer that fits"),
        }
    };
    items.iter().map(one).collect()
}

/// A column that a model fills.
#[derive(Debug)]
struct Filled {
    /// The column, by position.
    column: usize,
    filling: Filling,
}

impl Generator for Filled {
    fn kind(&self) -> Type {
        self.filling.form.kind()
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let described = draw.frame.described();
        let place = |message| EngineError::Column {
            table: described.name.clone(),
            column: described.columns[self.column].name.clone(),
            message,
        };
        self.filling.form.column(draw.frame.given(self.column)?, place)
    }

    fn reads(&self) -> Vec<Read> {
        let prompt = self.filling.prompt.slots.iter().map(|(_, source)| Read::Column(*source));
        prompt.chain(self.filling.skip.iter().flat_map(Computed::reads)).collect()
    }

    fn may_be_null(&self) -> bool {
        self.filling.skip.is_some()
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }

    fn filling(&self) -> Option<&Filling> {
        Some(&self.filling)
    }

    fn shape(&self) -> Option<&Shape> {
        self.filling.form.shape()
    }
}
