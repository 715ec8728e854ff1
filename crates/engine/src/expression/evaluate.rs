//! The typed tree to Arrow arrays. Pure.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array, new_empty_array};
use arrow::compute::{cast, filter, interleave, not, prep_null_mask_filter, take};
use arrow::datatypes::DataType;

use super::error::ExpressionError;
use super::operand::{Call, Operand, refused};
use super::tree::{Form, Node};
use crate::value::Type;

/// The rows an expression is evaluated for.
pub(super) struct Batch<'a> {
    /// The expression's text, which error messages quote.
    pub(super) text: &'a str,
    /// How many rows there are.
    pub(super) rows: usize,
    /// The used columns; those a branch does not read may be empty in its batch.
    pub(super) columns: Vec<ArrayRef>,
}

type Evaluated = Result<Operand, ExpressionError>;

impl Batch<'_> {
    /// A node's values.
    pub(super) fn evaluate(&self, node: &Node) -> Evaluated {
        match &node.form {
            Form::Null => Ok(Operand::constant(arrow::array::new_null_array(&node.kind.arrow(), 1))),
            Form::Literal(value) => Ok(Operand::constant(Arc::clone(value))),
            Form::Column(at) => Ok(Operand::column(Arc::clone(&self.columns[*at]))),
            Form::Choice { condition, then, otherwise } => self.choose(node, condition, [then, otherwise]),
            Form::Call { kernel, operands } => {
                let values = operands.iter().map(|operand| self.evaluate(operand)).collect::<Result<Vec<_>, _>>()?;
                let kinds: Vec<Type> = operands.iter().map(|operand| operand.kind).collect();
                let constant = values.iter().all(|value| value.constant);
                let rows = if constant { 1 } else { self.rows };
                let call = Call { kind: node.kind, kinds: &kinds, rows, operands: &values };
                let array = kernel(&call).map_err(|refusal| self.problem(node, &refusal))?;
                Ok(Operand { array, constant })
            }
        }
    }

    fn problem(&self, node: &Node, refusal: &str) -> ExpressionError {
        ExpressionError::new(format!("`{}` {refusal}", &self.text[node.span.clone()]), node.span.clone())
    }

    /// A branch per row. A branch sees its own rows only, so that what it refuses elsewhere does no harm. Dictionaries
    /// are written out even where one branch takes all rows: the Arrow type must not depend on the batch.
    fn choose(&self, node: &Node, condition: &Node, branches: [&Node; 2]) -> Evaluated {
        let condition = self.evaluate(condition)?;
        let mask = prep_mask(condition.array.as_boolean());
        let only = match mask.true_count() {
            _ if condition.constant => Some(branches[usize::from(!mask.value(0))]),
            count if count == self.rows => Some(branches[0]),
            0 => Some(branches[1]),
            _ => None,
        };
        let chosen = match only {
            Some(branch) => self.evaluate(branch)?.plain().map_err(Merge::Arrow),
            None => self.merge(&mask, branches),
        };
        chosen.map_err(|error| match error {
            Merge::Branch(error) => error,
            Merge::Arrow(refusal) => self.problem(node, &refusal),
        })
    }

    fn merge(&self, mask: &BooleanArray, [then, otherwise]: [&Node; 2]) -> Result<Operand, Merge> {
        let inverse = not(mask).map_err(|error| Merge::Arrow(refused(error)))?;
        let branches = [self.branch(then, mask)?, self.branch(otherwise, &inverse)?];
        let mut places = [0_usize; 2];
        let mut sources = Vec::with_capacity(self.rows);
        for row in 0..self.rows {
            let branch = usize::from(!mask.value(row));
            sources.push((branch, places[branch]));
            places[branch] += usize::from(!branches[branch].constant);
        }
        let arrays = [&*branches[0].array, &*branches[1].array];
        interleave(&arrays, &sources).map(Operand::column).map_err(|error| Merge::Arrow(refused(error)))
    }

    /// A node's values for the rows of a mask.
    fn branch(&self, node: &Node, mask: &BooleanArray) -> Result<Operand, Merge> {
        let mut used = Vec::new();
        node.columns(&mut used);
        let mut columns = Vec::with_capacity(self.columns.len());
        for (at, column) in self.columns.iter().enumerate() {
            columns.push(match used.contains(&at) {
                true => filter(column, mask).map_err(|error| Merge::Arrow(refused(error)))?,
                false => new_empty_array(column.data_type()),
            });
        }
        let batch = Batch { text: self.text, rows: mask.true_count(), columns };
        batch.evaluate(node).map_err(Merge::Branch)?.plain().map_err(Merge::Arrow)
    }

    /// The final array: one value per row, of the type's own Arrow type or, for text, a dictionary.
    pub(super) fn finish(&self, node: &Node) -> Result<ArrayRef, ExpressionError> {
        let Operand { array, constant } = self.evaluate(node)?;
        if !constant {
            return Ok(array);
        }
        let places = UInt32Array::from(vec![0; self.rows]);
        take(&array, &places, None).map_err(|error| self.problem(node, &refused(error)))
    }
}

/// Why branches could not be merged: a branch's own problem, or one of the merge itself.
enum Merge {
    Branch(ExpressionError),
    Arrow(String),
}

/// A condition with null as false.
fn prep_mask(condition: &BooleanArray) -> BooleanArray {
    if condition.null_count() > 0 { prep_null_mask_filter(condition) } else { condition.clone() }
}

/// Whether an array may stand for a column of a type.
pub(super) fn fits(array: &dyn Array, kind: Type) -> bool {
    let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    *array.data_type() == kind.arrow() || (kind == Type::Text && *array.data_type() == dictionary)
}

/// A column as the evaluator wants it: decimals may come with another precision of the same scale.
pub(super) fn admitted(array: ArrayRef, kind: Type) -> Option<ArrayRef> {
    if fits(&array, kind) {
        return Some(array);
    }
    match (array.data_type(), kind) {
        (DataType::Decimal128(_, scale), Type::Decimal { scale: wanted, .. }) if *scale == wanted => {
            cast(&array, &kind.arrow()).ok()
        }
        _ => None,
    }
}
