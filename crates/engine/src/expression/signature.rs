//! What a function takes and gives, read from the line its documentation shows. Pure.

use super::parse::DEPTH_MAX;

/// Parameters and result of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signature<'a> {
    pub(super) parameters: Vec<Parameter<'a>>,
    /// A type word, or `decimal(p,s)`: the type that the second and third argument spell.
    pub(super) result: &'a str,
}

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    /// A type's name, or `any`, `number`, `moment` (date or datetime), `T` (one type for all that are `T`).
    pub(super) word: &'a str,
    /// How often it may be given.
    pub(super) count: Count,
}

/// How often a parameter may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    One,
    OneOrNone,
    OneOrMore,
}

impl<'a> Signature<'a> {
    /// Reads `name(first: word, second?: word, rest...: word) -> word`; nothing if it is not of that form.
    pub(super) fn read(text: &'a str) -> Option<Self> {
        let (_, rest) = text.split_once('(')?;
        let (parameters, result) = rest.rsplit_once(") -> ")?;
        let parameters = parameters.split(", ").map(Parameter::read).collect::<Option<Vec<_>>>()?;
        Some(Self { parameters, result })
    }

    /// The fewest and the most arguments.
    pub(super) fn counts(&self) -> (usize, usize) {
        let least = self.parameters.iter().filter(|parameter| parameter.count != Count::OneOrNone).count();
        let endless = self.parameters.iter().any(|parameter| parameter.count == Count::OneOrMore);
        (least, if endless { DEPTH_MAX } else { self.parameters.len() })
    }

    /// The parameter of an argument; the last one takes what is left.
    pub(super) fn parameter(&self, argument: usize) -> Parameter<'a> {
        self.parameters[argument.min(self.parameters.len() - 1)]
    }
}

impl<'a> Parameter<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (name, word) = text.split_once(": ")?;
        let (name, count) = if let Some(name) = name.strip_suffix('?') {
            (name, Count::OneOrNone)
        } else if let Some(name) = name.strip_suffix("...") {
            (name, Count::OneOrMore)
        } else {
            (name, Count::One)
        };
        Some(Self { name, word, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::functions::functions;

    #[test]
    fn a_signature_is_read_as_it_is_shown() {
        let signature = Signature::read("substr(text: string, start: int, length?: int) -> string").unwrap();
        assert_eq!((signature.counts(), signature.result), ((2, 3), "string"));
        assert_eq!(signature.parameter(2), Parameter { name: "length", word: "int", count: Count::OneOrNone });
        assert_eq!(Signature::read("min(values...: T) -> T").unwrap().counts(), (1, DEPTH_MAX));
    }

    #[test]
    fn all_signatures_are_of_the_form() {
        for function in functions() {
            let signature = Signature::read(function.signature);
            assert!(signature.is_some(), "{}", function.signature);
            assert!(function.signature.starts_with(&format!("{}(", function.name)), "{}", function.signature);
        }
    }
}
