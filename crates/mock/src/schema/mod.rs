//! Answers that satisfy a JSON schema: compiled once, then written for any key. What cannot be satisfied, or is not
//! understood, is refused by name. Pure.

mod compile;
mod finite;
mod numbers;
mod pattern;
mod strict;
mod strings;
mod write;

#[cfg(test)]
mod tests;

use serde_json::Value;

use compile::Compiler;
use numbers::Number;
pub(crate) use strict::Strictness;
use strings::Text;
pub(crate) use write::{Draws, sentences};

/// A place in [`Schema`]'s list of shapes.
type Id = usize;

/// A schema that can be satisfied.
#[derive(Debug)]
pub(crate) struct Schema {
    shapes: Vec<Shape>,
    /// How deep the shallowest value of each shape is; [`finite::NEVER`] where there is none.
    least_depths: Vec<u32>,
    root: Id,
}

/// What a value looks like.
#[derive(Debug)]
enum Shape {
    Null,
    Boolean,
    /// One of these, as JSON.
    Choice(Vec<String>),
    Number(Number),
    Text(Text),
    List {
        item: Id,
        least: u64,
        most: u64,
    },
    Object(Vec<Property>),
    OneOf(Vec<Id>),
    /// The same as another, which may be one that contains this.
    Same(Id),
}

#[derive(Debug)]
struct Property {
    name: String,
    shape: Id,
    is_required: bool,
}

/// A schema that cannot be satisfied, or is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub(crate) struct SchemaError {
    /// Where, as a JSON pointer behind `#`.
    pub(crate) path: String,
    /// What is wrong.
    pub(crate) message: String,
}

/// Whether the right answer is written, or one that breaks the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Right,
    Wrong,
}

impl Schema {
    /// Compiles a schema as a provider takes it that is so strict.
    pub(crate) fn compile(document: &Value, strictness: Strictness) -> Result<Self, SchemaError> {
        strict::check(document, strictness, "#")?;
        let mut compiler = Compiler::new(document);
        let root = compiler.root()?;
        let least_depths = finite::least_depths(&compiler.shapes);
        if least_depths[root] == finite::NEVER {
            return Err(SchemaError { path: "#".to_owned(), message: "every value of it would be endless".to_owned() });
        }
        Ok(Self { shapes: compiler.shapes, least_depths, root })
    }
}
