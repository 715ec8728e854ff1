//! `llm_json`: a struct that a model fills for every row, in a JSON Schema. Pure.

use shardmill_shared::spec::Place;

use super::filled::{
    EXAMPLES, MAX_OUTPUT_TOKENS, MODEL, PROMPT, REUSE, SKIP_IF, SYSTEM, TEMPERATURE, VARY, Written, schema,
};
use super::{Generator, Info, Param};
use crate::compile::site::Site;
use crate::filling::Form;

/// How specs name it.
pub const INFO: Info = Info {
    name: "llm_json",
    about: "a struct that a model fills for every row; see [models](models.md)",
    params: &[
        MODEL,
        PROMPT,
        Param {
            name: "schema",
            takes: "a JSON Schema",
            default: "",
            about: "its fields: an object of properties, with what [models](models.md) lists",
        },
        SYSTEM,
        MAX_OUTPUT_TOKENS,
        TEMPERATURE,
        SKIP_IF,
        EXAMPLES,
        VARY,
        REUSE,
    ],
    bare: None,
    example: "{llm_json: {model: rehearsal/mock-1, prompt: 'Invent a lamp.', schema: {type: object, properties: {name: {type: string}, watts: {type: integer}}}}}",
    build,
};

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let written = Written::of(&fields);
    let schema = fields.need("schema");
    fields.finish();
    let (schema, shape) = schema::whole(&schema?)?;
    written.filled(Form::Json { schema, shape }, site)
}
