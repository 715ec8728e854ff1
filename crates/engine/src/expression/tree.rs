//! The typed tree: what is left of an expression after the check. Pure.

use arrow::array::ArrayRef;

use super::error::Span;
use super::operand::Kernel;
use super::syntax::Exact;
use crate::value::Type;

/// One node; every node knows its type.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: Type,
    pub(super) span: Span,
    pub(super) form: Form,
    /// The exact value of a literal number, which a decimal operand can take without loss.
    pub(super) exact: Option<Exact>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// `null` that has met no type yet.
    Null,
    /// An array of one value.
    Literal(ArrayRef),
    /// A place in the list of used columns.
    Column(usize),
    /// A branch per row; only the rows of a branch are evaluated in it.
    Choice { condition: Box<Node>, then: Box<Node>, otherwise: Box<Node> },
    /// A kernel and its operands.
    Call { kernel: Kernel, operands: Vec<Node> },
}

impl Node {
    /// A node that is no literal number.
    pub(super) const fn new(kind: Type, span: Span, form: Form) -> Self {
        Self { kind, span, form, exact: None }
    }

    /// Whether it is a `null` without a type.
    pub(super) const fn is_null(&self) -> bool {
        matches!(self.form, Form::Null)
    }

    /// Adds the places of the columns it reads.
    pub(super) fn columns(&self, used: &mut Vec<usize>) {
        match &self.form {
            Form::Null | Form::Literal(_) => {}
            Form::Column(at) => {
                if !used.contains(at) {
                    used.push(*at);
                }
            }
            Form::Choice { condition, then, otherwise } => {
                [condition, then, otherwise].into_iter().for_each(|node| node.columns(used));
            }
            Form::Call { operands, .. } => operands.iter().for_each(|node| node.columns(used)),
        }
    }
}
