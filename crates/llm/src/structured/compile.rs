//! From a JSON Schema as written to rules that a value can be held to. Pure.

use std::collections::HashMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::schema::{ArrayRules, Format, Node, NumberRules, ObjectRules, Others, StringRules, Type};
use crate::limits::{DEPTH_MAX, PROBLEMS_MAX};
use crate::near::nearest;

/// Keywords that say something a value is held to.
const KEYWORDS: [&str; 23] = [
    "type",
    "enum",
    "const",
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
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
];
/// Keywords that are remarks, or hold schemas that are referred to.
const REMARKS: [&str; 12] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
];

/// The list of schemas, the first of which is the whole.
///
/// # Errors
/// What is wrong, each with its path.
pub(super) fn compile(schema: &Value) -> Result<Vec<Node>, Vec<String>> {
    let mut compiler = Compiler { root: schema, nodes: Vec::new(), places: HashMap::new(), problems: Vec::new() };
    compiler.at(schema, "#", 0);
    compiler.problems.truncate(PROBLEMS_MAX);
    if compiler.problems.is_empty() { Ok(compiler.nodes) } else { Err(compiler.problems) }
}

struct Compiler<'a> {
    root: &'a Value,
    nodes: Vec<Node>,
    /// Schemas by the pointer that refers to them.
    places: HashMap<String, usize>,
    problems: Vec<String>,
}

impl<'a> Compiler<'a> {
    fn object_to(&mut self, path: &str, what: &str) {
        self.problems.push(format!("{path}: {what}"));
    }

    /// Adds the schema at `path`, and all within it.
    fn at(&mut self, schema: &'a Value, path: &str, depth: usize) -> usize {
        let place = self.nodes.len();
        self.nodes.push(Node::default());
        self.places.insert(path.to_owned(), place);
        let map = match schema {
            _ if depth > DEPTH_MAX => {
                self.object_to(path, &format!("nests deeper than {DEPTH_MAX}"));
                return place;
            }
            Value::Bool(true) => return place,
            Value::Object(map) => map,
            other => {
                self.object_to(path, &format!("is {other}, expected a schema"));
                return place;
            }
        };
        for key in map.keys().filter(|key| !KEYWORDS.contains(&key.as_str()) && !REMARKS.contains(&key.as_str())) {
            let near = nearest(key, KEYWORDS.iter().copied());
            let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            self.object_to(path, &format!("`{key}` is not supported{near}"));
        }
        let node = Node {
            reference: self.reference(map, path, depth),
            types: self.types(map, path),
            options: self.options(map, path),
            any_of: self.list(map, "anyOf", (path, depth)),
            one_of: self.list(map, "oneOf", (path, depth)),
            all_of: self.list(map, "allOf", (path, depth)),
            object: self.object_rules(map, path, depth),
            array: self.array_rules(map, path, depth),
            number: self.number_rules(map, path),
            string: self.string_rules(map, path),
        };
        self.nodes[place] = node;
        place
    }

    /// The schema that `$ref` names, which must lie in the same document.
    fn reference(&mut self, map: &'a Map<String, Value>, path: &str, depth: usize) -> Option<usize> {
        let pointer = map.get("$ref")?;
        let Some(pointer) = pointer.as_str().filter(|pointer| pointer.starts_with('#')) else {
            self.object_to(path, &format!("$ref is {pointer}, expected a place in the schema, like `#/$defs/name`"));
            return None;
        };
        if let Some(place) = self.places.get(pointer) {
            return Some(*place);
        }
        let Some(target) = self.root.pointer(&pointer[1..]) else {
            self.object_to(path, &format!("$ref names `{pointer}`, which is not there"));
            return None;
        };
        Some(self.at(target, pointer, depth + 1))
    }

    fn types(&mut self, map: &Map<String, Value>, path: &str) -> Vec<Type> {
        let named = match map.get("type") {
            None => return Vec::new(),
            Some(Value::Array(names)) => names.iter().collect(),
            Some(one) => vec![one],
        };
        let types: Vec<Type> = named.iter().filter_map(|name| type_of(name.as_str()?)).collect();
        if types.len() != named.len() || types.is_empty() {
            let expected = "expected null, boolean, integer, number, string, array or object";
            self.object_to(path, &format!("type is {}, {expected}", map["type"]));
        }
        types
    }

    fn options(&mut self, map: &Map<String, Value>, path: &str) -> Option<Vec<Value>> {
        if let Some(value) = map.get("const") {
            return Some(vec![value.clone()]);
        }
        match map.get("enum")? {
            Value::Array(options) if !options.is_empty() => Some(options.clone()),
            other => {
                self.object_to(path, &format!("enum is {other}, expected a list of values"));
                None
            }
        }
    }

    fn list(&mut self, map: &'a Map<String, Value>, key: &str, (path, depth): (&str, usize)) -> Vec<usize> {
        match map.get(key) {
            None => Vec::new(),
            Some(Value::Array(schemas)) if !schemas.is_empty() => {
                let each = schemas.iter().enumerate();
                each.map(|(at, schema)| self.at(schema, &format!("{path}/{key}/{at}"), depth + 1)).collect()
            }
            Some(_) => {
                self.object_to(path, &format!("{key} is no list of schemas"));
                Vec::new()
            }
        }
    }

    fn object_rules(&mut self, map: &'a Map<String, Value>, path: &str, depth: usize) -> ObjectRules {
        let mut rules = ObjectRules::default();
        match map.get("properties") {
            None => {}
            Some(Value::Object(properties)) => {
                for (name, schema) in properties {
                    let place = self.at(schema, &format!("{path}/properties/{name}"), depth + 1);
                    rules.properties.insert(name.clone(), place);
                }
            }
            Some(_) => self.object_to(path, "properties is no map of schemas"),
        }
        match map.get("required") {
            None => {}
            Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
                rules.required = names.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            }
            Some(_) => self.object_to(path, "required is no list of names"),
        }
        rules.others = match map.get("additionalProperties") {
            None | Some(Value::Bool(true)) => Others::Any,
            Some(Value::Bool(false)) => Others::None,
            Some(schema) => Others::Like(self.at(schema, &format!("{path}/additionalProperties"), depth + 1)),
        };
        rules
    }

    fn array_rules(&mut self, map: &'a Map<String, Value>, path: &str, depth: usize) -> ArrayRules {
        let items = map.get("items").map(|schema| self.at(schema, &format!("{path}/items"), depth + 1));
        let must_differ = map.get("uniqueItems").is_some_and(|value| *value == Value::Bool(true));
        let [least, most] = self.counts(map, ["minItems", "maxItems"], path);
        ArrayRules { items, least, most, must_differ }
    }

    fn number_rules(&mut self, map: &Map<String, Value>, path: &str) -> NumberRules {
        let mut number = |key: &str| {
            let value = map.get(key)?;
            let number = value.as_f64();
            if number.is_none() {
                self.object_to(path, &format!("{key} is {value}, expected a number"));
            }
            number
        };
        let rules = NumberRules {
            minimum: number("minimum"),
            maximum: number("maximum"),
            above: number("exclusiveMinimum"),
            below: number("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
        };
        if rules.multiple_of.is_some_and(|step| step <= 0.0) {
            self.object_to(path, "multipleOf is not above 0");
        }
        rules
    }

    fn string_rules(&mut self, map: &Map<String, Value>, path: &str) -> StringRules {
        let [least, most] = self.counts(map, ["minLength", "maxLength"], path);
        let pattern = map.get("pattern").and_then(|pattern| {
            let made = pattern.as_str().and_then(|pattern| Regex::new(pattern).ok());
            if made.is_none() {
                self.object_to(
                    path,
                    &format!("pattern is {pattern}, expected a regular expression without look-around"),
                );
            }
            made
        });
        let format = match map.get("format").and_then(Value::as_str) {
            Some("date") => Some(Format::Date),
            Some("date-time") => Some(Format::DateTime),
            Some("uuid") => Some(Format::Uuid),
            _ => None,
        };
        StringRules { least, most, pattern, format }
    }

    fn counts(&mut self, map: &Map<String, Value>, keys: [&str; 2], path: &str) -> [Option<u64>; 2] {
        keys.map(|key| {
            let value = map.get(key)?;
            let count = value.as_u64();
            if count.is_none() {
                self.object_to(path, &format!("{key} is {value}, expected a count"));
            }
            count
        })
    }
}

fn type_of(name: &str) -> Option<Type> {
    Some(match name {
        "null" => Type::Null,
        "boolean" => Type::Boolean,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "string" => Type::String,
        "array" => Type::Array,
        "object" => Type::Object,
        _ => return None,
    })
}
