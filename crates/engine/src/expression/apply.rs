//! Calls of functions: arguments against the signature, and the type of the result. Pure.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;

use super::agree::{coerce, decimal_of};
use super::cast;
use super::check::Checker;
use super::error::{ExpressionError, Span};
use super::functions::{FunctionInfo, is_cast};
use super::signature::{Count, Parameter, Signature};
use super::tree::{Form, Node};
use crate::value::Type;

type Checked = Result<Node, ExpressionError>;

impl Checker<'_> {
    /// A function applied to its arguments.
    pub(super) fn apply(&mut self, function: &FunctionInfo, arguments: Vec<Node>, span: Span) -> Checked {
        let signature = Signature::read(function.signature).expect("a test reads every signature");
        self.count(function, &signature, arguments.len(), &span)?;
        let generic = self.generic(function, &signature, &arguments)?;
        let mut operands = Vec::with_capacity(arguments.len());
        for (at, argument) in arguments.into_iter().enumerate() {
            operands.push(self.argument(function, signature.parameter(at), generic, argument)?);
        }
        let kind = match signature.result {
            "T" => generic.unwrap_or(Type::Text),
            "number" | "moment" => operands[0].kind,
            "decimal(p,s)" => self.spelled_decimal(&operands, &span)?,
            word => Type::from_name(word).expect("a test reads every result"),
        };
        if is_cast(function) && !cast::exists(operands[0].kind, kind) {
            let message = format!("`{}` cannot be made from {}", function.name, operands[0].kind);
            return Err(ExpressionError::new(message, operands[0].span.clone()));
        }
        match is_cast(function) {
            true => self.cast(operands.swap_remove(0), kind, span),
            false => self.call(kind, span, function.kernel, operands),
        }
    }

    /// The cast of a node; a literal number becomes a decimal by its digits, not by way of a float.
    fn cast(&self, node: Node, kind: Type, span: Span) -> Checked {
        if node.kind == kind {
            return Ok(Node { span, ..node });
        }
        let node = match (kind, decimal_of(&node)) {
            (Type::Decimal { .. }, Some(own)) if node.exact.is_some() => coerce(self, node, own)?,
            _ => node,
        };
        self.call(kind, span, cast::convert, vec![node])
    }

    fn count(
        &self,
        function: &FunctionInfo,
        signature: &Signature<'_>,
        found: usize,
        span: &Span,
    ) -> Result<(), ExpressionError> {
        let (least, most) = signature.counts();
        if (least..=most).contains(&found) {
            return Ok(());
        }
        let endless = signature.parameters.iter().any(|parameter| parameter.count == Count::OneOrMore);
        let wanted = match (endless, least == most) {
            (true, _) => format!("at least {least}"),
            (false, true) => least.to_string(),
            (false, false) => format!("{least} to {most}"),
        };
        let noun = if wanted == "1" || wanted == "at least 1" { "argument" } else { "arguments" };
        let message = format!("`{}` takes {wanted} {noun}, found {found}", function.name);
        Err(ExpressionError::new(message, span.clone()).suggest(function.signature))
    }

    /// The one type of all arguments that the signature calls `T`.
    fn generic(
        &self,
        function: &FunctionInfo,
        signature: &Signature<'_>,
        arguments: &[Node],
    ) -> Result<Option<Type>, ExpressionError> {
        let alike: Vec<Node> = arguments
            .iter()
            .enumerate()
            .filter(|(at, _)| signature.parameter(*at).word == "T")
            .map(|(_, node)| node.clone())
            .collect();
        if alike.is_empty() {
            return Ok(None);
        }
        let kind = self.alike(alike, &format!("use `{}` on", function.name))?.first().map(|node| node.kind);
        Ok(kind)
    }

    fn argument(
        &self,
        function: &FunctionInfo,
        parameter: Parameter<'_>,
        generic: Option<Type>,
        node: Node,
    ) -> Checked {
        let (span, found) = (node.span.clone(), node.kind);
        let kind = match parameter.word {
            "any" if node.is_null() => Some(Type::Text),
            "any" => Some(found),
            "number" if node.is_null() => Some(Type::Float),
            "number" => found.is_number().then_some(found),
            "moment" if found.is_temporal() => Some(found),
            "moment" => self.moment(&node),
            "T" => generic,
            word => Type::from_name(word),
        };
        let coerced = kind.map(|kind| coerce(self, node, kind));
        if let Some(Ok(node)) = coerced {
            return Ok(node);
        }
        // A text literal that is no date has a message of its own.
        if let Some(Err(problem)) = &coerced
            && found == Type::Text
            && kind.is_some_and(Type::is_temporal)
            && problem.message.contains("cannot read")
        {
            return Err(problem.clone());
        }
        let wanted = if parameter.word == "moment" { "date or datetime" } else { parameter.word };
        let message = format!("`{}` needs {wanted} as `{}`, found {found}", function.name, parameter.name);
        let make =
            kind.filter(|kind| cast::exists(found, *kind)).map(|kind| format!("{kind}({})", &self.text[span.clone()]));
        Err(ExpressionError::new(message, span).suggest_if(make))
    }

    /// What a text literal (or null) stands for where a date or a datetime is wanted.
    fn moment(&self, node: &Node) -> Option<Type> {
        match &node.form {
            Form::Null => Some(Type::Time),
            Form::Literal(value) if node.kind == Type::Text => {
                let text = value.as_string::<i32>().value(0);
                Some(if cast::parse_date(text).is_some() { Type::Date } else { Type::Time })
            }
            _ => None,
        }
    }

    /// `decimal(x, p, s)`: the type that the literals `p` and `s` spell.
    fn spelled_decimal(&self, operands: &[Node], span: &Span) -> Result<Type, ExpressionError> {
        let digits = |at: usize| match &operands.get(at)?.form {
            Form::Literal(value) if operands[at].kind == Type::Int => Some(value.as_primitive::<Int64Type>().value(0)),
            _ => None,
        };
        let (precision, scale) = (digits(1), digits(2));
        let spelled = precision.zip(scale).filter(|(p, s)| (1..=38).contains(p) && (0..=*p).contains(s));
        let Some((precision, scale)) = spelled else {
            let message = "`decimal` needs a precision of 1 to 38 and a scale of 0 to the precision, both as numbers";
            return Err(ExpressionError::new(message, span.clone()).suggest("decimal(x, 18, 2)"));
        };
        Ok(Type::Decimal { precision: precision as u8, scale: scale as i8 })
    }
}
