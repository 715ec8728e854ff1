//! Tokens to a syntax tree, by binding strength as in Python. Pure.

use super::error::{ExpressionError, Span};
use super::syntax::{Exact, Form, Number, Syntax};
use super::token::{Lexeme, Token, tokens};

/// Levels a tree may have, and brackets that may be open: every later walk recurses once per level.
pub(super) const DEPTH_MAX: usize = 200;
/// Bytes of one expression: far above what a person writes, far below what would be slow to read.
pub(super) const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Binding strengths, weakest first.
pub(super) mod strength {
    pub(in crate::expression) const CHOICE: u8 = 1;
    pub(in crate::expression) const OR: u8 = 2;
    pub(in crate::expression) const AND: u8 = 3;
    pub(in crate::expression) const NOT: u8 = 4;
    pub(in crate::expression) const COMPARE: u8 = 5;
    pub(in crate::expression) const SUM: u8 = 6;
    pub(in crate::expression) const PRODUCT: u8 = 7;
    pub(in crate::expression) const SIGN: u8 = 8;
}

/// A tree or the first thing that is not of the grammar.
pub(super) type Parsed = Result<Syntax, ExpressionError>;

/// The tree of a text.
pub(super) fn parse(text: &str) -> Parsed {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("the expression has {} bytes, at most {TEXT_BYTES_MAX} are allowed", text.len());
        return Err(ExpressionError::new(message, 0..text.len()));
    }
    let mut parser = Parser { lexemes: tokens(text)?, at: 0, open: 0 };
    let tree = parser.expression(strength::CHOICE)?;
    match parser.peek() {
        Token::End => Ok(tree),
        _ => Err(parser.unexpected("an operator or the end")),
    }
}

/// The tokens and the place reached.
pub(super) struct Parser {
    lexemes: Vec<Lexeme>,
    at: usize,
    open: usize,
}

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        &self.lexemes[self.at].token
    }

    pub(super) fn span(&self) -> Span {
        self.lexemes[self.at].span.clone()
    }

    pub(super) fn advance(&mut self) {
        self.at = (self.at + 1).min(self.lexemes.len() - 1);
    }

    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(next) if *next == symbol);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn is_word(&self, ahead: usize, keyword: &str) -> bool {
        let lexeme = self.lexemes.get(self.at + ahead);
        matches!(lexeme, Some(Lexeme { token: Token::Word(word), .. }) if is_keyword(word, keyword))
    }

    pub(super) fn word(&mut self, keyword: &str) -> bool {
        let found = self.is_word(0, keyword);
        if found {
            self.advance();
        }
        found
    }

    pub(super) fn expect(&mut self, found: bool, wanted: &str) -> Result<(), ExpressionError> {
        if found { Ok(()) } else { Err(self.unexpected(wanted)) }
    }

    fn unexpected(&self, wanted: &str) -> ExpressionError {
        let found = match self.peek() {
            Token::Number(text) | Token::Word(text) | Token::Quoted(text) => format!("`{text}`"),
            Token::Text(text) => format!("'{text}'"),
            Token::Symbol("**") => {
                return ExpressionError::new("`**` is not an operator here", self.span()).suggest("pow(a, b)");
            }
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end".to_owned(),
        };
        ExpressionError::new(format!("expected {wanted}, found {found}"), self.span())
    }

    pub(super) fn node(&self, form: Form, span: Span) -> Parsed {
        let mut node = Syntax { form, span, depth: 1 };
        node.depth += node.children().iter().map(|child| child.depth).max().unwrap_or(0);
        if node.depth > DEPTH_MAX { Err(too_deep(node.span)) } else { Ok(node) }
    }

    /// An expression whose operators all bind at least as strongly as `least`.
    pub(super) fn expression(&mut self, least: u8) -> Parsed {
        if self.open == DEPTH_MAX {
            return Err(too_deep(self.span()));
        }
        self.open += 1;
        let mut left = self.prefix()?;
        while let Some((infix, strength)) = self.infix() {
            if strength < least {
                break;
            }
            left = self.continued(left, infix)?;
        }
        self.open -= 1;
        Ok(left)
    }

    fn prefix(&mut self) -> Parsed {
        let start = self.span();
        if self.word("not") {
            let value = self.expression(strength::NOT)?;
            return self.around(start, value, Form::Not);
        }
        if self.symbol("!") {
            let value = self.expression(strength::SIGN)?;
            return self.around(start, value, Form::Not);
        }
        if self.symbol("+") {
            return self.expression(strength::SIGN);
        }
        if !self.symbol("-") {
            return self.primary();
        }
        if let Token::Number(text) = self.peek() {
            let (text, span) = (format!("-{text}"), start.start..self.span().end);
            self.advance();
            return self.node(Form::Number(number(&text, &span)?), span);
        }
        let value = self.expression(strength::SIGN)?;
        self.around(start, value, Form::Negate)
    }

    fn around(&self, start: Span, value: Syntax, form: fn(Box<Syntax>) -> Form) -> Parsed {
        let span = start.start..value.span.end;
        self.node(form(Box::new(value)), span)
    }

    fn primary(&mut self) -> Parsed {
        let span = self.span();
        match self.peek().clone() {
            Token::Number(text) => {
                self.advance();
                self.node(Form::Number(number(&text, &span)?), span)
            }
            Token::Text(text) => {
                self.advance();
                self.node(Form::Text(text), span)
            }
            Token::Quoted(name) => {
                self.advance();
                self.node(Form::Column(name), span)
            }
            Token::Symbol("(") => {
                self.advance();
                let mut inner = self.expression(strength::CHOICE)?;
                inner.span = span.start..self.span().end;
                let closed = self.symbol(")");
                self.expect(closed, "`)`")?;
                Ok(inner)
            }
            Token::Word(word) => self.named(&word, span),
            Token::Symbol(_) | Token::End => Err(self.unexpected("a value")),
        }
    }

    /// What starts with a word: a constant, `case`, a call or a column.
    fn named(&mut self, word: &str, span: Span) -> Parsed {
        let constant = match word {
            "true" | "True" | "TRUE" => Some(Form::Bool(true)),
            "false" | "False" | "FALSE" => Some(Form::Bool(false)),
            "null" | "None" | "NULL" => Some(Form::Null),
            _ => None,
        };
        if let Some(form) = constant {
            self.advance();
            return self.node(form, span);
        }
        if is_keyword(word, "case") && self.is_word(1, "when") {
            self.advance();
            return self.case(span);
        }
        let call = matches!(self.lexemes.get(self.at + 1), Some(Lexeme { token: Token::Symbol("("), .. }));
        let operator = ["and", "or", "in", "is", "else"].into_iter().any(|keyword| is_keyword(word, keyword));
        if operator || (is_keyword(word, "if") && !call) {
            return Err(self.unexpected("a value"));
        }
        self.advance();
        if !call {
            return self.node(Form::Column(word.to_owned()), span);
        }
        self.advance();
        let (arguments, end) = self.list()?;
        self.call(word, span, arguments, end)
    }

    fn call(&self, name: &str, name_span: Span, arguments: Vec<Syntax>, end: usize) -> Parsed {
        let span = name_span.start..end;
        if !is_keyword(name, "if") {
            return self.node(Form::Call { name: name.to_lowercase(), name_span, arguments }, span);
        }
        match <[Syntax; 3]>::try_from(arguments) {
            Ok([condition, then, otherwise]) => self.choice(condition, then, otherwise, span),
            Err(found) => {
                let message = format!("`if` takes 3 arguments, found {}", found.len());
                Err(ExpressionError::new(message, span).suggest("if(condition, then, otherwise)"))
            }
        }
    }

    pub(super) fn choice(&self, condition: Syntax, then: Syntax, otherwise: Syntax, span: Span) -> Parsed {
        let (condition, then, otherwise) = (Box::new(condition), Box::new(then), Box::new(otherwise));
        self.node(Form::If { condition, then, otherwise }, span)
    }

    /// Values up to the closing bracket, and the byte after it.
    pub(super) fn list(&mut self) -> Result<(Vec<Syntax>, usize), ExpressionError> {
        let mut values = Vec::new();
        loop {
            let end = self.span().end;
            if self.symbol(")") {
                return Ok((values, end));
            }
            if !values.is_empty() {
                let comma = self.symbol(",");
                self.expect(comma, "`,` or `)`")?;
            }
            values.push(self.expression(strength::CHOICE)?);
        }
    }

    fn case(&mut self, start: Span) -> Parsed {
        let mut branches = Vec::new();
        while self.word("when") {
            let condition = self.expression(strength::CHOICE)?;
            let then = self.word("then");
            self.expect(then, "`then`")?;
            branches.push((condition, self.expression(strength::CHOICE)?));
        }
        let end = self.span();
        let mut value = match self.word("else") {
            true => self.expression(strength::CHOICE)?,
            false => self.node(Form::Null, end)?,
        };
        let span = start.start..self.span().end;
        let ended = self.word("end");
        self.expect(ended, "`when`, `else` or `end`")?;
        for (condition, then) in branches.into_iter().rev() {
            value = self.choice(condition, then, value, span.clone())?;
        }
        Ok(value)
    }
}

/// Keywords are written small or, as in SQL, all in capitals.
pub(super) fn is_keyword(word: &str, keyword: &str) -> bool {
    word == keyword || word.bytes().eq(keyword.bytes().map(|byte| byte.to_ascii_uppercase()))
}

fn too_deep(span: Span) -> ExpressionError {
    ExpressionError::new(format!("the expression is nested more than {DEPTH_MAX} levels deep"), span)
}

/// The number a token stands for: exact where it has at most 38 digits and no exponent.
fn number(text: &str, span: &Span) -> Result<Number, ExpressionError> {
    let float = || text.parse().map(Number::Float).map_err(|_| not_a_number(text, span));
    if text.contains(['e', 'E']) {
        return float();
    }
    let Some((whole, fraction)) = text.split_once('.') else {
        let value = text.parse::<i64>().map_err(|_| too_large(text, span))?;
        return Ok(Number::Exact(Exact { value: value.into(), scale: 0 }));
    };
    // `5.` is no int, as in Python, although no digit follows the point.
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    let digits = format!("{whole}{fraction}");
    match digits.parse::<i128>() {
        Ok(value) if digits.trim_start_matches(['-', '0']).len().max(fraction.len()) <= 38 => {
            Ok(Number::Exact(Exact { value, scale: fraction.len() as u8 }))
        }
        _ => float(),
    }
}

fn not_a_number(text: &str, span: &Span) -> ExpressionError {
    ExpressionError::new(format!("`{text}` is not a number"), span.clone())
}

fn too_large(text: &str, span: &Span) -> ExpressionError {
    let problem = ExpressionError::new(format!("`{text}` does not fit int"), span.clone());
    problem.suggest(format!("decimal('{text}', 38, 0)"))
}
