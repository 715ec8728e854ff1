//! `map_values`: replaces some values by others. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use shardmill_shared::spec::{Place, Value};

use super::{Built, Info, Modifier};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::generators::Param;
use crate::measure::convert;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "map_values",
    about: "replaces the values named by others; values that are not named stay",
    params: &[Param { name: "mapping", takes: "map of old value to new", default: "", about: "what becomes what" }],
    bare: None,
    example: "{type: string, choice: [a, b, c], modifiers: [{map_values: {mapping: {a: alpha, b: beta}}}]}",
    build,
};

#[derive(Debug)]
struct MapValues {
    mapping: HashMap<String, String>,
    kind: Type,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>, kind: Type) -> Built {
    let fields = place.fields()?;
    let mapping = fields.need("mapping");
    fields.finish();
    let place = mapping?;
    let mut texts = HashMap::new();
    for (old, new) in place.entries()? {
        let new = match &new.node.value {
            Value::Text(text) => text.clone(),
            Value::Int(int) => int.to_string(),
            Value::Float(float) => float.to_string(),
            Value::Bool(bool) => bool.to_string(),
            _ => return new.problem("this is no single value", "text, a number, true or false"),
        };
        texts.insert(old.to_owned(), new);
    }
    // Values may change their type on the way: codes into names. What is left unmapped must then convert too.
    let kind = site.declared.unwrap_or(kind);
    let news: ArrayRef = Arc::new(StringArray::from_iter_values(texts.values()));
    if convert(&news, kind).is_err() {
        return place.problem("some new values do not fit the column", format!("values of type {kind}"));
    }
    Some(Some(Box::new(MapValues { mapping: texts, kind })))
}

impl Modifier for MapValues {
    fn kind(&self, _: Type) -> Type {
        self.kind
    }

    fn apply(&self, values: ArrayRef, _: &Draw<'_, '_>) -> Result<ArrayRef> {
        if let DataType::Dictionary(..) = values.data_type() {
            let dictionary = values.as_any_dictionary();
            let mapped = self.map(dictionary.values())?;
            return convert(&dictionary.with_values(mapped), self.kind);
        }
        convert(&self.map(&values)?, self.kind)
    }
}

impl MapValues {
    fn map(&self, values: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(values, &DataType::Utf8)?;
        let mapped: StringArray = texts
            .as_string::<i32>()
            .iter()
            .map(|text| text.map(|text| self.mapping.get(text).map_or(text, String::as_str)))
            .collect();
        Ok(Arc::new(mapped))
    }
}
