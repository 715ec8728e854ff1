//! `llm_choice`: one of some texts, chosen by a model for every row. Pure.

use shardmill_shared::spec::Place;

use super::filled::{EXAMPLES, MAX_OUTPUT_TOKENS, MODEL, PROMPT, REUSE, SKIP_IF, SYSTEM, TEMPERATURE, VARY, Written};
use super::{Generator, Info, Param};
use crate::compile::site::Site;
use crate::filling::{Choices, Form};

/// More would be no closed set, and providers take no longer lists.
const CHOICES_MAX: usize = 500;

/// How specs name it.
pub const INFO: Info = Info {
    name: "llm_choice",
    about: "one of some texts, chosen by a model for every row; see [models](models.md)",
    params: &[
        MODEL,
        PROMPT,
        Param { name: "choices", takes: "list of texts", default: "", about: "what it chooses from: 2 to 500 texts" },
        SYSTEM,
        MAX_OUTPUT_TOKENS,
        TEMPERATURE,
        SKIP_IF,
        EXAMPLES,
        VARY,
        REUSE,
    ],
    bare: None,
    example: "{llm_choice: {model: rehearsal/mock-1, prompt: 'Is this a compliment? Nice hat.', choices: ['yes', 'no']}}",
    build,
};

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let written = Written::of(&fields);
    let choices = fields.need("choices");
    fields.finish();
    written.filled(Form::Choice(Choices::of(texts(&choices?)?)), site)
}

fn texts(place: &Place<'_>) -> Option<Vec<String>> {
    let items = place.list()?;
    let mut texts: Vec<String> = Vec::new();
    for item in &items {
        let text = item.text()?;
        if text.trim().is_empty() {
            return item.problem("a choice is empty", "text");
        }
        if texts.iter().any(|known| known == text) {
            return item.problem(format!("`{text}` is there twice"), "each choice once");
        }
        texts.push(text.to_owned());
    }
    if !(2..=CHOICES_MAX).contains(&texts.len()) {
        return place.problem(format!("there are {} choices", texts.len()), format!("2 to {CHOICES_MAX}"));
    }
    Some(texts)
}
