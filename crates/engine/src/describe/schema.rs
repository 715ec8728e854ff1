//! The JSON Schema of a spec, for editors: both forms, strict where the reader is. Pure.
//!
//! It is looser than the reader in what depends on other parts of a spec, and never stricter.

use serde_json::{Map, Value, json};
use shardmill_shared::spec::envelope::Known;

use super::keys::{BARE, COLUMN, DISTRIBUTIONS, GROUPS, Group, SPEC};
use super::values::{bare, closed, property};
use crate::generators::{GENERATORS, Param};
use crate::modifiers::MODIFIERS;
use crate::semantic::METHODS;

/// The names of types without parameters, with the aliases that specs may use.
pub(super) const TYPES: [&str; 12] = [
    "int",
    "integer",
    "float",
    "double",
    "string",
    "text",
    "bool",
    "boolean",
    "datetime",
    "timestamp",
    "date",
    "decimal",
];

/// The schema: JSON Schema, draft 2020-12.
pub fn json_schema(known: &Known<'_>) -> Value {
    let mut definitions = Map::new();
    for group in GROUPS.iter().filter(|group| ![SPEC.name, BARE.name, COLUMN.name].contains(&group.name)) {
        definitions.insert(slug(group.name), object(group.keys, known));
    }
    definitions.insert("column".to_owned(), column(known));
    definitions.insert("influence".to_owned(), json!({ "type": "object", "required": ["kind"] }));
    for info in GENERATORS {
        definitions.insert(slug(&format!("generator {}", info.name)), parameters(info.name, info.params, known));
    }
    for info in GENERATORS {
        let param = info.bare.and_then(|bare| info.params.iter().find(|param| param.name == bare));
        let values = param.map(|param| bare(param.takes, known)).unwrap_or_default();
        let schema = bare_or(values, &format!("generator {}", info.name));
        definitions.insert(slug(&format!("column {}", info.name)), schema);
    }
    definitions.insert("generator".to_owned(), generator());
    for info in MODIFIERS {
        definitions.insert(slug(&format!("modifier {}", info.name)), object(info.params, known));
    }
    definitions.insert("modifier".to_owned(), modifier(known, |_| true));
    definitions.insert("table-modifier".to_owned(), modifier(known, |name| name == "effect"));
    root(known, definitions)
}

/// Both forms: `shardmill` with `tables`, or bare with `version` and `nodes`.
fn root(known: &Known<'_>, definitions: Map<String, Value>) -> Value {
    let mut properties = Map::new();
    for key in SPEC.keys.iter().chain(BARE.keys) {
        properties.insert(key.name.to_owned(), described(key, property(key.takes, known, true)));
    }
    let mut schema = closed(properties, &[]);
    schema["anyOf"] = json!([
        { "required": ["shardmill", "name", "tables"], "properties": { "version": false, "metadata": false, "nodes": false } },
        { "required": ["version", "nodes"], "properties": { "tables": false } },
    ]);
    let mut whole = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Shardmill spec",
        "description": "A relational dataset: tables, columns, and how their values are made.",
    });
    for (key, value) in schema.as_object_mut().into_iter().flat_map(std::mem::take) {
        whole[key] = value;
    }
    whole["$defs"] = Value::Object(definitions);
    whole
}

fn column(known: &Known<'_>) -> Value {
    let mut properties = properties(COLUMN.keys, known);
    for info in GENERATORS {
        let mut schema = reference(&format!("column {}", info.name));
        schema["description"] = json!(info.about);
        properties.insert(info.name.to_owned(), schema);
    }
    let alternatives = [property("a type", known, true), closed(properties, &[])];
    json!({ "anyOf": alternatives })
}

/// `generator: {NAME: parameters}`, or its name alone.
fn generator() -> Value {
    let all: Vec<&str> = GENERATORS.iter().map(|info| info.name).collect();
    let mut properties = Map::new();
    for info in GENERATORS {
        properties.insert(info.name.to_owned(), reference(&format!("column {}", info.name)));
    }
    json!({ "anyOf": [
        { "enum": all },
        { "type": "object", "properties": properties, "additionalProperties": false, "minProperties": 1, "maxProperties": 1 },
    ] })
}

/// `{transform: NAME, args: {…}}`, or `{NAME: …}`.
fn modifier(known: &Known<'_>, wanted: impl Fn(&str) -> bool) -> Value {
    let infos: Vec<_> = MODIFIERS.iter().filter(|info| wanted(info.name)).collect();
    let mut short = Map::new();
    let mut cases = Vec::new();
    for info in &infos {
        let own = format!("modifier {}", info.name);
        let param = info.bare.and_then(|bare| info.params.iter().find(|param| param.name == bare));
        let mut schema = bare_or(param.map(|param| bare(param.takes, known)).unwrap_or_default(), &own);
        schema["description"] = json!(info.about);
        short.insert(info.name.to_owned(), schema);
        cases.push(json!({
            "if": { "properties": { "transform": { "const": info.name } }, "required": ["transform"] },
            "then": { "properties": { "args": bare_or(Vec::new(), &own) } },
        }));
    }
    let all: Vec<&str> = infos.iter().map(|info| info.name).collect();
    let mut long = Map::new();
    long.insert("transform".to_owned(), json!({ "enum": all, "description": "which modifier" }));
    long.insert("args".to_owned(), json!({ "description": "its arguments" }));
    let mut long = closed(long, &["transform", "args"]);
    long["allOf"] = json!(cases);
    let short = json!({
        "type": "object", "properties": short, "additionalProperties": false, "minProperties": 1, "maxProperties": 1,
    });
    json!({ "anyOf": [long, short] })
}

/// The parameters of a generator; some take more, depending on what is chosen.
fn parameters(name: &str, params: &[Param], known: &Known<'_>) -> Value {
    let mut properties = properties(params, known);
    if name == "distribution" {
        let mut all = Map::new();
        for key in DISTRIBUTIONS.iter().flat_map(|group| group.keys) {
            let schema = json!({ "type": ["number", "null"] });
            all.insert(key.name.to_owned(), schema.clone());
            properties.insert(key.name.to_owned(), schema);
        }
        let mut params = closed(all, &[]);
        params["type"] = json!(["object", "null"]);
        properties.insert("params".to_owned(), params);
    }
    if name == "faker" {
        for parameter in METHODS.iter().flat_map(|info| info.parameters) {
            properties.insert((*parameter).to_owned(), json!({ "type": ["string", "integer", "null"] }));
        }
    }
    closed(properties, &required(params))
}

fn object(keys: &[Param], known: &Known<'_>) -> Value {
    closed(properties(keys, known), &required(keys))
}

fn properties(keys: &[Param], known: &Known<'_>) -> Map<String, Value> {
    let schema = |key: &Param| described(key, property(key.takes, known, !key.default.is_empty()));
    keys.iter().map(|key| (key.name.to_owned(), schema(key))).collect()
}

fn required(keys: &[Param]) -> Vec<&'static str> {
    keys.iter().filter(|key| key.default.is_empty()).map(|key| key.name).collect()
}

fn described(key: &Param, mut schema: Value) -> Value {
    let default = if key.default.is_empty() { String::new() } else { format!(" (default: {})", key.default) };
    schema["description"] = json!(format!("{}{default}", key.about));
    schema
}

fn bare_or(mut alternatives: Vec<Value>, definition: &str) -> Value {
    alternatives.push(reference(definition));
    alternatives.push(json!({ "type": "null" }));
    json!({ "anyOf": alternatives })
}

/// A reference to a definition.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{}", slug(name)) })
}

/// Remarks are allowed in every map.
pub(super) fn remarked(mut properties: Map<String, Value>) -> Map<String, Value> {
    for remark in ["comment", "description"] {
        properties.entry(remark).or_insert_with(|| json!({ "description": "a remark" }));
    }
    properties
}

fn slug(name: &str) -> String {
    name.replace(' ', "-")
}

/// The group of a name.
pub(super) fn group(name: &str) -> Option<&'static Group> {
    GROUPS.iter().find(|group| group.name == name)
}
