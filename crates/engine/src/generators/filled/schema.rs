//! The JSON Schemas that `llm_json` takes: from what is written to what a model is given, and to the column's fields. Pure.
//!
//! What a model is given requires every field and allows no other: where a spec leaves one out, the field may be null.

use regex::Regex;
use serde_json::{Map, Value as Json, json};
use shardmill_shared::spec::{Fields, Place, Value};

use crate::filling::{Kind, Shape};

/// How deep structs and lists may nest.
const DEPTH_MAX: usize = 8;
/// The most properties of one object.
const PROPERTIES_MAX: usize = 100;
/// The types that a schema may name.
const TYPES: [&str; 6] = ["object", "string", "integer", "number", "boolean", "array"];
/// The formats that answers are held to.
const FORMATS: [&str; 3] = ["date", "date-time", "uuid"];

/// A part of the schema as a model is given it, and the part of the column that it becomes.
type Part = (Json, Shape);

/// The whole schema: an object.
pub(in crate::generators) fn whole(place: &Place<'_>) -> Option<Part> {
    let (schema, shape) = part(place, 0)?;
    match (&shape.kind, shape.nullable) {
        (Kind::Struct(_), false) => Some((schema, shape)),
        _ => place.problem("the column would not be a struct", "`type: object` with `properties`"),
    }
}

fn part(place: &Place<'_>, depth: usize) -> Option<Part> {
    if depth > DEPTH_MAX {
        return place.problem(format!("it nests deeper than {DEPTH_MAX}"), "a flatter schema");
    }
    let fields = place.fields()?;
    let (word, maybe) = kind(&fields)?;
    let nullable = fields.get("nullable").map_or(Some(maybe), |place| place.bool())? || maybe;
    let mut schema = Map::new();
    schema.insert("type".to_owned(), if nullable { json!([word, "null"]) } else { json!(word) });
    if let Some(about) = fields.get("description") {
        schema.insert("description".to_owned(), json!(about.text()?));
    }
    let kind = match word {
        "object" => object(&fields, &mut schema, depth),
        "array" => array(&fields, &mut schema, depth),
        "string" => text(&fields, &mut schema),
        "boolean" => Some(Kind::Bool),
        word => number(word, &fields, &mut schema),
    };
    let listed = if matches!(word, "string" | "integer") { fields.get("enum") } else { None };
    fields.finish();
    let options = listed.map_or(Some(None), |place| options(&place, word).map(Some))?;
    if let Some(options) = &options {
        let mut listed = options.clone();
        listed.extend(nullable.then_some(Json::Null));
        schema.insert("enum".to_owned(), Json::Array(listed));
    }
    Some((Json::Object(schema), Shape { kind: kind?, nullable, options }))
}

/// The type as written, and whether null is beside it.
fn kind(fields: &Fields<'_>) -> Option<(&'static str, bool)> {
    let is_null =
        |place: &Place<'_>| place.is_null() || matches!(&place.node.value, Value::Text(text) if text == "null");
    let (place, maybe) = match fields.get("type") {
        // An object shows by its properties.
        None if fields.present("properties").is_some() => return Some(("object", false)),
        None => (fields.need("type")?, false),
        Some(place) if matches!(place.node.value, Value::List(_)) => {
            let (nulls, named): (Vec<_>, Vec<_>) = place.list()?.into_iter().partition(is_null);
            match <[_; 1]>::try_from(named) {
                Ok([named]) => (named, !nulls.is_empty()),
                Err(_) => return place.problem("a field has one type", "a type, or a list of a type and null"),
            }
        }
        Some(place) => (place, false),
    };
    Some((TYPES[place.one_of("type of JSON that a column can hold", &TYPES)?], maybe))
}

fn object(fields: &Fields<'_>, schema: &mut Map<String, Json>, depth: usize) -> Option<Kind> {
    let place = fields.need("properties");
    let required = fields.get("required").map(|place| names(&place));
    if let Some(others) = fields.get("additionalProperties")
        && others.bool()?
    {
        return others.problem("other fields would have no place in the column", "`additionalProperties: false`");
    }
    let required = match required {
        Some(names) => Some(names?),
        None => None,
    };
    let place = place?;
    let entries = place.entries()?;
    if !(1..=PROPERTIES_MAX).contains(&entries.len()) {
        return place.problem(format!("there are {} properties", entries.len()), format!("1 to {PROPERTIES_MAX}"));
    }
    if let Some((required, name)) =
        required.iter().flatten().find(|(_, name)| entries.iter().all(|(key, _)| key != name))
    {
        return required.unknown("property", name, entries.iter().map(|(key, _)| *key));
    }
    let (mut properties, mut parts, mut is_right) = (Map::new(), Vec::new(), Some(()));
    for (name, place) in &entries {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            is_right = place.problem(format!("`{name}` cannot name a field"), "text without control characters");
            continue;
        }
        let Some((mut schema, mut shape)) = part(place, depth + 1) else {
            is_right = None;
            continue;
        };
        let is_required = required.as_ref().is_none_or(|names| names.iter().any(|(_, required)| required == name));
        if !is_required && !shape.nullable {
            make_nullable(&mut schema, &mut shape);
        }
        properties.insert((*name).to_owned(), schema);
        parts.push(((*name).to_owned(), shape));
    }
    is_right?;
    let all: Vec<String> = properties.keys().cloned().collect();
    schema.insert("properties".to_owned(), Json::Object(properties));
    schema.insert("required".to_owned(), json!(all));
    schema.insert("additionalProperties".to_owned(), json!(false));
    Some(Kind::Struct(parts))
}

fn make_nullable(schema: &mut Json, shape: &mut Shape) {
    shape.nullable = true;
    schema["type"] = json!([schema["type"], "null"]);
    if let Some(options) = schema.get_mut("enum").and_then(Json::as_array_mut) {
        options.push(Json::Null);
    }
}

/// Names with their places.
fn names<'a>(place: &Place<'a>) -> Option<Vec<(Place<'a>, &'a str)>> {
    place.list()?.into_iter().map(|item| item.text().map(|text| (item.clone(), text))).collect()
}

fn array(fields: &Fields<'_>, schema: &mut Map<String, Json>, depth: usize) -> Option<Kind> {
    let items = fields.need("items");
    counts(fields, ["minItems", "maxItems"], schema)?;
    let (items, shape) = part(&items?, depth + 1)?;
    schema.insert("items".to_owned(), items);
    Some(Kind::List(Box::new(shape)))
}

fn text(fields: &Fields<'_>, schema: &mut Map<String, Json>) -> Option<Kind> {
    let (pattern, format) = (fields.get("pattern"), fields.get("format"));
    counts(fields, ["minLength", "maxLength"], schema)?;
    if let Some(place) = pattern {
        let text = place.text()?;
        if let Err(error) = Regex::new(text) {
            let reason = error.to_string();
            let reason = reason.lines().last().unwrap_or_default();
            return place
                .problem(format!("`{text}` is no pattern: {reason}"), "a regular expression without look-around");
        }
        schema.insert("pattern".to_owned(), json!(text));
    }
    if let Some(place) = format {
        schema.insert("format".to_owned(), json!(FORMATS[place.one_of("format", &FORMATS)?]));
    }
    Some(Kind::Text)
}

fn number(word: &str, fields: &Fields<'_>, schema: &mut Map<String, Json>) -> Option<Kind> {
    let ends = [("minimum", fields.get("minimum")), ("maximum", fields.get("maximum"))];
    for (key, place) in ends {
        let Some(place) = place else { continue };
        place.float()?;
        schema.insert(key.to_owned(), place.node.to_json());
    }
    if let (Some(least), Some(most)) = (schema.get("minimum"), schema.get("maximum"))
        && least.as_f64() > most.as_f64()
    {
        return fields.place.problem(format!("nothing is from {least} to {most}"), "`minimum` up to `maximum`");
    }
    Some(if word == "integer" { Kind::Int } else { Kind::Float })
}

fn counts(fields: &Fields<'_>, keys: [&'static str; 2], schema: &mut Map<String, Json>) -> Option<()> {
    let places = keys.map(|key| (key, fields.get(key)));
    for (key, place) in places {
        if let Some(place) = place {
            schema.insert(key.to_owned(), json!(place.count()?));
        }
    }
    match keys.map(|key| schema.get(key).and_then(Json::as_u64)) {
        [Some(least), Some(most)] if least > most => fields
            .place
            .problem(format!("nothing has from {least} to {most}"), format!("`{}` up to `{}`", keys[0], keys[1])),
        _ => Some(()),
    }
}

fn options(place: &Place<'_>, word: &str) -> Option<Vec<Json>> {
    let items = place.list()?;
    let one = |item: &Place<'_>| match word {
        "integer" => item.int().map(Json::from),
        _ => item.text().map(Json::from),
    };
    // Null stands beside the values where the type allows it, and is written or left out.
    let values: Option<Vec<Json>> = items.iter().filter(|item| !item.is_null()).map(one).collect();
    let values = values?;
    if values.is_empty() {
        return place.problem("no value is listed", "at least one value");
    }
    Some(values)
}
