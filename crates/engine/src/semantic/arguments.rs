//! The arguments of a semantic type, checked. Pure.

use super::mask::{Holes, Mask};
use super::method::Method;

/// The value of one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// A text.
    Text(String),
    /// A whole number.
    Int(i64),
}

/// An argument that the type cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// The type has no such parameter.
    #[error("\"{method}\" takes no argument \"{name}\"; it takes {}", known_names(.known))]
    Unknown {
        /// The type.
        method: &'static str,
        /// What was given.
        name: String,
        /// What the type takes.
        known: &'static [&'static str],
    },
    /// A text where a number belongs, or the other way round.
    #[error("argument \"{name}\" of \"{method}\" must be {expected}")]
    Kind {
        /// The type.
        method: &'static str,
        /// The parameter.
        name: String,
        /// `a text` or `a whole number`.
        expected: &'static str,
    },
    /// A number that makes no sense here.
    #[error("argument \"{name}\" of \"{method}\" is {value}, but must be {min} to {max}")]
    Range {
        /// The type.
        method: &'static str,
        /// The parameter.
        name: String,
        /// What was given.
        value: i64,
        /// The least that is allowed.
        min: i64,
        /// The most that is allowed.
        max: i64,
    },
    /// The least is above the most.
    #[error("\"{method}\" has min {min} above max {max}")]
    Empty {
        /// The type.
        method: &'static str,
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
}

fn known_names(known: &[&str]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// All that arguments can set; each type reads its own part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// The mask of `bothify` and its kin.
    pub(super) mask: Option<Mask>,
    /// How many words, sentences, letters.
    pub(super) count: usize,
    /// The least number.
    pub(super) min: i64,
    /// The most, included.
    pub(super) max: i64,
    /// What a stock number begins with.
    pub(super) prefix: Option<String>,
}

/// Masks and prefixes longer than this are a mistake.
const MAX_TEXT_BYTES: i64 = 4096;
/// More words or letters than this belong into another kind of column.
const MAX_COUNT: i64 = 10_000;

impl Settings {
    /// The settings of `method` with `arguments` over its defaults.
    pub(super) fn new(method: Method, arguments: &[(String, Argument)]) -> Result<Self, ArgumentError> {
        let (min, max) = if method == Method::Age { (18, 90) } else { (0, 9999) };
        let mut settings = Self { mask: mask(method, None), count: default_count(method), min, max, prefix: None };
        for (name, value) in arguments {
            settings.set(method, name, value)?;
        }
        if settings.min > settings.max {
            return Err(ArgumentError::Empty { method: method.name(), min: settings.min, max: settings.max });
        }
        Ok(settings)
    }

    fn set(&mut self, method: Method, given: &str, value: &Argument) -> Result<(), ArgumentError> {
        let known = method.info().parameters;
        let Some(name) = known.iter().find(|name| **name == given || is_alias(name, given)) else {
            return Err(ArgumentError::Unknown { method: method.name(), name: given.to_owned(), known });
        };
        match *name {
            "text" => self.mask = mask(method, Some(text(method, given, value)?)),
            "prefix" => self.prefix = Some(text(method, given, value)?.to_owned()),
            "min" => self.min = int(method, given, value)?,
            "max" => self.max = int(method, given, value)?,
            _ => {
                let count = int(method, given, value)?;
                self.count = within(method, given, count, MAX_COUNT)?;
            }
        }
        Ok(())
    }
}

/// Names that Faker's users also write.
fn is_alias(name: &str, given: &str) -> bool {
    match name {
        "nb" | "nb_words" | "nb_sentences" | "length" => matches!(given, "nb" | "count" | "length"),
        "max_nb_chars" => given == "max_chars",
        "min" => given == "min_value",
        "max" => given == "max_value",
        _ => false,
    }
}

fn default_count(method: Method) -> usize {
    match method {
        Method::Sentence => 8,
        Method::Title => 4,
        Method::Text => 200,
        Method::Password => 12,
        _ => 3,
    }
}

/// The mask that `text`, or else Faker's default, means to the type.
fn mask(method: Method, text: Option<&str>) -> Option<Mask> {
    let (default, holes) = match method {
        Method::Bothify => ("## ??", Holes::Both),
        Method::Numerify => ("###", Holes::Digits),
        Method::Lexify => ("????", Holes::Letters),
        Method::Hexify => ("^^^^", Holes::Hex),
        _ => return None,
    };
    Some(Mask::faker(text.unwrap_or(default), holes))
}

fn text<'a>(method: Method, name: &str, value: &'a Argument) -> Result<&'a str, ArgumentError> {
    match value {
        Argument::Text(text) => within(method, name, text.len() as i64, MAX_TEXT_BYTES).map(|_| text.as_str()),
        Argument::Int(_) => Err(kind(method, name, "a text")),
    }
}

fn int(method: Method, name: &str, value: &Argument) -> Result<i64, ArgumentError> {
    match value {
        Argument::Int(number) => Ok(*number),
        Argument::Text(_) => Err(kind(method, name, "a whole number")),
    }
}

fn kind(method: Method, name: &str, expected: &'static str) -> ArgumentError {
    ArgumentError::Kind { method: method.name(), name: name.to_owned(), expected }
}

fn within(method: Method, name: &str, value: i64, max: i64) -> Result<usize, ArgumentError> {
    let fits = (1..=max).contains(&value);
    let error = || ArgumentError::Range { method: method.name(), name: name.to_owned(), value, min: 1, max };
    usize::try_from(value).ok().filter(|_| fits).ok_or_else(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(method: Method, name: &str, value: Argument) -> String {
        Settings::new(method, &[(name.to_owned(), value)]).expect_err("refused").to_string()
    }

    #[test]
    fn wrong_arguments_are_named() {
        let cases = [
            (error(Method::Name, "nb", Argument::Int(3)), "\"name\" takes no argument \"nb\"; it takes none"),
            (error(Method::Bothify, "text", Argument::Int(3)), "argument \"text\" of \"bothify\" must be a text"),
            (
                error(Method::WordList, "nb", Argument::Int(0)),
                "argument \"nb\" of \"words\" is 0, but must be 1 to 10000",
            ),
            (error(Method::Age, "min", Argument::Int(99)), "\"age\" has min 99 above max 90"),
        ];
        for (error, expected) in cases {
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn aliases_are_accepted() {
        let count = [("count".to_owned(), Argument::Int(5))];
        assert_eq!(Settings::new(Method::Sentence, &count).map(|settings| settings.count), Ok(5));
    }
}
