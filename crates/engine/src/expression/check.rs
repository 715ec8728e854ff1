//! The syntax tree to the typed tree: names found, types agreed, constants computed. Pure.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringArray};

use super::agree::{coerce, common};
use super::error::{ExpressionError, Span, nearest};
use super::evaluate::Batch;
use super::operand::Kernel;
use super::syntax::{Exact, Form as Written, Number, Syntax};
use super::tree::{Form, Node};
use super::{compare, functions};
use crate::value::Type;

type Checked = Result<Node, ExpressionError>;

/// The state of one check.
pub(super) struct Checker<'a> {
    /// The expression's text.
    pub(super) text: &'a str,
    /// The type of a column, if there is one of that name.
    pub(super) kind_of: &'a dyn Fn(&str) -> Option<Type>,
    /// The names that could have been meant.
    pub(super) candidates: &'a [&'a str],
    /// The columns found so far, in order of first use.
    pub(super) columns: Vec<(String, Type)>,
}

impl Checker<'_> {
    /// The typed node of a written one.
    pub(super) fn node(&mut self, written: &Syntax) -> Checked {
        let span = written.span.clone();
        match &written.form {
            Written::Number(Number::Exact(exact)) => Ok(exact_literal(*exact, span)),
            Written::Number(Number::Float(value)) => {
                Ok(literal(Type::Float, Arc::new(Float64Array::from(vec![*value])), span))
            }
            Written::Text(text) => Ok(literal(Type::Text, Arc::new(StringArray::from(vec![text.as_str()])), span)),
            Written::Bool(value) => Ok(literal(Type::Bool, Arc::new(BooleanArray::from(vec![*value])), span)),
            Written::Null => Ok(Node::new(Type::Text, span, Form::Null)),
            Written::Column(name) => self.column(name, span),
            Written::Negate(value) => self.negate(value, span),
            Written::Not(value) => {
                let operand = self.truth(value, "`not`")?;
                self.call(Type::Bool, span, compare::negation, vec![operand])
            }
            Written::Binary { operator, left, right } => {
                let operands = [self.node(left)?, self.node(right)?];
                self.binary(*operator, operands, span)
            }
            Written::In { value, list } => self.compared(value, list.iter(), compare::is_in, span),
            Written::Between { value, low, high } => {
                self.compared(value, [&**low, &**high].into_iter(), compare::is_between, span)
            }
            Written::IsNull(value) => {
                let operand = self.node(value)?;
                self.call(Type::Bool, span, compare::is_null, vec![operand])
            }
            Written::If { condition, then, otherwise } => self.choice(condition, [then, otherwise], span),
            Written::Call { name, name_span, arguments } => {
                let Some(function) = functions::find(name) else { return Err(unknown(name, name_span)) };
                let arguments = arguments.iter().map(|argument| self.node(argument)).collect::<Result<_, _>>()?;
                self.apply(function, arguments, span)
            }
        }
    }

    fn column(&mut self, name: &str, span: Span) -> Checked {
        let Some(kind) = (self.kind_of)(name) else {
            let near = nearest(name, self.candidates.iter().copied());
            return Err(ExpressionError::new(format!("there is no column `{name}`"), span).suggest_if(near));
        };
        let known = self.columns.iter().position(|(column, _)| column == name);
        let at = known.unwrap_or(self.columns.len());
        if known.is_none() {
            self.columns.push((name.to_owned(), kind));
        }
        Ok(Node::new(kind, span, Form::Column(at)))
    }

    /// A truth value where one is needed; `of` names what needs it.
    pub(super) fn truth(&mut self, written: &Syntax, of: &str) -> Checked {
        let node = self.node(written)?;
        self.need_bool(node, of)
    }

    /// `node` if it is a truth value.
    pub(super) fn need_bool(&self, node: Node, of: &str) -> Checked {
        let (span, kind) = (node.span.clone(), node.kind);
        coerce(self, node, Type::Bool).map_err(|_| {
            let problem = ExpressionError::new(format!("{of} needs bool, found {kind}"), span.clone());
            let source = &self.text[span];
            problem.suggest_if(match kind {
                Type::Int | Type::Float | Type::Decimal { .. } => Some(format!("{source} != 0")),
                Type::Text => Some(format!("{source} != ''")),
                _ => None,
            })
        })
    }

    /// `in` and `between`: all operands of one type.
    fn compared<'s>(
        &mut self,
        value: &'s Syntax,
        others: impl Iterator<Item = &'s Syntax>,
        kernel: Kernel,
        span: Span,
    ) -> Checked {
        let mut operands = vec![self.node(value)?];
        for other in others {
            operands.push(self.node(other)?);
        }
        if operands.len() == 1 {
            return Err(ExpressionError::new("`in` needs at least one value", span));
        }
        let operands = self.alike(operands, "compare")?;
        self.call(Type::Bool, span, kernel, operands)
    }

    /// All nodes as one type; `verb` names what is wanted of them.
    pub(super) fn alike(&self, nodes: Vec<Node>, verb: &str) -> Result<Vec<Node>, ExpressionError> {
        let kind = common(&nodes).map_err(|(first, second)| {
            let message = format!("cannot {verb} {} and {}", nodes[first].kind, nodes[second].kind);
            ExpressionError::new(message, nodes[second].span.clone())
        })?;
        nodes.into_iter().map(|node| coerce(self, node, kind)).collect()
    }

    fn choice(&mut self, condition: &Syntax, branches: [&Syntax; 2], span: Span) -> Checked {
        let condition = Box::new(self.truth(condition, "a condition")?);
        let nodes = branches.into_iter().map(|branch| self.node(branch)).collect::<Result<Vec<_>, _>>()?;
        if nodes.iter().all(Node::is_null) {
            return Ok(Node::new(Type::Text, span, Form::Null));
        }
        let mut nodes = self.alike(nodes, "choose between")?.into_iter();
        let (Some(then), Some(otherwise)) = (nodes.next(), nodes.next()) else {
            return Err(ExpressionError::new("`if` needs two branches", span));
        };
        let kind = then.kind;
        let (then, otherwise) = (Box::new(then), Box::new(otherwise));
        Ok(Node::new(kind, span, Form::Choice { condition, then, otherwise }))
    }

    /// A kernel applied to operands, at once where all are constants.
    pub(super) fn call(&self, kind: Type, span: Span, kernel: Kernel, operands: Vec<Node>) -> Checked {
        let constant = operands.iter().all(|node| matches!(node.form, Form::Literal(_) | Form::Null));
        let node = Node::new(kind, span.clone(), Form::Call { kernel, operands });
        if !constant {
            return Ok(node);
        }
        let value = Batch { text: self.text, rows: 1, columns: vec![] }.evaluate(&node)?;
        Ok(literal(kind, value.array, span))
    }
}

fn unknown(name: &str, span: &Span) -> ExpressionError {
    let near = nearest(name, functions::functions().map(|function| function.name));
    let problem = ExpressionError::new(format!("there is no function `{name}`"), span.clone());
    problem.suggest_if(near.map(|near| format!("{near}(…)")))
}

/// A constant of one value.
pub(super) const fn literal(kind: Type, value: ArrayRef, span: Span) -> Node {
    Node::new(kind, span, Form::Literal(value))
}

/// A number that a decimal operand takes without loss: an int if it has no point, else a float by itself.
pub(super) fn exact_literal(exact: Exact, span: Span) -> Node {
    let mut node = match i64::try_from(exact.value) {
        Ok(value) if exact.scale == 0 => literal(Type::Int, Arc::new(Int64Array::from(vec![value])), span),
        _ => literal(Type::Float, Arc::new(Float64Array::from(vec![exact.float()])), span),
    };
    node.exact = Some(exact);
    node
}

/// An exact number as a decimal type's literal, if it fits without loss.
pub(super) fn exact_decimal(exact: Exact, kind: Type, span: &Span) -> Option<Node> {
    let Type::Decimal { precision, scale } = kind else { return None };
    let more = u32::try_from(i16::from(scale) - i16::from(exact.scale)).ok()?;
    let value = exact.value.checked_mul(10_i128.checked_pow(more)?)?;
    let fits = value.unsigned_abs() < 10_u128.pow(precision.into());
    let array = Decimal128Array::from(vec![value]).with_data_type(kind.arrow());
    fits.then(|| literal(kind, Arc::new(array), span.clone()))
}
