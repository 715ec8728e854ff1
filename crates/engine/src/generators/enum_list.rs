//! `enum_list`: the fixed rows of a vocabulary table, in the order written. Pure.

use std::collections::HashSet;

use arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use arrow::compute::{cast, take};
use arrow::datatypes::DataType;
use shardmill_shared::spec::Place;

use super::choice::literal_values;
use super::{Generator, Info, Nature, Param};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "enum_list",
    about: "the fixed rows of a vocabulary table; its length is the table's number of rows",
    params: &[Param { name: "values", takes: "list of values", default: "", about: "one value for each row" }],
    bare: Some("values"),
    example: "{type: string, enum_list: [free, pro, team]}",
    build,
};

#[derive(Debug)]
struct EnumList {
    kind: Type,
    values: ArrayRef,
    /// Whether no value is written twice.
    is_unique: bool,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let values = fields.need("values");
    fields.finish();
    let place = values?;
    let items = place.list()?;
    if items.is_empty() {
        return place.problem("the list is empty", "at least one value");
    }
    if site.rows_most() != items.len() as u64 {
        return place.problem(
            format!("{} values stand in a table of {} rows", items.len(), site.rows_most()),
            "one value for each row; give the table `kind: vocab`",
        );
    }
    let (kind, values) = literal_values(&items, site.declared)?;
    let texts = cast(&values, &DataType::Utf8).ok()?;
    let different: HashSet<Option<&str>> = texts.as_string::<i32>().iter().collect();
    let is_unique = different.len() == items.len();
    Some(Box::new(EnumList { kind, values, is_unique }))
}

impl Generator for EnumList {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let rows = UInt64Array::from(draw.frame.rows.map(|row| row % self.values.len() as u64));
        Ok(take(&self.values, &rows, None)?)
    }

    fn is_unique(&self) -> bool {
        self.is_unique
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }
}
