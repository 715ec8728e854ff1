//! What providers demand of a schema beyond that it can be satisfied. Pure.

use serde_json::{Map, Value};

use super::SchemaError;

/// How strict a provider is with a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Strictness {
    /// Anything that can be satisfied.
    Lenient,
    /// Every object says that it has no other properties.
    Closed,
    /// The same, and every property is required.
    ClosedAndRequired,
}

/// Refuses what a provider would refuse, wherever it stands in the schema.
pub(super) fn check(node: &Value, strictness: Strictness, path: &str) -> Result<(), SchemaError> {
    if strictness == Strictness::Lenient {
        return Ok(());
    }
    let Value::Object(node) = node else { return Ok(()) };
    let is_object = node.contains_key("properties") || node.get("type") == Some(&Value::from("object"));
    if is_object && let Some(message) = objection(node, strictness) {
        return Err(SchemaError { path: path.to_owned(), message });
    }
    for key in ["properties", "$defs", "definitions"] {
        for (name, part) in node.get(key).and_then(Value::as_object).into_iter().flatten() {
            check(part, strictness, &format!("{path}/{key}/{name}"))?;
        }
    }
    for (at, branch) in node.get("anyOf").and_then(Value::as_array).into_iter().flatten().enumerate() {
        check(branch, strictness, &format!("{path}/anyOf/{at}"))?;
    }
    node.get("items").map_or(Ok(()), |items| check(items, strictness, &format!("{path}/items")))
}

fn objection(node: &Map<String, Value>, strictness: Strictness) -> Option<String> {
    if node.get("additionalProperties") != Some(&Value::Bool(false)) {
        return Some("'additionalProperties' must be given and be false".to_owned());
    }
    let required = node.get("required").and_then(Value::as_array);
    let is_required = |name: &String| required.is_some_and(|names| names.iter().any(|other| other == name));
    let properties = node.get("properties").and_then(Value::as_object).into_iter().flatten();
    let missing = properties.map(|(name, _)| name).find(|name| !is_required(name));
    let missing = missing.filter(|_| strictness == Strictness::ClosedAndRequired);
    missing.map(|name| format!("'required' must list every property; '{name}' is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_object_is_held_to_what_the_provider_demands() {
        let inner = json!({"type": "object", "properties": {"b": {}}, "additionalProperties": false});
        let schema = json!({"type": "array", "items": {"anyOf": [{"type": "null"}, inner]}});
        let open = json!({"$defs": {"a": {"type": "object"}}});
        let at = |schema, strictness| check(schema, strictness, "#").err().map(|error| error.path);
        assert_eq!(at(&schema, Strictness::Closed), None);
        assert_eq!(at(&schema, Strictness::ClosedAndRequired).as_deref(), Some("#/items/anyOf/1"));
        assert_eq!(at(&open, Strictness::Closed).as_deref(), Some("#/$defs/a"));
        assert_eq!(at(&open, Strictness::Lenient), None);
    }
}
