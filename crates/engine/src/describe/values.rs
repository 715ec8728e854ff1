//! What a key takes, from the words that the documentation shows to a JSON Schema. Pure.

use serde_json::{Value, json};
use shardmill_shared::spec::envelope::Known;

use super::schema::{reference, remarked};
use crate::check::rules::Comparison;
use crate::semantic::{Locale, METHODS};

/// The schemas of what may stand under a key: one of them must fit. Empty when the words are not known.
pub(super) fn alternatives(takes: &str, known: &Known<'_>) -> Vec<Value> {
    let (first, list) = match takes.split_once(", or ") {
        Some((first, rest)) if rest.starts_with("a list of them") || rest.starts_with("list of them") => (first, true),
        Some((first, rest)) => return [alternatives(first, known), alternatives(rest, known)].concat(),
        None => (takes, false),
    };
    let mut found = one(first, known);
    if list {
        let item = found.first().map(|schema| schema.get("additionalProperties").unwrap_or(schema).clone());
        found.push(json!({ "type": "array", "items": item }));
    }
    found
}

fn one(takes: &str, known: &Known<'_>) -> Vec<Value> {
    let several = mixed(takes);
    if !several.is_empty() {
        return several;
    }
    let single = number(takes).or_else(|| text(takes, known)).or_else(|| structure(takes, known));
    single.or_else(|| enumeration(takes).map(|words| json!({ "enum": words }))).into_iter().collect()
}

fn number(takes: &str) -> Option<Value> {
    Some(match takes {
        "1" => json!({ "const": 1 }),
        "int" | "int, not 0" => json!({ "type": "integer" }),
        "int, not negative" => json!({ "type": "integer", "minimum": 0 }),
        "int, at least 1" => json!({ "type": "integer", "minimum": 1 }),
        "number" => json!({ "type": "number" }),
        "number, not negative" | "minutes, not negative" | "dollars" => json!({ "type": "number", "minimum": 0 }),
        "number above 0" | "a number of rows" => json!({ "type": "number", "exclusiveMinimum": 0 }),
        "share from 0 to 1" | "share of the window" => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        "share a year, above -1" => json!({ "type": "number", "exclusiveMinimum": -1 }),
        "number from 0 to 2" => json!({ "type": "number", "minimum": 0, "maximum": 2 }),
        "1 to 8" => json!({ "type": "number", "minimum": 1, "maximum": 8 }),
        "4 or 7" => json!({ "enum": [4, 7] }),
        "true or false" => json!({ "type": "boolean" }),
        _ => return None,
    })
}

fn text(takes: &str, known: &Known<'_>) -> Option<Value> {
    Some(match takes {
        "text" | "template" | "name" | "table" | "column" | "datetime column" | "expression" | "child for a count" => {
            json!({ "type": "string" })
        }
        "PROVIDER/MODEL" => json!({ "type": "string", "pattern": "/" }),
        "table.column" | "child.column" => json!({ "type": "string", "pattern": "\\." }),
        "date or time" => json!({ "type": "string", "pattern": "^[0-9]" }),
        "timeframe" => json!({ "const": "timeframe" }),
        "a kind" => json!({ "enum": known.kinds }),
        "one ASCII character" => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        "a format" => json!({ "enum": known.formats }),
        "a compression" => {
            json!({ "type": "string", "pattern": format!("^({})(:.*)?$", known.compressions.join("|")) })
        }
        "a comparison" => json!({ "enum": Comparison::SIGNS }),
        "a semantic type" => {
            let all = METHODS.iter().flat_map(|info| std::iter::once(&info.name).chain(info.aliases));
            json!({ "enum": all.collect::<Vec<_>>() })
        }
        "locale such as de_DE" => {
            let all: Vec<&str> = Locale::ALL.iter().map(|locale| locale.name()).collect();
            json!({ "anyOf": [{ "enum": all }, { "type": "string", "pattern": "^[A-Za-z]{2}([-_][A-Za-z]{2})?$" }] })
        }
        "column of country codes, country names or cities" => json!({ "type": "string" }),
        "uniform, zipf@ALPHA or head_tail@{SHARE,ALPHA}" => {
            json!({ "type": "string", "pattern": "^(uniform|zipf@|head_tail@)" })
        }
        _ if takes.starts_with("text with {") => json!({ "type": "string" }),
        _ if takes.starts_with("frequency") || takes.starts_with("S, T, H") => {
            json!({ "type": "string", "pattern": "^[0-9]*[A-Za-z]+$" })
        }
        _ => return None,
    })
}

fn structure(takes: &str, known: &Known<'_>) -> Option<Value> {
    if let Some(item) = takes.strip_prefix("list of ") {
        return Some(list(item, known));
    }
    if let Some(rest) = takes.strip_prefix("map of ") {
        return Some(map(rest));
    }
    Some(match takes {
        "[min, max]" => json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 }),
        "24, 7 or 12 numbers" => list("numbers", known),
        "map" | "a JSON Schema" => json!({ "type": "object" }),
        "a distribution" => reference("generator distribution"),
        "{start, end}" => reference("window"),
        "{start_col, end_col}" => reference("effect window"),
        "{field, op: mul or add, default}" => reference("effect map"),
        "{a, b}" => reference("trend params"),
        "{dimension: hour, dow or month, weights}" => reference("pattern"),
        _ => reference(takes.strip_prefix('{')?.strip_suffix('}')?),
    })
}

fn list(item: &str, known: &Known<'_>) -> Value {
    let items = match item {
        "values" => json!({ "type": ["string", "number", "boolean", "null"] }),
        "numbers" => json!({ "type": "number" }),
        "dates" => one("date or time", known).remove(0),
        "tables" | "texts" => json!({ "type": "string" }),
        "lists of tables" => json!({ "type": "array", "items": { "type": "string" } }),
        "effects" => reference("table modifier"),
        "modifiers" => reference("modifier"),
        _ => one(item, known).into_iter().next().unwrap_or(json!({})),
    };
    json!({ "type": "array", "items": items })
}

/// `map of KEY to VALUE`: the keys are the user's own known.
fn map(rest: &str) -> Value {
    let value = rest.rsplit_once(" to ").map_or(rest, |(_, value)| value);
    let items = match value {
        "weight" => json!({ "type": "number" }),
        "new" => json!({ "type": ["string", "number", "boolean"] }),
        "theirs" | "our column" => json!({ "type": "string" }),
        "texts" => json!({ "type": "array", "items": { "type": "string" } }),
        named => reference(named.trim_matches(['{', '}'])),
    };
    json!({ "type": "object", "additionalProperties": items })
}

fn mixed(takes: &str) -> Vec<Value> {
    match takes {
        "number or time" => vec![json!({ "type": "number" }), json!({ "type": "string", "pattern": "^[0-9]" })],
        "any value" => vec![json!({})],
        "a value of the column's type" => vec![json!({ "type": ["string", "number", "boolean"] })],
        "\"1.0\"" => vec![json!({ "enum": ["1.0", 1.0] })],
        "a type" => vec![
            json!({ "enum": super::schema::TYPES }),
            json!({ "type": "string", "pattern": "^ *decimal *\\([ 0-9,]+\\) *$" }),
        ],
        _ => Vec::new(),
    }
}

/// `hour, dow or month`: single words.
fn enumeration(takes: &str) -> Option<Vec<&str>> {
    let (front, last) = takes.rsplit_once(" or ")?;
    let words: Vec<&str> = front.split(", ").chain([last]).collect();
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    words.iter().all(is_word).then_some(words)
}

/// The alternatives as one schema, with what the key is for.
pub(super) fn property(takes: &str, known: &Known<'_>, optional: bool) -> Value {
    let mut found = alternatives(takes, known);
    if optional {
        found.push(json!({ "type": "null" }));
    }
    if found.len() == 1 { found.remove(0) } else { json!({ "anyOf": found }) }
}

/// What may stand for a whole map by its one bare parameter: anything but a map.
pub(super) fn bare(takes: &str, known: &Known<'_>) -> Vec<Value> {
    let is_map = |schema: &Value| schema.get("type") == Some(&json!("object")) || schema.get("$ref").is_some();
    alternatives(takes, known).into_iter().filter(|schema| !is_map(schema)).collect()
}

/// A map with exactly these properties, and remarks.
pub(super) fn closed(properties: serde_json::Map<String, Value>, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": remarked(properties), "additionalProperties": false });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}
