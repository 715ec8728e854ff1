//! `lookup`: a column of a related row, recomputed where it is needed. Pure.

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::choice::skew;
use super::{Generator, Info, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "lookup",
    about: "a column of the parent, of another related row, or of a row drawn from another table",
    params: &[
        Param { name: "from", takes: "table.column", default: "", about: "what is looked up" },
        Param {
            name: "on",
            takes: "map of their column to our column",
            default: "none",
            about: "joins by value; where nothing matches the value is null",
        },
        Param {
            name: "as",
            takes: "name",
            default: "the table's name",
            about: "the role of the row: lookups of one role see one row",
        },
        Param {
            name: "skew",
            takes: "uniform, zipf@ALPHA or head_tail@{SHARE,ALPHA}",
            default: "uniform",
            about: "how much some rows are preferred",
        },
    ],
    bare: Some("from"),
    example: "{type: int, lookup: {from: users.id, skew: zipf@1.1}}",
    build,
};

/// A column of the row that a link leads to.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The link, by position.
    pub(crate) link: usize,
    /// The column of the target, by position.
    pub(crate) column: usize,
    /// Its type.
    pub(crate) kind: Type,
    /// Whether the link can lead nowhere, or to a null.
    pub(crate) may_be_null: bool,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let from = fields.need("from");
    let on = fields.get("on");
    let role = fields.get("as").map(|place| place.text().map(str::to_owned));
    let skew = skew(&fields, "skew");
    fields.finish();
    let (from, skew) = (from?, skew?);
    let (table, column) = site.target(&from)?;
    let role = match role {
        Some(role) => Some(role?),
        None => None,
    };
    let link = match on {
        Some(on) => {
            if role.is_some() || skew.is_some() {
                return on.problem("a join by value has no role and no skew", "`on` alone");
            }
            site.join(&on, table)?
        }
        None => site.relate(&from, table, role.as_deref(), skew)?,
    };
    let kind = site.type_of(table, column)?;
    let may_be_null = site.may_miss(link) || site.may_be_null(table, column);
    Some(Box::new(Lookup { link, column, kind, may_be_null }))
}

impl Generator for Lookup {
    fn kind(&self) -> Type {
        self.kind
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        draw.frame.read(Source::Linked { link: self.link, column: self.column })
    }

    fn reads(&self) -> Vec<Read> {
        vec![Read::Column(Source::Linked { link: self.link, column: self.column })]
    }

    fn may_be_null(&self) -> bool {
        self.may_be_null
    }

    fn nature(&self) -> Nature {
        Nature::Copied { link: self.link, column: self.column }
    }
}
