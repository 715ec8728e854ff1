//! Structs and lists in text: JSON, whatever is around it. Pure.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;

use super::Dialect;
use super::cells::{Cells, cells_of};
use crate::formats::json::JsonDialect;

/// The dialect of what is within.
const JSON: JsonDialect = JsonDialect::Lines;

/// A column of structs or lists.
pub(super) enum Nested<'a> {
    /// The fields, each with what stands before it.
    Struct(Vec<(Vec<u8>, Cells<'a>)>),
    /// Where each list begins among the items; the last entry is the end.
    List(&'a [i32], Box<Cells<'a>>),
}

impl<'a> Nested<'a> {
    /// The structs or lists of an array, whose type has been accepted.
    pub(super) fn of(array: &'a dyn Array) -> Self {
        if let DataType::List(_) = array.data_type() {
            let lists = array.as_list::<i32>();
            return Self::List(lists.value_offsets(), Box::new(cells_of(lists.values().as_ref(), &JSON)));
        }
        let structs = array.as_struct();
        let field = |(at, (name, array)): (usize, (&str, &'a arrow::array::ArrayRef))| {
            let mut lead = vec![if at == 0 { b'{' } else { b',' }];
            JSON.append_text(name.as_bytes(), &mut lead);
            lead.push(b':');
            (lead, cells_of(array.as_ref(), &JSON))
        };
        Self::Struct(structs.column_names().into_iter().zip(structs.columns()).enumerate().map(field).collect())
    }

    /// Appends the cell of `row` in a dialect.
    pub(super) fn append<D: Dialect>(&self, row: usize, dialect: &D, out: &mut Vec<u8>) {
        let mut json = Vec::new();
        self.print(row, &mut json);
        dialect.append_json(&json, out);
    }

    fn print(&self, row: usize, out: &mut Vec<u8>) {
        match self {
            Self::Struct(fields) => {
                for (lead, cells) in fields {
                    out.extend_from_slice(lead);
                    cells.append(row, &JSON, out);
                }
                out.push(b'}');
            }
            Self::List(starts, items) => {
                out.push(b'[');
                for (at, item) in (starts[row] as usize..starts[row + 1] as usize).enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    items.append(item, &JSON, out);
                }
                out.push(b']');
            }
        }
    }
}
