//! A JSON Schema as answers are held to it. Pure.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::Value;
use shardmill_shared::job::Digest;

use super::compile::compile;
use crate::error::ConfigError;

/// The longest name that providers take.
const NAME_BYTES_MAX: usize = 64;

/// A schema, checked and ready: what it says is held to, and a keyword that it could not be held to is refused.
#[derive(Debug)]
pub struct Schema {
    name: String,
    value: Value,
    text: String,
    digest: Digest,
    is_strict: bool,
    pub(super) nodes: Vec<Node>,
}

/// One schema of the tree; others are named by their place in the list.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) reference: Option<usize>,
    pub(super) types: Vec<Type>,
    pub(super) options: Option<Vec<Value>>,
    pub(super) any_of: Vec<usize>,
    pub(super) one_of: Vec<usize>,
    pub(super) all_of: Vec<usize>,
    pub(super) object: ObjectRules,
    pub(super) array: ArrayRules,
    pub(super) number: NumberRules,
    pub(super) string: StringRules,
}

/// A type of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

#[derive(Debug, Default)]
pub(super) struct ObjectRules {
    pub(super) properties: BTreeMap<String, usize>,
    pub(super) required: Vec<String>,
    pub(super) others: Others,
}

/// What properties there may be beside the named ones.
#[derive(Debug, Default)]
pub(super) enum Others {
    #[default]
    Any,
    None,
    Like(usize),
}

#[derive(Debug, Default)]
pub(super) struct ArrayRules {
    pub(super) items: Option<usize>,
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) must_differ: bool,
}

#[derive(Debug, Default)]
pub(super) struct NumberRules {
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) above: Option<f64>,
    pub(super) below: Option<f64>,
    pub(super) multiple_of: Option<f64>,
}

#[derive(Debug, Default)]
pub(super) struct StringRules {
    pub(super) least: Option<u64>,
    pub(super) most: Option<u64>,
    pub(super) pattern: Option<Regex>,
    pub(super) format: Option<Format>,
}

/// The formats that are checked; all others are taken as remarks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Date,
    DateTime,
    Uuid,
}

impl Schema {
    /// Checks and prepares a schema. `name` goes to providers that want one.
    ///
    /// # Errors
    /// Every problem at once: a keyword that is not known, each with its path in the schema.
    pub fn new(name: &str, value: Value) -> Result<Self, ConfigError> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(is_plain) {
            let expected = format!("expected 1 to {NAME_BYTES_MAX} letters, digits, `_` and `-`");
            return Err(ConfigError(format!("the schema's name is `{name}`, {expected}")));
        }
        let nodes = compile(&value)
            .map_err(|problems| ConfigError(format!("the schema `{name}` cannot be used: {}", problems.join("; "))))?;
        let text = value.to_string();
        let digest = Digest::of(text.as_bytes());
        let is_strict = is_strict(&value);
        Ok(Self { name: name.to_owned(), value, text, digest, is_strict, nodes })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// As it was written.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// As it was written, in one line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The digest of its text.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether every object names all of its properties as required and allows no others, which is the form that
    /// OpenAI holds models to word for word.
    pub fn is_strict(&self) -> bool {
        self.is_strict
    }
}

fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Array(items) => items.iter().all(is_strict),
        Value::Object(map) => {
            let is_object = map.get("type").is_some_and(|of| of == "object") || map.contains_key("properties");
            let required = map.get("required").and_then(Value::as_array).map_or(0, Vec::len);
            let properties = map.get("properties").and_then(Value::as_object).map_or(0, serde_json::Map::len);
            let is_closed = map.get("additionalProperties") == Some(&Value::Bool(false)) && required == properties;
            // What stands in `const`, `enum` and `default` is data, but data that looks like an open object is rare
            // enough to be asked for loosely.
            (!is_object || is_closed) && map.values().all(is_strict)
        }
        _ => true,
    }
}
