//! Agreement of types: the one type several operands can have, and the cast to it. Pure.

use super::cast::{self, INT_AS_DECIMAL, convert};
use super::check::{Checker, exact_decimal};
use super::error::ExpressionError;
use super::tree::{Form, Node};
use crate::value::Type;

/// The type all nodes can take: numbers widen, a date becomes a datetime, text literals become dates.
///
/// # Errors
/// The places of the first two that have none.
pub(super) fn common(nodes: &[Node]) -> Result<Type, (usize, usize)> {
    let any_decimal = nodes.iter().any(|node| matches!(node.kind, Type::Decimal { .. }) && !node.is_null());
    let temporal = nodes.iter().find(|node| node.kind.is_temporal()).map(|node| node.kind);
    let mut agreed: Option<(usize, Type)> = None;
    for (at, node) in nodes.iter().enumerate() {
        if node.is_null() {
            continue;
        }
        let kind = match (temporal, any_decimal) {
            (Some(temporal), _) if is_text_literal(node) => temporal,
            (_, true) => decimal_of(node).unwrap_or(node.kind),
            _ => node.kind,
        };
        agreed = Some(match agreed {
            None => (at, kind),
            Some((first, before)) => (first, wider(before, kind).ok_or((first, at))?),
        });
    }
    Ok(agreed.map_or(Type::Text, |(_, kind)| kind))
}

/// The decimal type of an operand that can be one exactly.
pub(super) fn decimal_of(node: &Node) -> Option<Type> {
    match (node.exact, node.kind) {
        (Some(exact), _) => Some(Type::Decimal { precision: exact.precision(), scale: exact.scale as i8 }),
        (None, Type::Int) => Some(INT_AS_DECIMAL),
        (None, kind @ Type::Decimal { .. }) => Some(kind),
        _ => None,
    }
}

/// The one type that holds the values of both.
pub(super) fn wider(a: Type, b: Type) -> Option<Type> {
    match (a, b) {
        _ if a == b => Some(a),
        (Type::Decimal { precision: p, scale: s }, Type::Decimal { precision: q, scale: t }) => {
            let scale = s.max(t);
            let whole = (i16::from(p) - i16::from(s)).max(i16::from(q) - i16::from(t));
            Some(Type::Decimal { precision: (whole + i16::from(scale)).clamp(1, 38) as u8, scale })
        }
        (Type::Decimal { .. }, Type::Int) => wider(a, INT_AS_DECIMAL),
        (Type::Int, Type::Decimal { .. }) => wider(INT_AS_DECIMAL, b),
        _ if a.is_number() && b.is_number() => Some(Type::Float),
        _ if a.is_temporal() && b.is_temporal() => Some(Type::Time),
        _ => None,
    }
}

fn is_text_literal(node: &Node) -> bool {
    node.kind == Type::Text && matches!(node.form, Form::Literal(_))
}

/// A node as another type, where that needs no asking.
pub(super) fn coerce(checker: &Checker<'_>, node: Node, kind: Type) -> Result<Node, ExpressionError> {
    if node.is_null() {
        return Ok(Node::new(kind, node.span, Form::Literal(arrow::array::new_null_array(&kind.arrow(), 1))));
    }
    if node.kind == kind {
        return Ok(node);
    }
    if let Some(exact) = node.exact
        && let Some(literal) = exact_decimal(exact, kind, &node.span)
    {
        return Ok(literal);
    }
    let read = kind.is_temporal() && is_text_literal(&node);
    if read || cast::is_silent(node.kind, kind) {
        let span = node.span.clone();
        return checker.call(kind, span, convert, vec![node]);
    }
    Err(ExpressionError::new(format!("expected {kind}, found {}", node.kind), node.span))
}
