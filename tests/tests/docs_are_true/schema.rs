//! As much of JSON Schema as our own schema uses. Pure.

use regex::Regex;
use serde_json::{Map, Value};

/// What is wrong with a value, one line for each finding; nothing when it is valid.
pub(crate) fn check(schema: &Value, value: &Value, root: &Value, path: &str) -> Vec<String> {
    let Value::Object(rules) = schema else {
        return if *schema == Value::Bool(false) {
            vec![format!("{path}: nothing may stand here")]
        } else {
            Vec::new()
        };
    };
    let mut found = Vec::new();
    for (rule, argument) in rules {
        let wrong = match rule.as_str() {
            "$ref" => {
                let pointer = argument.as_str().unwrap().trim_start_matches('#');
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("{path}: no {pointer}"));
                found.extend(check(target, value, root, path));
                false
            }
            "anyOf" => {
                let all: Vec<Vec<String>> =
                    argument.as_array().unwrap().iter().map(|one| check(one, value, root, path)).collect();
                let fits = all.iter().any(Vec::is_empty);
                if !fits {
                    found.extend(all.into_iter().flatten());
                }
                false
            }
            "allOf" => {
                let all = argument.as_array().unwrap().iter();
                found.extend(all.flat_map(|one| check(one, value, root, path)));
                false
            }
            "if" => {
                if check(argument, value, root, path).is_empty() {
                    found.extend(check(&rules["then"], value, root, path));
                }
                false
            }
            "properties" | "additionalProperties" | "required" => {
                found.extend(object(rule, rules, value, root, path));
                false
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(items.flat_map(|(at, item)| check(argument, item, root, &format!("{path}.{at}"))));
                false
            }
            _ => !holds(rule, argument, value),
        };
        if wrong {
            found.push(format!("{path}: {value} against {rule} {argument}"));
        }
    }
    found
}

fn object(rule: &str, rules: &Map<String, Value>, value: &Value, root: &Value, path: &str) -> Vec<String> {
    let Value::Object(entries) = value else { return Vec::new() };
    let properties = rules.get("properties").and_then(Value::as_object);
    let named = |key: &str| properties.and_then(|properties| properties.get(key));
    let below = |key: &str| format!("{path}.{key}");
    match rule {
        "properties" => {
            let known = entries.iter().filter_map(|(key, value)| Some((key, named(key)?, value)));
            known.flat_map(|(key, schema, value)| check(schema, value, root, &below(key))).collect()
        }
        "additionalProperties" => {
            let others = entries.iter().filter(|(key, _)| named(key).is_none());
            others.flat_map(|(key, value)| check(&rules[rule], value, root, &below(key))).collect()
        }
        _ => {
            let required = rules[rule].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
            required.filter(|name| !entries.contains_key(*name)).map(|name| format!("{path}: no {name}")).collect()
        }
    }
}

fn holds(rule: &str, argument: &Value, value: &Value) -> bool {
    let number = |holds: fn(f64, f64) -> bool| match (value.as_f64(), argument.as_f64()) {
        (Some(value), Some(bound)) => holds(value, bound),
        _ => true,
    };
    let size = |size: Option<usize>, holds: fn(u64, u64) -> bool| {
        size.is_none_or(|size| holds(size as u64, argument.as_u64().unwrap()))
    };
    match rule {
        "type" => match argument {
            Value::Array(kinds) => kinds.iter().any(|kind| is(kind, value)),
            kind => is(kind, value),
        },
        "const" => same(argument, value),
        "enum" => argument.as_array().unwrap().iter().any(|one| same(one, value)),
        "minimum" => number(|value, bound| value >= bound),
        "maximum" => number(|value, bound| value <= bound),
        "exclusiveMinimum" => number(|value, bound| value > bound),
        "pattern" => value.as_str().is_none_or(|text| Regex::new(argument.as_str().unwrap()).unwrap().is_match(text)),
        "minLength" => size(value.as_str().map(str::len), |size, bound| size >= bound),
        "maxLength" => size(value.as_str().map(str::len), |size, bound| size <= bound),
        "minItems" => size(value.as_array().map(Vec::len), |size, bound| size >= bound),
        "maxItems" => size(value.as_array().map(Vec::len), |size, bound| size <= bound),
        "minProperties" => size(value.as_object().map(Map::len), |size, bound| size >= bound),
        "maxProperties" => size(value.as_object().map(Map::len), |size, bound| size <= bound),
        "then" | "description" | "title" | "$schema" | "$defs" => true,
        _ => panic!("the schema uses `{rule}`, which this test does not know"),
    }
}

fn same(one: &Value, other: &Value) -> bool {
    one == other || one.as_f64().is_some_and(|number| other.as_f64() == Some(number))
}

fn is(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        other => panic!("no type {other}"),
    }
}
