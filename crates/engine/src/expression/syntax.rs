//! The syntax tree: what was written, before any type is known. Pure.

use super::error::Span;

/// One node of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Syntax {
    pub(super) form: Form,
    pub(super) span: Span,
    /// Levels below this node, itself included: bounds every walk of the tree.
    pub(super) depth: usize,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    Number(Number),
    Text(String),
    Bool(bool),
    Null,
    Column(String),
    Negate(Box<Syntax>),
    Not(Box<Syntax>),
    Binary { operator: Operator, left: Box<Syntax>, right: Box<Syntax> },
    In { value: Box<Syntax>, list: Vec<Syntax> },
    Between { value: Box<Syntax>, low: Box<Syntax>, high: Box<Syntax> },
    IsNull(Box<Syntax>),
    If { condition: Box<Syntax>, then: Box<Syntax>, otherwise: Box<Syntax> },
    Call { name: String, name_span: Span, arguments: Vec<Syntax> },
}

/// A number as written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Without an exponent and with at most 38 digits.
    Exact(Exact),
    Float(f64),
}

/// `value` / 10^`scale`, to the last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    pub(super) value: i128,
    pub(super) scale: u8,
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

impl Operator {
    /// How it is written in messages.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Remainder => "%",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::And => "and",
            Self::Or => "or",
        }
    }

    /// Whether it compares two values.
    pub(super) const fn compares(self) -> bool {
        matches!(self, Self::Equal | Self::NotEqual | Self::Less | Self::LessEqual | Self::Greater | Self::GreaterEqual)
    }
}

impl Exact {
    /// The nearest binary number.
    pub(super) fn float(self) -> f64 {
        format!("{}e-{}", self.value, self.scale).parse().expect("digits and an exponent are a number")
    }

    /// The digits needed to hold it as a decimal of its own scale.
    pub(super) fn precision(self) -> u8 {
        let digits = self.value.unsigned_abs().checked_ilog10().unwrap_or(0) as u8 + 1;
        digits.max(self.scale)
    }
}

impl Syntax {
    /// The nodes right below, in the order written.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.form {
            Form::Number(_) | Form::Text(_) | Form::Bool(_) | Form::Null | Form::Column(_) => vec![],
            Form::Negate(value) | Form::Not(value) | Form::IsNull(value) => vec![value],
            Form::Binary { left, right, .. } => vec![left, right],
            Form::In { value, list } => std::iter::once(&**value).chain(list).collect(),
            Form::Between { value, low, high } => vec![value, low, high],
            Form::If { condition, then, otherwise } => vec![condition, then, otherwise],
            Form::Call { arguments, .. } => arguments.iter().collect(),
        }
    }

    /// Whether this node itself may make a null of what is not null.
    pub(super) fn may_add_null(&self) -> bool {
        match &self.form {
            Form::Null => true,
            Form::Binary {
                operator: Operator::Divide | Operator::FloorDivide | Operator::Remainder, right, ..
            } => !matches!(right.form, Form::Number(number) if !number.is_zero()),
            Form::Call { name, .. } => PARTIAL_FUNCTIONS.contains(&name.as_str()),
            _ => false,
        }
    }
}

/// Functions that are null for some values: a root below 0, a power too large, two equal values.
const PARTIAL_FUNCTIONS: [&str; 6] = ["sqrt", "exp", "ln", "log10", "pow", "nullif"];

impl Number {
    fn is_zero(self) -> bool {
        match self {
            Self::Exact(exact) => exact.value == 0,
            Self::Float(value) => value == 0.0,
        }
    }
}
