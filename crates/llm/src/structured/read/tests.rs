//! What schemas hold answers to, what is found in them, and that no bytes whatever bring it down.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::structured::cleaned;

fn schema(value: Value) -> Schema {
    Schema::new("test", value).expect("a schema")
}

fn person() -> Schema {
    schema(json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[A-Z]"},
            "age": {"type": ["integer", "null"], "minimum": 0, "exclusiveMaximum": 150},
            "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 2, "uniqueItems": true},
            "born": {"type": "string", "format": "date"}
        },
        "required": ["name", "age"],
        "additionalProperties": false
    }))
}

fn lines(schema: &Schema, text: &str) -> Vec<String> {
    read(schema, text).expect_err("does not fit").lines()
}

#[test]
fn json_is_found_wherever_models_put_it() {
    let person = person();
    let wanted = json!({"name": "Ann", "age": 3});
    for text in [
        r#"{"name":"Ann","age":3}"#,
        "\u{feff} {\"name\":\"Ann\",\"age\":3}\n",
        "```json\n{\"name\": \"Ann\", \"age\": 3}\n```",
        "```\n{\"name\": \"Ann\", \"age\": 3}\n```\nI hope this helps!",
        "Sure! As [1] says {see below}, here it is: {\"name\":\"Ann\",\"age\":3} and that is it }",
        "[1, 2] {\"name\":\"Ann\",\"age\":3}",
    ] {
        assert_eq!(read(&person, text), Ok(wanted.clone()), "{text}");
    }
    let text = "{\"name\":\"A\nn\",\"age\":3}";
    assert_eq!(read(&person, text), Ok(json!({"name": "A n", "age": 3})));
}

#[test]
fn each_problem_is_named_with_its_path() {
    let text = r#"{"name": "annabel", "age": 150, "tags": ["a", "c", "a"], "born": "31.1.2026", "x": 1}"#;
    assert_eq!(
        lines(&person(), text),
        [
            "$.name: expected at most 5 characters, found 7",
            "$.name: expected a text like `^[A-Z]`, found \"annabel\"",
            "$.age: expected below 150, found 150",
            "$.tags: expected at most 2 items, found 3",
            "$.tags: has an item twice",
            "$.tags[1]: expected one of \"a\", \"b\", found \"c\"",
            "$.born: expected a date like 2026-01-31, found \"31.1.2026\"",
            "$.x: is not allowed here",
        ]
    );
    assert_eq!(
        lines(&person(), r#"{"age": "3"}"#),
        ["$.name: is missing", "$.age: expected an integer or null, found \"3\"",]
    );
    assert_eq!(lines(&person(), "[]"), ["$: expected an object, found an array"]);
    assert_eq!(lines(&person(), "I would rather not.").len(), 1);
}

#[test]
fn alternatives_and_references_are_followed() {
    let tree = schema(json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {
            "type": "object",
            "required": ["value"],
            "properties": {
                "value": {"anyOf": [{"type": "number", "multipleOf": 0.5}, {"const": "leaf"}]},
                "next": {"$ref": "#/$defs/node"}
            }
        }}
    }));
    assert!(read(&tree, r#"{"value": 1.5, "next": {"value": "leaf"}}"#).is_ok());
    let found = lines(&tree, r#"{"value": 1, "next": {"value": 1.2}}"#);
    assert_eq!(found, ["$.next.value: expected a multiple of 0.5, found 1.2"]);
    let one = schema(json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}));
    assert_eq!(lines(&one, "1"), ["$: fits 2 of the alternatives, expected exactly one"]);
    assert!(read(&one, "1.5").is_ok());
    let circle = schema(json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}));
    assert_eq!(lines(&circle, "1"), ["$: nests too deep"]);
}

#[test]
fn a_schema_that_answers_could_not_be_held_to_is_refused() {
    for (value, wanted) in [
        (json!({"patern": "x"}), "#: `patern` is not supported; did you mean `pattern`?"),
        (json!({"not": {}}), "#: `not` is not supported"),
        (json!({"properties": {"a": {"type": "int"}}}), "#/properties/a: type is \"int\""),
        (json!({"$ref": "https://example.com/x"}), "#: $ref is"),
        (json!({"$ref": "#/$defs/x"}), "which is not there"),
        (json!({"pattern": "(?=x)"}), "#: pattern is"),
        (json!({"minItems": -1}), "#: minItems is -1"),
        (json!(3), "#: is 3, expected a schema"),
    ] {
        let error = Schema::new("test", value).expect_err("is refused").to_string();
        assert!(error.contains(wanted), "{error}");
    }
    assert!(Schema::new("a b", json!({})).is_err());
    let mut deep = json!({});
    for _ in 0..80 {
        deep = json!({"items": deep});
    }
    assert!(Schema::new("test", deep).expect_err("is refused").to_string().contains("nests deeper than"));
}

#[test]
fn only_closed_and_complete_objects_are_strict() {
    let closed = json!({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": false});
    assert!(schema(closed.clone()).is_strict());
    assert!(!schema(json!({"type": "object", "properties": {"a": {}}, "required": ["a"]})).is_strict());
    let nested = json!({"type": "array", "items": {"type": "object", "properties": {"a": closed}}});
    assert!(!schema(nested).is_strict());
}

#[test]
fn control_characters_leave_texts() {
    assert_eq!(cleaned("a\u{0}b\u{1b}[0m\r\n\tc"), "ab[0m\n\tc");
    assert!(matches!(cleaned("plain\n"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn ten_million_braces_take_no_time() {
    let text = "{[".repeat(5 << 20);
    assert_eq!(read(&person(), &text), Err(Unfit::NoJson));
}

proptest! {
    #[test]
    fn no_text_brings_it_down(text in any::<String>()) {
        let _ = read(&person(), &text);
        let _ = cleaned(&text);
    }

    #[test]
    fn no_text_of_json_parts_brings_it_down(text in r#"([\[\]{}:,"]|[0-9a]|\\u|```|null| ){0,200}"#) {
        let _ = read(&person(), &text);
    }

    #[test]
    fn a_value_survives_prose_and_fences(name in "[A-Z][a-z]{0,4}", age in 0..150_u32, before in "[a-z .]{0,40}") {
        let value = json!({"name": name, "age": age});
        let text = format!("{before}```json\n{value:#}\n```{before}");
        prop_assert_eq!(read(&person(), &text), Ok(value));
    }
}
