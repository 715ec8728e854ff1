//! Text to tokens with byte spans. Pure.

use super::error::{ExpressionError, Span};

/// The smallest piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number as written, without underscores.
    Number(String),
    /// A quoted text, unescaped.
    Text(String),
    /// A word: a keyword, a function or a column (dots included).
    Word(String),
    /// A column in backticks, which is never a keyword.
    Quoted(String),
    /// An operator, bracket or comma.
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// A token and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lexeme {
    pub(super) token: Token,
    pub(super) span: Span,
}

/// All symbols, longer before shorter, so that the first match is the right one.
const SYMBOLS: [&str; 21] =
    ["//", "**", "==", "!=", "<>", "<=", ">=", "&&", "||", "+", "-", "*", "/", "%", "(", ")", ",", "=", "<", ">", "!"];

/// All tokens of a text; the last is [`Token::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Lexeme>, ExpressionError> {
    let mut cursor = Cursor { text, at: 0 };
    let mut found = Vec::new();
    loop {
        cursor.take_while(char::is_whitespace);
        let start = cursor.at;
        let token = cursor.token()?;
        let last = token == Token::End;
        found.push(Lexeme { token, span: start..cursor.at });
        if last {
            return Ok(found);
        }
    }
}

struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|character| !belongs(character)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn token(&mut self) -> Result<Token, ExpressionError> {
        let Some(first) = self.peek() else { return Ok(Token::End) };
        let point_number = first == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit());
        if first.is_ascii_digit() || point_number {
            return self.number();
        }
        if starts_word(first) {
            return Ok(Token::Word(self.word()));
        }
        match first {
            '\'' | '"' => self.quoted_text(first),
            '`' => self.quoted_name(),
            _ => self.symbol(first),
        }
    }

    fn number(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit() || c == '_');
        if self.peek() == Some('.') {
            self.next();
            self.take_while(|c| c.is_ascii_digit() || c == '_');
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            self.take_while(|c| c.is_ascii_digit());
        }
        self.take_while(|c| continues_word(c) || c == '.');
        let written = &self.text[start..self.at];
        let plain = written.replace('_', "");
        match plain.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Token::Number(plain)),
            _ => Err(ExpressionError::new(format!("`{written}` is not a number"), start..self.at)),
        }
    }

    fn word(&mut self) -> String {
        let start = self.at;
        self.take_while(continues_word);
        while self.peek() == Some('.') && self.rest()[1..].starts_with(starts_word) {
            self.next();
            self.take_while(continues_word);
        }
        self.text[start..self.at].to_owned()
    }

    fn quoted_text(&mut self, quote: char) -> Result<Token, ExpressionError> {
        let start = self.at;
        self.next();
        let mut value = String::new();
        loop {
            match self.next() {
                None => return Err(ExpressionError::new("a quoted text has no end", start..self.at)),
                Some('\\') => value.push_str(&self.escape()),
                Some(character) if character != quote => value.push(character),
                Some(_) if self.peek() == Some(quote) => value.extend(self.next()),
                Some(_) => return Ok(Token::Text(value)),
            }
        }
    }

    /// What a backslash and the character after it stand for; an unknown pair stands for itself.
    fn escape(&mut self) -> String {
        match self.next() {
            Some('n') => "\n".into(),
            Some('t') => "\t".into(),
            Some(character @ ('\\' | '\'' | '"')) => character.into(),
            Some(character) => format!("\\{character}"),
            None => "\\".into(),
        }
    }

    fn quoted_name(&mut self) -> Result<Token, ExpressionError> {
        let start = self.at;
        self.next();
        let name = self.take_while(|character| character != '`');
        if self.next().is_none() {
            return Err(ExpressionError::new("a name in backticks has no end", start..self.at));
        }
        if name.is_empty() {
            return Err(ExpressionError::new("a name in backticks is empty", start..self.at));
        }
        Ok(Token::Quoted(name.to_owned()))
    }

    fn symbol(&mut self, first: char) -> Result<Token, ExpressionError> {
        let rest = self.rest();
        match SYMBOLS.into_iter().find(|symbol| rest.starts_with(symbol)) {
            Some(symbol) => {
                self.at += symbol.len();
                Ok(Token::Symbol(symbol))
            }
            None => {
                let span = self.at..self.at + first.len_utf8();
                Err(ExpressionError::new(format!("`{first}` has no meaning in an expression"), span))
            }
        }
    }
}

fn starts_word(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

fn continues_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|lexeme| lexeme.token).collect()
    }

    #[test]
    fn numbers_texts_and_names_are_taken_as_written() {
        let number = |text: &str| Token::Number(text.into());
        assert_eq!(
            kinds("1_000 .5 1.50 2e3"),
            [number("1000"), number(".5"), number("1.50"), number("2e3"), Token::End]
        );
        assert_eq!(kinds(r"'it''s'"), [Token::Text("it's".into()), Token::End]);
        assert_eq!(kinds(r#""a\"b\d""#), [Token::Text("a\"b\\d".into()), Token::End]);
        assert_eq!(kinds("product.price"), [Token::Word("product.price".into()), Token::End]);
        assert_eq!(kinds("`odd name`"), [Token::Quoted("odd name".into()), Token::End]);
        assert_eq!(kinds("''"), [Token::Text(String::new()), Token::End]);
    }

    #[test]
    fn spans_count_bytes() {
        let spans: Vec<_> = tokens("é <= 'ü'").unwrap().into_iter().map(|lexeme| lexeme.span).collect();
        assert_eq!(spans, [0..2, 3..5, 6..10, 10..10]);
    }

    #[test]
    fn what_is_no_token_is_named() {
        let message = |text| tokens(text).unwrap_err().message;
        assert_eq!(message("12ab"), "`12ab` is not a number");
        assert_eq!(message("1.2.3"), "`1.2.3` is not a number");
        assert_eq!(message("a ? b"), "`?` has no meaning in an expression");
        assert_eq!(message("'open"), "a quoted text has no end");
        assert_eq!(message("`open"), "a name in backticks has no end");
    }
}
