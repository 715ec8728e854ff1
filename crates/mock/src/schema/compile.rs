//! From a JSON schema to shapes. Whatever constrains values and is not listed here is refused, so that no answer breaks a
//! schema silently. Pure.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::numbers::{Number, Whole};
use super::strings::Text;
use super::{Id, Property, SchemaError, Shape};
use crate::limits::{SCHEMA_ITEMS, SCHEMA_NODES};

/// Keywords that say nothing about which values are right, or are read where their value is needed.
const ANNOTATIONS: [&str; 17] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "$anchor",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
    "strict",
    "propertyOrdering",
];
/// Keywords that are understood.
const UNDERSTOOD: [&str; 23] = [
    "type",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "oneOf",
];
const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];
/// How many more items than the least are made where there is room.
const MORE_ITEMS: u64 = 3;

pub(super) struct Compiler<'d> {
    document: &'d Value,
    pub(super) shapes: Vec<Shape>,
    /// What references have led to, by their text.
    targets: HashMap<&'d str, Id>,
}

/// Where in the schema we are.
struct Site<'d> {
    path: String,
    /// The name of the property whose value this is.
    name: Option<&'d str>,
}

impl<'d> Site<'d> {
    fn below(&self, step: &str, name: Option<&'d str>) -> Self {
        Self { path: format!("{}/{step}", self.path), name }
    }

    fn error(&self, message: impl Into<String>) -> SchemaError {
        SchemaError { path: self.path.clone(), message: message.into() }
    }
}

impl<'d> Compiler<'d> {
    pub(super) fn new(document: &'d Value) -> Self {
        Self { document, shapes: Vec::new(), targets: HashMap::new() }
    }

    pub(super) fn root(&mut self) -> Result<Id, SchemaError> {
        self.target("#", &Site { path: "#".to_owned(), name: None })
    }

    fn add(&mut self, shape: Shape, site: &Site<'d>) -> Result<Id, SchemaError> {
        if self.shapes.len() >= SCHEMA_NODES {
            return Err(site.error(format!("the schema has more than {SCHEMA_NODES} parts")));
        }
        self.shapes.push(shape);
        Ok(self.shapes.len() - 1)
    }

    /// The shape that a reference leads to, which may lie around the reference.
    fn target(&mut self, reference: &'d str, site: &Site<'d>) -> Result<Id, SchemaError> {
        if let Some(known) = self.targets.get(reference) {
            return Ok(*known);
        }
        let pointer = reference.strip_prefix('#').ok_or_else(|| {
            site.error(format!(
                "the reference {reference:?} leads out of the schema; expected one such as #/$defs/NAME"
            ))
        })?;
        let found = self.document.pointer(pointer);
        let node = found.ok_or_else(|| site.error(format!("the reference {reference:?} leads nowhere")))?;
        let reserved = self.add(Shape::Null, site)?;
        // It stands for itself until it is known, so that a reference in a circle of nothing else has no value.
        self.shapes[reserved] = Shape::Same(reserved);
        self.targets.insert(reference, reserved);
        let known = self.node(node, &Site { path: reference.to_owned(), name: site.name })?;
        self.shapes[reserved] = Shape::Same(known);
        Ok(reserved)
    }

    fn node(&mut self, node: &'d Value, site: &Site<'d>) -> Result<Id, SchemaError> {
        match node {
            Value::Bool(true) => self.typed("string", &EMPTY, site),
            Value::Object(node) => self.object(node, site),
            other => Err(site.error(format!("{other} is no schema that a value satisfies"))),
        }
    }

    fn object(&mut self, node: &'d Map<String, Value>, site: &Site<'d>) -> Result<Id, SchemaError> {
        let unknown = node.keys().find(|key| !is_known(key));
        if let Some(key) = unknown {
            return Err(site.error(format!("`{key}` is not offered")));
        }
        if let Some(reference) = node.get("$ref") {
            alone(node, "$ref", site)?;
            let reference = reference.as_str().ok_or_else(|| site.error("$ref is no text"))?;
            return self.target(reference, site);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(branches) = node.get(key) {
                alone(node, key, site)?;
                return self.branches(key, branches, site);
            }
        }
        if let Some(value) = node.get("const") {
            return self.add(Shape::Choice(vec![value.to_string()]), site);
        }
        if let Some(values) = node.get("enum") {
            return self.choice(values, node, site);
        }
        match node.get("type") {
            Some(Value::String(name)) => self.typed(name, node, site),
            Some(Value::Array(names)) if !names.is_empty() => {
                let names = names.iter().map(|name| name.as_str().ok_or_else(|| site.error("a type is no text")));
                let branches = names.map(|name| self.typed(name?, node, site)).collect::<Result<_, _>>()?;
                self.add(Shape::OneOf(branches), site)
            }
            Some(other) => Err(site.error(format!("{other} is no type"))),
            None => self.typed(implied(node), node, site),
        }
    }

    fn branches(&mut self, key: &str, branches: &'d Value, site: &Site<'d>) -> Result<Id, SchemaError> {
        let list = branches.as_array().filter(|list| !list.is_empty());
        let list = list.ok_or_else(|| site.error(format!("{key} is no list of schemas")))?;
        if key != "anyOf" && list.len() > 1 {
            return Err(site.error(format!("`{key}` of several schemas is not offered; use anyOf")));
        }
        let mut ids = Vec::with_capacity(list.len());
        for (at, branch) in list.iter().enumerate() {
            ids.push(self.node(branch, &site.below(&format!("{key}/{at}"), site.name))?);
        }
        self.add(Shape::OneOf(ids), site)
    }

    fn choice(&mut self, values: &Value, node: &Map<String, Value>, site: &Site<'d>) -> Result<Id, SchemaError> {
        let fits = |value: &&Value| match node.get("type") {
            Some(Value::String(name)) => is_of_type(value, name),
            Some(Value::Array(names)) => names.iter().any(|name| is_of_type(value, name.as_str().unwrap_or_default())),
            _ => true,
        };
        let values = values.as_array().ok_or_else(|| site.error("enum is no list"))?;
        let texts: Vec<String> = values.iter().filter(fits).map(Value::to_string).collect();
        if texts.is_empty() {
            return Err(site.error("no value of enum has the type"));
        }
        self.add(Shape::Choice(texts), site)
    }

    fn typed(&mut self, name: &str, node: &'d Map<String, Value>, site: &Site<'d>) -> Result<Id, SchemaError> {
        let shape = match name {
            "null" => Shape::Null,
            "boolean" => Shape::Boolean,
            "integer" => {
                Shape::Number(Number::read(node, Whole::Yes, site.name).map_err(|message| site.error(message))?)
            }
            "number" => Shape::Number(Number::read(node, Whole::No, site.name).map_err(|message| site.error(message))?),
            "string" => Shape::Text(Text::read(node, site.name).map_err(|message| site.error(message))?),
            "array" => self.list(node, site)?,
            "object" => Shape::Object(self.properties(node, site)?),
            other => {
                return Err(site.error(format!("there is no type {other:?}; expected one of {}", TYPES.join(", "))));
            }
        };
        self.add(shape, site)
    }

    fn list(&mut self, node: &'d Map<String, Value>, site: &Site<'d>) -> Result<Shape, SchemaError> {
        let count = |key: &str| match node.get(key) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| site.error(format!("{key} {value} is no count"))),
        };
        let least = count("minItems")?.unwrap_or(0);
        let most = count("maxItems")?.unwrap_or(u64::MAX).min(least + MORE_ITEMS);
        // One item is never there twice.
        let most = if node.get("uniqueItems") == Some(&Value::Bool(true)) { most.min(1) } else { most };
        if least > most || least > SCHEMA_ITEMS {
            return Err(
                site.error(format!("a list of {least} or more items is not offered with what else is said of it"))
            );
        }
        let item = match node.get("items") {
            Some(items) if most > 0 => self.node(items, &site.below("items", site.name))?,
            _ => self.typed("string", &EMPTY, site)?,
        };
        Ok(Shape::List { item, least, most })
    }

    fn properties(&mut self, node: &'d Map<String, Value>, site: &Site<'d>) -> Result<Vec<Property>, SchemaError> {
        let listed = match node.get("properties") {
            None => None,
            Some(properties) => Some(properties.as_object().ok_or_else(|| site.error("properties is no object"))?),
        };
        let required: Vec<&'d str> = match node.get("required") {
            None => Vec::new(),
            Some(names) => {
                let names = names.as_array().ok_or_else(|| site.error("required is no list"))?;
                names.iter().filter_map(Value::as_str).collect()
            }
        };
        let mut properties = Vec::new();
        for (name, property) in listed.unwrap_or(&EMPTY) {
            let shape = self.node(property, &site.below(&format!("properties/{name}"), Some(name)))?;
            let is_required = required.contains(&name.as_str());
            properties.push(Property { name: name.clone(), shape, is_required });
        }
        for name in required.into_iter().filter(|name| !listed.unwrap_or(&EMPTY).contains_key(*name)) {
            let shape = match node.get("additionalProperties") {
                None | Some(Value::Bool(true)) => self.typed("string", &EMPTY, &site.below(name, Some(name)))?,
                Some(Value::Bool(false)) => return Err(site.error(format!("{name:?} is required and is no property"))),
                Some(other) => self.node(other, &site.below("additionalProperties", Some(name)))?,
            };
            properties.push(Property { name: name.to_owned(), shape, is_required: true });
        }
        Ok(properties)
    }
}

/// Says nothing.
static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

fn is_known(key: &str) -> bool {
    ANNOTATIONS.contains(&key) || UNDERSTOOD.contains(&key)
}

/// Refuses what else constrains a value beside `key`.
fn alone(node: &Map<String, Value>, key: &str, site: &Site<'_>) -> Result<(), SchemaError> {
    let beside = node.keys().find(|other| *other != key && UNDERSTOOD.contains(&other.as_str()));
    match beside {
        Some(other) => Err(site.error(format!("`{other}` beside `{key}` is not offered"))),
        None => Ok(()),
    }
}

/// The type of a schema that does not say it.
fn implied(node: &Map<String, Value>) -> &'static str {
    let has = |keys: &[&str]| keys.iter().any(|key| node.contains_key(*key));
    if has(&["properties", "required", "additionalProperties"]) {
        "object"
    } else if has(&["items", "minItems", "maxItems"]) {
        "array"
    } else if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        "number"
    } else {
        "string"
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => {
            name == "number" || (name == "integer" && number.as_f64().is_some_and(|n| n.fract() == 0.0))
        }
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}
