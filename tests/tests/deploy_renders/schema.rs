//! As much of OpenAPI's schemas as custom resources use, and stricter: a field that is not declared is a fault.

use serde_json::Value;

use crate::files::items;

/// What the schema refuses of `value`, which stands at `at`.
pub(crate) fn refused(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(kind) = schema["type"].as_str()
        && !is_of(kind, value)
    {
        return vec![format!("{at}: {value} is no {kind}")];
    }
    let mut faults = Vec::new();
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        faults.push(format!("{at}: {value} is none of {allowed:?}"));
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_f64(), value.as_f64())
        && number < least
    {
        faults.push(format!("{at}: {number} is below {least}"));
    }
    let required = items(&schema["required"]).iter().filter_map(Value::as_str);
    faults.extend(required.filter(|name| value.get(name).is_none()).map(|name| format!("{at}: no {name}")));
    for (index, element) in items(value).iter().enumerate() {
        faults.extend(refused(&schema["items"], element, &format!("{at}[{index}]")));
    }
    faults.extend(refused_fields(schema, value, at));
    faults
}

fn refused_fields(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let fields = value.as_object().into_iter().flatten();
    let declared = &schema["properties"];
    let others = &schema["additionalProperties"];
    let mut faults = Vec::new();
    for (name, field) in fields {
        let at = format!("{at}.{name}");
        match declared.get(name) {
            Some(own) => faults.extend(refused(own, field, &at)),
            None if others.is_object() => faults.extend(refused(others, field, &at)),
            None if declared.is_object() => faults.push(format!("{at}: there is no such field")),
            None => {}
        }
    }
    faults
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => false,
    }
}
