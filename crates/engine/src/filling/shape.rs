//! What the values of a struct column consist of. Pure.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields};
use serde_json::{Map, Value};

use crate::value::Type;

/// The name of a list's items, as Parquet wants it.
const ITEM: &str = "element";

/// A part of a struct column, or the whole of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    pub(crate) kind: Kind,
    /// Whether it may be null.
    pub(crate) nullable: bool,
    /// The values it may have, where they are listed.
    pub(crate) options: Option<Vec<Value>>,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Text,
    Int,
    Float,
    Bool,
    List(Box<Shape>),
    /// Parts by name, in order.
    Struct(Vec<(String, Shape)>),
}

impl Shape {
    /// A part that is never null and may have any value of its kind.
    pub(crate) const fn of(kind: Kind) -> Self {
        Self { kind, nullable: false, options: None }
    }

    /// The Arrow type. Within it everything may be null: where the whole struct is, its parts are.
    pub fn arrow(&self) -> DataType {
        match &self.kind {
            Kind::Text => DataType::Utf8,
            Kind::Int => DataType::Int64,
            Kind::Float => DataType::Float64,
            Kind::Bool => DataType::Boolean,
            Kind::List(item) => DataType::List(Arc::new(Field::new(ITEM, item.arrow(), true))),
            Kind::Struct(parts) => {
                let field = |(name, part): &(String, Self)| Field::new(name, part.arrow(), true);
                DataType::Struct(parts.iter().map(field).collect::<Fields>())
            }
        }
    }

    /// The type as expressions know it; nothing for lists and structs.
    pub(crate) fn single(&self) -> Option<Type> {
        Some(match self.kind {
            Kind::Text => Type::Text,
            Kind::Int => Type::Int,
            Kind::Float => Type::Float,
            Kind::Bool => Type::Bool,
            Kind::List(_) | Kind::Struct(_) => return None,
        })
    }

    /// The names of its parts.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let parts = if let Kind::Struct(parts) = &self.kind { parts.as_slice() } else { &[] };
        parts.iter().map(|(name, _)| name.as_str())
    }

    /// The part of a name, and its position.
    pub(crate) fn part(&self, name: &str) -> Option<(usize, &Self)> {
        let Kind::Struct(parts) = &self.kind else { return None };
        let at = parts.iter().position(|(known, _)| known == name)?;
        Some((at, &parts[at].1))
    }

    /// The value with all parts of it, in order.
    ///
    /// # Errors
    /// What does not fit, with its path, which begins with `path`.
    pub(crate) fn whole(&self, value: &Value, path: &str) -> Result<Value, String> {
        let unfit = |expected: &str| Err(format!("{path}: expected {expected}, found {value}"));
        if value.is_null() {
            return if self.nullable { Ok(Value::Null) } else { unfit("a value") };
        }
        if let Some(options) = self.options.as_ref().filter(|options| !options.contains(value)) {
            let options: Vec<String> = options.iter().map(Value::to_string).collect();
            return unfit(&format!("one of {}", options.join(", ")));
        }
        match (&self.kind, value) {
            (Kind::Text, Value::String(_)) | (Kind::Bool, Value::Bool(_)) => Ok(value.clone()),
            (Kind::Text, _) => unfit("text"),
            (Kind::Bool, _) => unfit("true or false"),
            (Kind::Int, _) => {
                whole_number(value).map_or_else(|| unfit("a whole number of 64 bits"), |int| Ok(int.into()))
            }
            (Kind::Float, _) => value.as_f64().map_or_else(|| unfit("a number"), |float| Ok(float.into())),
            (Kind::List(item), Value::Array(items)) => {
                let each = items.iter().enumerate();
                each.map(|(at, value)| item.whole(value, &format!("{path}[{at}]"))).collect()
            }
            (Kind::List(_), _) => unfit("a list"),
            (Kind::Struct(parts), Value::Object(map)) => record(parts, map, path),
            (Kind::Struct(_), _) => unfit("a map"),
        }
    }
}

fn record(parts: &[(String, Shape)], map: &Map<String, Value>, path: &str) -> Result<Value, String> {
    if let Some(name) = map.keys().find(|name| parts.iter().all(|(known, _)| known != *name)) {
        return Err(format!("{path}.{name}: is not in the schema"));
    }
    let part = |(name, part): &(String, Shape)| {
        let path = format!("{path}.{name}");
        match map.get(name) {
            None if !part.nullable => Err(format!("{path}: is missing")),
            found => Ok((name.clone(), part.whole(found.unwrap_or(&Value::Null), &path)?)),
        }
    };
    parts.iter().map(part).collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

/// A whole number, also one that is written with a fraction of zero.
fn whole_number(value: &Value) -> Option<i64> {
    let exact = |float: f64| (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64);
    value.as_i64().or_else(|| exact(value.as_f64()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_made_whole_or_said_to_be_unfit() {
        let maybe = Shape { nullable: true, ..Shape::of(Kind::Float) };
        let tags = Shape::of(Kind::List(Box::new(Shape::of(Kind::Text))));
        let kind = Shape { options: Some(vec![json!("a"), json!("b")]), ..Shape::of(Kind::Text) };
        let parts = [("n", Shape::of(Kind::Int)), ("x", maybe), ("tags", tags), ("kind", kind)];
        let shape = Shape::of(Kind::Struct(parts.map(|(name, part)| (name.to_owned(), part)).to_vec()));
        let whole = shape.whole(&json!({"kind": "a", "n": 3.0, "tags": ["u"]}), "$");
        assert_eq!(whole.map(|value| value.to_string()), Ok(r#"{"n":3,"x":null,"tags":["u"],"kind":"a"}"#.to_owned()));
        for (value, expected) in [
            (json!({"n": 3, "tags": []}), "$.kind: is missing"),
            (json!({"n": 1e300, "tags": [], "kind": "a"}), "$.n: expected a whole number of 64 bits"),
            (json!({"n": 1, "tags": [1], "kind": "a"}), "$.tags[0]: expected text, found 1"),
            (json!({"n": 1, "tags": [], "kind": "c"}), r#"$.kind: expected one of "a", "b", found "c""#),
            (json!({"n": 1, "tags": [], "kind": "a", "m": 1}), "$.m: is not in the schema"),
            (json!([]), "$: expected a map, found []"),
        ] {
            let found = shape.whole(&value, "$").expect_err("does not fit");
            assert!(found.starts_with(expected), "{found}");
        }
    }
}
