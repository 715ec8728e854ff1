//! `expression`: computed from other columns of the row and of related rows. Pure.

use std::collections::HashMap;

use arrow::array::{ArrayRef, AsArray};
use shardmill_shared::spec::Place;

use super::filled::field;
use super::{Generator, Info, Nature, Param, Read};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::{EngineError, Result};
use crate::expression::{Expression, ExpressionError, Typed};
use crate::filling::Shape;
use crate::frame::{Frame, Source};
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

/// An expression over a row, ready to be evaluated.
#[derive(Debug)]
pub(crate) struct Computed {
    typed: Typed,
    parts: HashMap<String, Part>,
    may_be_null: bool,
}

/// What a name in an expression stands for: a column, or a field of a struct column.
#[derive(Debug)]
struct Part {
    source: Source,
    /// The positions of fields, from the outermost in; empty for a whole column.
    path: Vec<usize>,
}

impl Part {
    const fn whole(source: Source) -> Self {
        Self { source, path: Vec::new() }
    }

    fn read(&self, frame: &Frame<'_>) -> Result<ArrayRef> {
        // Where a struct is null its fields are, too.
        let array = frame.read(self.source)?;
        Ok(self.path.iter().fold(array, |array, at| ArrayRef::clone(array.as_struct().column(*at))))
    }
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let code = fields.need("code");
    fields.finish();
    Some(Box::new(Computed::read(&code?, site)?))
}

impl Computed {
    /// Reads an expression over the columns of the row, of related rows, and fields of the row's structs.
    pub(crate) fn read(code: &Place<'_>, site: &Site<'_, '_>) -> Option<Self> {
        let text = code.text()?;
        if text.trim().is_empty() {
            return code.problem("the expression is empty", "an expression such as `price * quantity`");
        }
        let parsed = match Expression::parse(text) {
            Ok(parsed) => parsed,
            Err(error) => return refused(code, text, &error),
        };
        let mut parts = HashMap::new();
        let mut kinds = HashMap::new();
        let mut nullable = false;
        for (name, _) in parsed.names() {
            let (part, kind, may_be_null) = match name.split_once('.') {
                Some((first, rest)) if !site.has_column(&name) => match site.struct_named(first) {
                    Some((column, shape)) => {
                        let (path, kind) = single(code, (first, &shape), rest)?;
                        (Part { source: Source::Own(column), path }, kind, true)
                    }
                    None => related(code, (first, rest), site)?,
                },
                _ if site.has_column(&name) => {
                    let column = site.own(code, &name)?;
                    let kind = site.type_of(site.table, column)?;
                    (Part::whole(Source::Own(column)), kind, site.may_be_null(site.table, column))
                }
                // Left to the check below, which knows the place in the text and the nearest name.
                _ => continue,
            };
            nullable |= may_be_null;
            kinds.insert(name.clone(), kind);
            parts.insert(name, part);
        }
        let candidates = site.column_names();
        let typed = match parsed.check(&|name: &str| kinds.get(name).copied(), &candidates) {
            Ok(typed) => typed,
            Err(error) => return refused(code, text, &error),
        };
        let may_be_null = nullable || parsed.may_add_nulls();
        Some(Self { typed, parts, may_be_null })
    }

    /// The type of its values.
    pub(crate) const fn kind(&self) -> Type {
        self.typed.kind()
    }

    /// Its value for every row.
    ///
    /// # Errors
    /// When a column cannot be evaluated, or a value is impossible.
    pub(crate) fn evaluate(&self, frame: &Frame<'_>) -> Result<ArrayRef> {
        self.typed.evaluate::<EngineError>(frame.len(), &|name: &str| {
            self.parts.get(name).expect("every name has a part since it was compiled").read(frame)
        })
    }

    /// What it reads.
    pub(crate) fn reads(&self) -> Vec<Read> {
        self.parts.values().map(|part| Read::Column(part.source)).collect()
    }
}

/// A column of a related row.
fn related(code: &Place<'_>, (table, column): (&str, &str), site: &Site<'_, '_>) -> Option<(Part, Type, bool)> {
    let table = site.table_named(code, table)?;
    let column = site.column_named(code, table, column)?;
    let link = site.relate(code, table, None, None)?;
    let may_be_null = site.may_miss(link) || site.may_be_null(table, column);
    Some((Part::whole(Source::Linked { link, column }), site.type_of(table, column)?, may_be_null))
}

/// A field of a struct column that is no struct itself.
fn single(code: &Place<'_>, (column, shape): (&str, &Shape), path: &str) -> Option<(Vec<usize>, Type)> {
    let (steps, part) = field(code, (column, shape), path)?;
    match part.single() {
        Some(kind) => Some((steps, kind)),
        None => code.problem(format!("`{column}.{path}` is a list or a struct"), "a field with a single value"),
    }
}

/// Reports what is wrong with an expression, with its place in the text.
pub(super) fn refused<T>(place: &Place<'_>, text: &str, error: &ExpressionError) -> Option<T> {
    let before = text.get(..error.span.start).unwrap_or(text).chars().count();
    place.problem_near(
        format!("in `{text}` at character {}: {}", before + 1, error.message),
        "an expression over the columns of the row",
        error.suggestion.clone(),
    )
}

impl Generator for Computed {
    fn kind(&self) -> Type {
        self.kind()
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        self.evaluate(draw.frame)
    }

    fn reads(&self) -> Vec<Read> {
        self.reads()
    }

    fn may_be_null(&self) -> bool {
        self.may_be_null
    }

    fn nature(&self) -> Nature {
        Nature::Derived
    }
}
