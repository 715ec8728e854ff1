//! The types of operators: what they take, what they give, and what to write instead. Pure.

use super::agree::{coerce, decimal_of, wider};
use super::check::{Checker, exact_literal};
use super::error::{ExpressionError, Span};
use super::syntax::{Exact, Operator, Syntax};
use super::tree::Node;
use super::{arithmetic, cast, compare, functions};
use crate::value::Type;

type Checked = Result<Node, ExpressionError>;

/// The fewest digits after the point that a decimal quotient has.
const QUOTIENT_SCALE_MIN: i8 = 6;
/// The most digits a decimal has.
const PRECISION_MAX: u8 = 38;

impl Checker<'_> {
    /// An operator between two nodes.
    pub(super) fn binary(&mut self, operator: Operator, [left, right]: [Node; 2], span: Span) -> Checked {
        if matches!(operator, Operator::And | Operator::Or) {
            let of = format!("`{}`", operator.sign());
            let operands = vec![self.need_bool(left, &of)?, self.need_bool(right, &of)?];
            return self.apply_operator(operator, Type::Bool, operands, span);
        }
        if operator.compares() {
            let operands = match wide_decimals(&left, &right) {
                Some((a, b)) => vec![coerce(self, left, a)?, coerce(self, right, b)?],
                None => self.alike(vec![left, right], "compare")?,
            };
            return self.apply_operator(operator, Type::Bool, operands, span);
        }
        if let (Some(a), Some(b)) = (left.exact, right.exact)
            && a.scale.max(b.scale) > 0
            && let Some(exact) = exactly(operator, a, b)
        {
            return Ok(exact_literal(exact, span));
        }
        self.arithmetic(operator, [left, right], span)
    }

    fn apply_operator(&self, operator: Operator, kind: Type, operands: Vec<Node>, span: Span) -> Checked {
        let kernel = compare::kernel(operator).or_else(|| arithmetic::kernel(operator, operands[0].kind));
        match kernel {
            Some(kernel) => self.call(kind, span, kernel, operands),
            None => Err(ExpressionError::new(format!("`{}` has no meaning here", operator.sign()), span)),
        }
    }

    fn arithmetic(&self, operator: Operator, [left, right]: [Node; 2], span: Span) -> Checked {
        let [left, right] = match [left, right] {
            [left, right] if left.is_null() && right.is_null() => return Ok(Node { span, ..left }),
            [left, right] if left.is_null() => [coerce(self, left, right.kind)?, right],
            [left, right] if right.is_null() => {
                let right = coerce(self, right, left.kind)?;
                [left, right]
            }
            both => both,
        };
        let kinds = [left.kind, right.kind];
        if operator == Operator::Add && kinds == [Type::Text; 2] {
            return self.call(Type::Text, span, functions::concat, vec![left, right]);
        }
        if kinds.iter().any(|kind| !kind.is_number()) {
            return Err(self.no_arithmetic(operator, [&left, &right], span));
        }
        let any_decimal = kinds.iter().any(|kind| matches!(kind, Type::Decimal { .. }));
        if any_decimal && let (Some(a), Some(b)) = (decimal_of(&left), decimal_of(&right)) {
            return self.decimal(operator, [(left, a), (right, b)], span);
        }
        let float = operator == Operator::Divide || kinds != [Type::Int; 2];
        let kind = if float { Type::Float } else { Type::Int };
        let operands = vec![coerce(self, left, kind)?, coerce(self, right, kind)?];
        self.apply_operator(operator, kind, operands, span)
    }

    fn decimal(&self, operator: Operator, [(left, a), (right, b)]: [(Node, Type); 2], span: Span) -> Checked {
        let (Some(rule), Some(both)) = (decimal_result(operator, a, b), wider(a, b)) else {
            let message = format!("the result of {a} {} {b} needs more than {PRECISION_MAX} digits", operator.sign());
            return Err(ExpressionError::new(message, span).suggest("decimal(x, 38, 6)"));
        };
        let own = matches!(operator, Operator::Multiply | Operator::Divide);
        let (a, b) = if own { (a, b) } else { (both, both) };
        let operands = vec![coerce(self, left, a)?, coerce(self, right, b)?];
        self.apply_operator(operator, rule, operands, span)
    }

    /// The refusal of an operator on what is no number, with the call that does what was probably meant.
    fn no_arithmetic(&self, operator: Operator, [left, right]: [&Node; 2], span: Span) -> ExpressionError {
        let message = format!("`{}` does not take {} and {}", operator.sign(), left.kind, right.kind);
        let problem = ExpressionError::new(message, span);
        let [a, b] = [left, right].map(|node| &self.text[node.span.clone()]);
        problem.suggest_if(match (operator, left.kind, right.kind) {
            (Operator::Subtract, Type::Date, Type::Date) => Some(format!("days_between({b}, {a})")),
            (Operator::Subtract, x, y) if x.is_temporal() && y.is_temporal() => {
                Some(format!("seconds_between({b}, {a})` or `days_between({b}, {a})"))
            }
            (Operator::Add, x, y) if x.is_temporal() && y.is_number() => Some(format!("add_days({a}, {b})")),
            (Operator::Subtract, x, y) if x.is_temporal() && y.is_number() => Some(format!("add_days({a}, -{b})")),
            (Operator::Add, Type::Text, _) => Some(format!("{a} + string({b})")),
            (Operator::Add, _, Type::Text) => Some(format!("string({a}) + {b}")),
            _ => None,
        })
    }

    /// `-a`.
    pub(super) fn negate(&mut self, written: &Syntax, span: Span) -> Checked {
        let node = self.node(written)?;
        if let Some(exact) = node.exact {
            return Ok(exact_literal(Exact { value: -exact.value, ..exact }, span));
        }
        if !node.kind.is_number() && !node.is_null() {
            return Err(ExpressionError::new(format!("`-` needs a number, found {}", node.kind), node.span));
        }
        if node.is_null() {
            return Ok(Node { span, ..node });
        }
        self.call(node.kind, span, arithmetic::negate, vec![node])
    }
}

/// The types of two decimals that no one decimal type holds.
fn wide_decimals(left: &Node, right: &Node) -> Option<(Type, Type)> {
    if left.is_null() || right.is_null() || ![left, right].iter().any(|node| matches!(node.kind, Type::Decimal { .. }))
    {
        return None;
    }
    let (a, b) = (decimal_of(left)?, decimal_of(right)?);
    let both = wider(a, b)?;
    (!cast::holds(a, both) || !cast::holds(b, both)).then_some((a, b))
}

/// The type of a decimal operation, as in SQL; nothing if it cannot be held.
fn decimal_result(operator: Operator, a: Type, b: Type) -> Option<Type> {
    let (Type::Decimal { precision: p, scale: s }, Type::Decimal { precision: q, scale: t }) = (a, b) else {
        return None;
    };
    let capped = |digits: i16, scale: i8| {
        let precision = digits.clamp(1, PRECISION_MAX.into()) as u8;
        (i16::from(scale) <= PRECISION_MAX.into()).then_some(Type::Decimal { precision, scale })
    };
    let both = wider(a, b)?;
    match (operator, both) {
        (Operator::Add | Operator::Subtract, Type::Decimal { precision, scale }) => {
            capped(i16::from(precision) + 1, scale)
        }
        (Operator::Multiply, _) => capped(i16::from(p) + i16::from(q), s.checked_add(t)?),
        (Operator::Divide, _) => {
            let scale = s.max(t).max(QUOTIENT_SCALE_MIN);
            capped(i16::from(p) - i16::from(s) + i16::from(t) + i16::from(scale), scale)
        }
        (Operator::FloorDivide, _) => Some(Type::Int),
        _ => Some(both),
    }
}

/// Sums and products of literals, exact like the literals; nothing where they would be too long.
fn exactly(operator: Operator, a: Exact, b: Exact) -> Option<Exact> {
    let scale = a.scale.max(b.scale);
    let raised = |exact: Exact| exact.value.checked_mul(10_i128.checked_pow((scale - exact.scale).into())?);
    let exact = match operator {
        Operator::Add => Exact { value: raised(a)?.checked_add(raised(b)?)?, scale },
        Operator::Subtract => Exact { value: raised(a)?.checked_sub(raised(b)?)?, scale },
        Operator::Multiply => Exact { value: a.value.checked_mul(b.value)?, scale: a.scale.checked_add(b.scale)? },
        _ => return None,
    };
    (exact.precision() <= PRECISION_MAX).then_some(exact)
}
