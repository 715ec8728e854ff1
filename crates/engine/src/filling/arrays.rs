//! Structs between JSON, in which models answer, and Arrow, in which columns are. Pure.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use serde_json::Value;

use crate::error::Result;

/// Values of a struct's type, or of a part of one, as a column. What is no value of the type is null.
pub(crate) fn column_of(values: &[Option<&Value>], kind: &DataType) -> Result<ArrayRef> {
    let nulls = || NullBuffer::from_iter(values.iter().map(|value| value.is_some_and(|value| !value.is_null())));
    Ok(match kind {
        DataType::Boolean => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>())
        }
        DataType::Int64 => Arc::new(values.iter().map(|value| value.and_then(Value::as_i64)).collect::<Int64Array>()),
        DataType::Float64 => {
            Arc::new(values.iter().map(|value| value.and_then(Value::as_f64)).collect::<Float64Array>())
        }
        DataType::List(item) => {
            let lists: Vec<&[Value]> =
                values.iter().map(|value| value.and_then(Value::as_array).map_or(&[][..], Vec::as_slice)).collect();
            let items: Vec<Option<&Value>> = lists.iter().flat_map(|list| list.iter().map(Some)).collect();
            let ends = OffsetBuffer::from_lengths(lists.iter().map(|list| list.len()));
            Arc::new(ListArray::try_new(Arc::clone(item), ends, column_of(&items, item.data_type())?, Some(nulls()))?)
        }
        DataType::Struct(fields) => {
            let part = |name: &str| -> Vec<Option<&Value>> {
                values.iter().map(|value| value.and_then(|value| value.get(name))).collect()
            };
            let parts: Result<Vec<ArrayRef>> =
                fields.iter().map(|field| column_of(&part(field.name()), field.data_type())).collect();
            Arc::new(StructArray::try_new_with_length(fields.clone(), parts?, Some(nulls()), values.len())?)
        }
        _ => Arc::new(values.iter().map(|value| value.and_then(Value::as_str)).collect::<StringArray>()),
    })
}

/// The value of a row of such a column.
pub(crate) fn value_at(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|at| value_at(items.as_ref(), at)).collect()
        }
        DataType::Struct(fields) => {
            let parts = fields.iter().zip(array.as_struct().columns());
            parts.map(|(field, part)| (field.name().clone(), value_at(part.as_ref(), row))).collect()
        }
        _ => array.as_string::<i32>().value(row).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Kind, Shape};
    use super::*;

    #[test]
    fn what_becomes_a_column_comes_back_the_same() {
        let part = |name: &str, kind| (name.to_owned(), Shape::of(kind));
        let inner = vec![part("x", Kind::Float), part("y", Kind::Bool)];
        let list = Kind::List(Box::new(Shape::of(Kind::Struct(inner.clone()))));
        let shape =
            Shape::of(Kind::Struct(vec![part("n", Kind::Int), part("at", Kind::Struct(inner)), part("all", list)]));
        let values = [
            json!({"n": 1, "at": {"x": 0.5, "y": true}, "all": [{"x": 1.0, "y": null}, null]}),
            Value::Null,
            json!({"n": null, "at": null, "all": []}),
            json!({"n": -7, "at": {"x": null, "y": false}, "all": null}),
        ];
        let column = column_of(&values.iter().map(Some).collect::<Vec<_>>(), &shape.arrow()).expect("fits");
        assert_eq!((column.len(), column.null_count(), column.data_type()), (4, 1, &shape.arrow()));
        let back: Vec<Value> = (0..4).map(|row| value_at(column.as_ref(), row)).collect();
        assert_eq!(back, values);
        assert_eq!(value_at(column.slice(2, 2).as_ref(), 1), values[3], "a slice begins where it says");
    }
}
