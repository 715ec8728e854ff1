//! `constant`: the same value in every row. Pure.

use std::sync::Arc;

use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use shardmill_shared::spec::Place;

use super::choice::literal_values;
use super::{Generator, Info, Nature, Param};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "constant",
    about: "the same value in every row",
    params: &[Param { name: "value", takes: "a value of the column's type", default: "", about: "the value" }],
    bare: Some("value"),
    example: "{type: string, constant: EUR}",
    build,
};

#[derive(Debug)]
struct Constant {
    kind: Type,
    value: ArrayRef,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let value = fields.need("value");
    fields.finish();
    let (kind, value) = literal_values(&[value?], site.declared)?;
    Some(Box::new(Constant { kind, value }))
}

impl Generator for Constant {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let zeros = UInt32Array::from(vec![0; draw.frame.len()]);
        Ok(Arc::clone(&take(&self.value, &zeros, None)?))
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }
}
