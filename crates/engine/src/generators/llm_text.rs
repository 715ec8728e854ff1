//! `llm_text`: text that a model writes for every row. Pure: the engine asks, and is given the answers.

use shardmill_shared::spec::Place;

use super::filled::{EXAMPLES, MAX_OUTPUT_TOKENS, MODEL, PROMPT, REUSE, SKIP_IF, SYSTEM, TEMPERATURE, VARY, Written};
use super::{Generator, Info};
use crate::compile::site::Site;
use crate::filling::Form;

/// How specs name it.
pub const INFO: Info = Info {
    name: "llm_text",
    about: "text that a model writes for every row; see [models](models.md)",
    params: &[MODEL, PROMPT, SYSTEM, MAX_OUTPUT_TOKENS, TEMPERATURE, SKIP_IF, EXAMPLES, VARY, REUSE],
    bare: None,
    example: "{llm_text: {model: rehearsal/mock-1, prompt: 'A sentence about something blue.'}}",
    build,
};

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let written = Written::of(&fields);
    fields.finish();
    written.filled(Form::Text, site)
}
