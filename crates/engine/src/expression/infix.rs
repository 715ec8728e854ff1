//! What may stand after a value: operators, `if … else`, `is null`, `in`, `between`. Pure.

use super::error::ExpressionError;
use super::parse::{Parsed, Parser, is_keyword, strength};
use super::syntax::{Form, Operator, Syntax};
use super::token::Token;

/// What may stand after a value.
#[derive(Clone, Copy)]
pub(super) enum Infix {
    Binary(Operator),
    Choice,
    Is,
    In,
    Between,
}

impl Parser {
    /// The operator at this place and how strongly it binds.
    pub(super) fn infix(&self) -> Option<(Infix, u8)> {
        use Operator::{Add, And, Divide, Equal, FloorDivide, Greater, GreaterEqual, Less, LessEqual};
        use Operator::{Multiply, NotEqual, Or, Remainder, Subtract};
        let (operator, strength) = match self.peek() {
            Token::Symbol(symbol) => match *symbol {
                "||" => (Or, strength::OR),
                "&&" => (And, strength::AND),
                "=" | "==" => (Equal, strength::COMPARE),
                "!=" | "<>" => (NotEqual, strength::COMPARE),
                "<" => (Less, strength::COMPARE),
                "<=" => (LessEqual, strength::COMPARE),
                ">" => (Greater, strength::COMPARE),
                ">=" => (GreaterEqual, strength::COMPARE),
                "+" => (Add, strength::SUM),
                "-" => (Subtract, strength::SUM),
                "*" => (Multiply, strength::PRODUCT),
                "/" => (Divide, strength::PRODUCT),
                "//" => (FloorDivide, strength::PRODUCT),
                "%" => (Remainder, strength::PRODUCT),
                _ => return None,
            },
            Token::Word(word) if is_keyword(word, "or") => (Or, strength::OR),
            Token::Word(word) if is_keyword(word, "and") => (And, strength::AND),
            Token::Word(_) => return self.word_infix(),
            _ => return None,
        };
        Some((Infix::Binary(operator), strength))
    }

    fn word_infix(&self) -> Option<(Infix, u8)> {
        let ahead = usize::from(self.is_word(0, "not"));
        if self.is_word(ahead, "in") {
            Some((Infix::In, strength::COMPARE))
        } else if self.is_word(ahead, "between") {
            Some((Infix::Between, strength::COMPARE))
        } else if self.is_word(0, "is") {
            Some((Infix::Is, strength::COMPARE))
        } else if self.is_word(0, "if") {
            Some((Infix::Choice, strength::CHOICE))
        } else {
            None
        }
    }

    /// `left` with the operator at this place and what follows it.
    pub(super) fn continued(&mut self, left: Syntax, infix: Infix) -> Parsed {
        match infix {
            Infix::Binary(operator) => self.binary(left, operator),
            Infix::Choice => {
                self.advance();
                let condition = self.expression(strength::OR)?;
                let otherwise = self.word("else");
                self.expect(otherwise, "`else`")?;
                let otherwise = self.expression(strength::CHOICE)?;
                let span = left.span.start..otherwise.span.end;
                self.choice(condition, left, otherwise, span)
            }
            Infix::Is | Infix::In | Infix::Between => {
                let compared = self.compared(left, infix)?;
                self.refuse_chain()?;
                Ok(compared)
            }
        }
    }

    fn binary(&mut self, left: Syntax, operator: Operator) -> Parsed {
        let strength = self.infix().map_or(strength::SIGN, |(_, strength)| strength);
        self.advance();
        let right = self.expression(strength + 1)?;
        if operator.compares() {
            self.refuse_chain()?;
        }
        let span = left.span.start..right.span.end;
        self.node(Form::Binary { operator, left: Box::new(left), right: Box::new(right) }, span)
    }

    /// `a < b < c` means three things in three languages, so it is refused.
    fn refuse_chain(&self) -> Result<(), ExpressionError> {
        match self.infix() {
            Some((_, strength::COMPARE)) => {
                Err(ExpressionError::new("comparisons cannot be chained", self.span()).suggest("a < b and b < c"))
            }
            _ => Ok(()),
        }
    }

    /// `is null`, `in (…)` and `between … and …`, each perhaps with `not`.
    fn compared(&mut self, left: Syntax, infix: Infix) -> Parsed {
        let start = left.span.start;
        let value = Box::new(left);
        let mut negated = self.word("not");
        self.advance();
        let (form, end) = match infix {
            Infix::In => {
                let open = self.symbol("(");
                self.expect(open, "`(` after `in`")?;
                let (list, end) = self.list()?;
                (Form::In { value, list }, end)
            }
            Infix::Between => {
                let low = Box::new(self.expression(strength::SUM)?);
                let and = self.word("and");
                self.expect(and, "`and` after `between`")?;
                let high = Box::new(self.expression(strength::SUM)?);
                let end = high.span.end;
                (Form::Between { value, low, high }, end)
            }
            Infix::Is | Infix::Binary(_) | Infix::Choice => {
                negated = self.word("not");
                let end = self.span().end;
                let null = self.word("null") || self.word("None");
                self.expect(null, "`null` after `is`")?;
                (Form::IsNull(value), end)
            }
        };
        let node = self.node(form, start..end)?;
        if negated { self.node(Form::Not(Box::new(node)), start..end) } else { Ok(node) }
    }
}
