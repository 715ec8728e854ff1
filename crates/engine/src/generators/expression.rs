//! `expression`: computed from other columns of the row and of related rows. Pure.

use std::collections::HashMap;

use arrow::array::ArrayRef;
use shardmill_shared::spec::Place;

use super::{Generator, Info, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::{EngineError, Result};
use crate::expression::{Expression, ExpressionError, Typed};
use crate::frame::Source;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "expression",
    about: "computed from columns of the row, and of related rows as `table.column`",
    params: &[Param { name: "code", takes: "expression", default: "", about: "see the expression language" }],
    bare: Some("code"),
    example: "{type: float, expression: 'round(sqrt(2) * 10, 2)'}",
    build,
};

#[derive(Debug)]
struct Computed {
    typed: Typed,
    sources: HashMap<String, Source>,
    may_be_null: bool,
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let code = fields.need("code");
    fields.finish();
    let code = code?;
    let text = code.text()?;
    if text.trim().is_empty() {
        return code.problem("the expression is empty", "an expression such as `price * quantity`");
    }
    let parsed = match Expression::parse(text) {
        Ok(parsed) => parsed,
        Err(error) => return refused(&code, text, &error),
    };
    let mut sources = HashMap::new();
    let mut kinds = HashMap::new();
    let mut nullable = false;
    for (name, _) in parsed.names() {
        let (table, column, source) = match name.split_once('.') {
            Some((table, column)) if !site.has_column(&name) => {
                let table = site.table_named(&code, table)?;
                let column = site.column_named(&code, table, column)?;
                let link = site.relate(&code, table, None, None)?;
                nullable |= site.may_miss(link);
                (table, column, Source::Linked { link, column })
            }
            _ if site.has_column(&name) => {
                let column = site.own(&code, &name)?;
                (site.table, column, Source::Own(column))
            }
            // Left to the check below, which knows the place in the text and the nearest name.
            _ => continue,
        };
        nullable |= site.may_be_null(table, column);
        kinds.insert(name.clone(), site.type_of(table, column)?);
        sources.insert(name, source);
    }
    let candidates = site.column_names();
    let typed = match parsed.check(&|name: &str| kinds.get(name).copied(), &candidates) {
        Ok(typed) => typed,
        Err(error) => return refused(&code, text, &error),
    };
    let may_be_null = nullable || parsed.may_add_nulls();
    Some(Box::new(Computed { typed, sources, may_be_null }))
}

fn refused<T>(place: &Place<'_>, text: &str, error: &ExpressionError) -> Option<T> {
    let before = text.get(..error.span.start).unwrap_or(text).chars().count();
    place.problem_near(
        format!("in `{text}` at character {}: {}", before + 1, error.message),
        "an expression over the columns of the row",
        error.suggestion.clone(),
    )
}

impl Generator for Computed {
    fn kind(&self) -> Type {
        self.typed.kind()
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        self.typed.evaluate::<EngineError>(draw.frame.len(), &|name: &str| {
            draw.frame.read(*self.sources.get(name).expect("every name has a source since it was compiled"))
        })
    }

    fn reads(&self) -> Vec<Read> {
        self.sources.values().map(|source| Read::Column(*source)).collect()
    }

    fn may_be_null(&self) -> bool {
        self.may_be_null
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }
}
