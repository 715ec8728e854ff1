//! The typed expression language: text → tokens → syntax tree → typed tree → Arrow arrays. Pure.
//!
//! A text is [parsed](Expression::parse) once, [checked](Expression::check) against the types of the columns, and
//! [evaluated](Typed::evaluate) in batches. The value of a row depends on that row's columns only, so any split of a
//! table into batches gives the same values. Null is three-valued as in SQL: arithmetic with null is null, `and` and
//! `or` take the truth that is certain, a null condition chooses `else`. Division by zero is null. An int or a
//! decimal that overflows is an error, never a wrong number. A branch of `if` is evaluated for its own rows only.
//!
//! From weak to strong: `a if c else b`, `or ||`, `and &&`, `not`, comparisons with `in`, `between` and `is null`,
//! `+ -`, `* / // %`, the sign and `!`, calls. Names with odd characters stand in backticks.

mod error;
mod token;
mod syntax;
mod parse;
mod infix;
mod signature;
mod check;
mod agree;
mod operators;
mod apply;
mod tree;
mod operand;
mod evaluate;
mod cast;
mod arithmetic;
mod compare;
mod functions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};

use crate::value::Type;
use check::Checker;
pub use error::{ExpressionError, Span};
use evaluate::Batch;
pub use functions::{FUNCTIONS, FunctionInfo, functions};
use syntax::{Form, Syntax};
use tree::Node;

/// A parsed expression: its form is right, its names and types are not known yet.
#[derive(Clone, Debug)]
pub struct Expression {
    text: Arc<str>,
    root: Syntax,
}

impl Expression {
    /// Reads a text.
    ///
    /// # Errors
    /// What is not of the grammar, with its place; also a text that is too long or nested too deeply.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        Ok(Self { text: text.into(), root: parse::parse(text)? })
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every use of a column, in the order written, with its place.
    pub fn names(&self) -> Vec<(String, Span)> {
        let mut names = Vec::new();
        let mut waiting = vec![&self.root];
        while let Some(node) = waiting.pop() {
            if let Form::Column(name) = &node.form {
                names.push((name.clone(), node.span.clone()));
            }
            waiting.extend(node.children());
        }
        names.sort_by_key(|(_, span)| span.start);
        names
    }

    /// Whether a row may be null although none of its columns is: by a `null`, a `case` without `else`, a division that
    /// may be by zero, or a function that is not defined everywhere.
    pub fn may_add_nulls(&self) -> bool {
        let mut waiting = vec![&self.root];
        while let Some(node) = waiting.pop() {
            if node.may_add_null() {
                return true;
            }
            waiting.extend(node.children());
        }
        false
    }

    /// Finds names and types: `kind_of` gives a column's type, `candidates` are the names an unknown one could have
    /// meant. What is constant is computed here.
    ///
    /// # Errors
    /// The first problem in reading order, with its place and, where one is known, what would work.
    pub fn check(&self, kind_of: &dyn Fn(&str) -> Option<Type>, candidates: &[&str]) -> Result<Typed, ExpressionError> {
        let mut checker = Checker { text: &self.text, kind_of, candidates, columns: Vec::new() };
        let root = checker.node(&self.root)?;
        if root.is_null() {
            let problem = ExpressionError::new("the type of null is not known here", root.span);
            return Err(problem.suggest("float(null)"));
        }
        Ok(Typed { text: Arc::clone(&self.text), root, columns: checker.columns })
    }
}

/// A checked expression, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Typed {
    text: Arc<str>,
    root: Node,
    columns: Vec<(String, Type)>,
}

impl Typed {
    /// The type of its values.
    pub const fn kind(&self) -> Type {
        self.root.kind
    }

    /// The text it was read from.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The columns it reads, each once, in order of first use.
    pub fn columns(&self) -> impl Iterator<Item = (&str, Type)> {
        self.columns.iter().map(|(name, kind)| (name.as_str(), *kind))
    }

    /// The value of every row. `column` is asked once for each column and gives `rows` values of the type that the
    /// check was told (text plain or as a dictionary with 32-bit keys).
    ///
    /// # Errors
    /// What `column` refuses; a column of another type or length; an overflow or an unreadable text in some row.
    pub fn evaluate<E: From<ExpressionError>>(
        &self,
        rows: usize,
        column: &dyn Fn(&str) -> Result<ArrayRef, E>,
    ) -> Result<ArrayRef, E> {
        let mut columns = Vec::with_capacity(self.columns.len());
        for (name, kind) in &self.columns {
            columns.push(self.admit(name, *kind, rows, column(name)?)?);
        }
        Ok(Batch { text: &self.text, rows, columns }.finish(&self.root)?)
    }

    fn admit(&self, name: &str, kind: Type, rows: usize, array: ArrayRef) -> Result<ArrayRef, ExpressionError> {
        let problem = |message| ExpressionError::new(message, 0..self.text.len());
        if array.len() != rows {
            return Err(problem(format!("column `{name}` has {} values for {rows} rows", array.len())));
        }
        let found = array.data_type().clone();
        evaluate::admitted(array, kind).ok_or_else(|| problem(format!("column `{name}` is {found}, expected {kind}")))
    }
}
