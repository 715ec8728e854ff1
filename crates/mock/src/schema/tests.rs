//! Thousands of answers to random and to written schemas, judged by a validator that is not ours.

use serde_json::{Value, json};
use shardmill_engine::random::key::Key;

use super::write::Draws;
use super::*;

fn answers(schema: &Value, keys: u64) -> Vec<String> {
    let compiled = Schema::compile(schema, Strictness::Lenient).unwrap_or_else(|error| panic!("{error}: {schema}"));
    (0..keys).map(|key| compiled.write(Key::from_words(key, 7), Truth::Right)).collect()
}

fn judge(schema: &Value, keys: u64) {
    let validator = jsonschema::validator_for(schema).expect("a right schema");
    for answer in answers(schema, keys) {
        let value: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer}"));
        assert!(validator.is_valid(&value), "{answer}\n{schema}\n{:?}", validator.validate(&value).err());
    }
}

const PATTERNS: [&str; 3] = ["^[A-Z]{2}\\d{3}$", "x+", "^(on|off)$"];

/// A random schema in which a value exists.
fn random_schema(draws: &mut Draws, depth: u32) -> Value {
    let kinds = if depth >= 4 { 7 } else { 11 };
    let least = draws.below(5);
    let most = least + draws.below(6);
    match draws.below(kinds) {
        0 => json!({"type": "string", "minLength": least, "maxLength": most + 3}),
        1 => json!({"type": "integer", "minimum": least as i64 - 3, "exclusiveMaximum": most as i64 + 1}),
        2 => json!({"type": "number", "exclusiveMinimum": least as f64 / 4.0, "maximum": most as f64 + 0.5}),
        3 => json!({"enum": ["a", 1, null, {"b": [true]}]}),
        4 => json!({"type": ["boolean", "null"]}),
        5 => json!({"type": "string", "pattern": PATTERNS[least as usize % 3]}),
        6 => json!({"const": {"k": least}}),
        7 => json!({"type": "array", "items": random_schema(draws, depth + 1), "minItems": least, "maxItems": most}),
        8 => json!({"anyOf": [random_schema(draws, depth + 1), {"type": "null"}, random_schema(draws, depth + 1)]}),
        9 => json!({"$ref": "#/$defs/tree"}),
        _ => {
            let names = ["name", "email", "city", "age", "is_new", "note \"x\"", "total"];
            let count = 1 + draws.below(names.len() as u64) as usize;
            let property = |name: &&str| ((*name).to_owned(), random_schema(draws, depth + 1));
            let properties: serde_json::Map<String, Value> = names[..count].iter().map(property).collect();
            json!({"type": "object", "properties": properties, "required": names[..count / 2 + 1],
                "additionalProperties": least.is_multiple_of(2)})
        }
    }
}

#[test]
fn thousands_of_answers_satisfy_random_schemas() {
    for number in 0..400 {
        let mut schema = random_schema(&mut Draws::sample(number), 0);
        let tree = json!({"type": "object", "required": ["value"], "properties": {
            "value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}});
        schema.as_object_mut().expect("an object").insert("$defs".to_owned(), json!({"tree": tree}));
        judge(&schema, 10);
    }
}

#[test]
fn schemas_as_people_and_libraries_write_them_are_satisfied() {
    for schema in [
        json!({"type": "object", "additionalProperties": false, "required": ["sentiment", "score"],
            "properties": {"sentiment": {"type": "string", "enum": ["good", "bad"]}, "score": {"type": "number", "minimum": 0, "maximum": 1}}}),
        json!({"$defs": {"Line": {"properties": {"sku": {"type": "string", "title": "Sku"}, "quantity": {"type": "integer", "exclusiveMinimum": 0}},
            "required": ["sku", "quantity"], "title": "Line", "type": "object"}},
            "properties": {"lines": {"items": {"$ref": "#/$defs/Line"}, "minItems": 2, "type": "array"},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}},
            "required": ["lines"], "title": "Order", "type": "object"}),
        json!({"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}, "id": {"format": "uuid"},
            "mail": {"type": "string", "format": "email"}, "day": {"type": "string", "format": "date"}},
            "required": ["at", "id", "mail", "day"]}),
        json!({"type": "object", "required": ["left"], "properties": {"left": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}}),
        json!({"type": "object", "required": ["free"], "additionalProperties": {"type": "integer", "multipleOf": 7}}),
        json!({"allOf": [{"type": "array", "items": {"type": "string"}, "uniqueItems": true}]}),
        json!({"minimum": 5}),
        json!(true),
    ] {
        judge(&schema, 100);
    }
}

#[test]
fn names_suggest_values_that_agree() {
    let schema = json!({"type": "object", "required": ["name", "email", "age", "city"], "properties": {
        "name": {"type": "string"}, "email": {"type": "string"}, "age": {"type": "integer"}, "city": {"type": "string"}}});
    let people: Vec<Value> =
        answers(&schema, 50).iter().map(|answer| serde_json::from_str(answer).expect("JSON")).collect();
    for person in &people {
        let (name, email) = (person["name"].as_str().expect("text"), person["email"].as_str().expect("text"));
        let first = name.split(' ').next().expect("a word").to_lowercase();
        assert!(email.contains('@') && email.contains(&first[..1]), "{person}");
        assert!(person["age"].as_u64().expect("a number") <= 120, "{person}");
    }
    assert_ne!(people[0], people[1]);
}

#[test]
fn a_wrong_answer_is_json_that_breaks_the_schema() {
    for schema in [
        json!({"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}}),
        json!({"type": "object", "properties": {}}),
        json!({"type": "array", "minItems": 1, "items": {"type": "object", "required": ["x"], "properties": {"x": {"enum": [1]}}}}),
    ] {
        let validator = jsonschema::validator_for(&schema).expect("a right schema");
        let compiled = Schema::compile(&schema, Strictness::Lenient).expect("compiles");
        for key in 0..20 {
            let answer = compiled.write(Key::from_words(key, 7), Truth::Wrong);
            let value: Value = serde_json::from_str(&answer).expect("JSON");
            assert!(!validator.is_valid(&value), "{answer}");
        }
    }
}

#[test]
fn what_cannot_be_satisfied_is_refused_by_name() {
    for (schema, part) in [
        (json!({"type": "object", "properties": {"a": {"not": {}}}}), "#/properties/a: `not` is not offered"),
        (json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}), "endless"),
        (json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}}), "endless"),
        (json!({"$ref": "https://example.com/a"}), "leads out of the schema"),
        (json!({"$ref": "#/$defs/a"}), "leads nowhere"),
        (json!({"type": "integer", "minimum": 5, "maximum": 4}), "between"),
        (json!({"type": "string", "minLength": 9, "maxLength": 4}), "at most 4"),
        (json!({"type": "array", "minItems": 9, "maxItems": 4}), "9 or more items"),
        (json!({"type": "text"}), "there is no type \"text\""),
        (json!({"type": "string", "enum": [1, 2]}), "no value of enum"),
        (json!({"oneOf": [{}, {}]}), "use anyOf"),
        (json!({"$ref": "#/$defs/a", "type": "object", "$defs": {"a": {}}}), "`type` beside `$ref`"),
        (json!({"type": "object", "required": ["a"], "additionalProperties": false}), "\"a\" is required"),
        (json!({"patternProperties": {}}), "`patternProperties` is not offered"),
        (json!(false), "no schema"),
        (json!(3), "no schema"),
    ] {
        let error = Schema::compile(&schema, Strictness::Lenient).expect_err("refused").to_string();
        assert!(error.contains(part), "{error}: {schema}");
    }
}
