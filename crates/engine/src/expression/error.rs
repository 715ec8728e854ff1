//! What can be wrong with an expression, and where. Pure.

use std::fmt;
use std::ops::Range;

/// The bytes of an expression's text that a thing was written in.
pub type Span = Range<usize>;

/// A problem of an expression: found while it is read, checked or evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// What is wrong, naming the thing and the value.
    pub message: String,
    /// Where in the text, in bytes.
    pub span: Span,
    /// What would work: a near name or a call.
    pub suggestion: Option<String>,
}

impl ExpressionError {
    /// A problem without a suggestion.
    pub(super) fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span, suggestion: None }
    }

    /// The same problem with what would work.
    pub(super) fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// The same problem with what would work, if anything is known.
    pub(super) fn suggest_if(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "; try `{suggestion}`"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ExpressionError {}

/// How alike two names must be (0 to 1) for one to be offered in place of the other.
const LIKENESS_MIN: f64 = 0.6;

/// The candidate most like `name`, if one is like enough; of equals the first.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = name.to_lowercase();
    let mut best: Option<(f64, &str)> = None;
    for candidate in candidates {
        let likeness = strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase());
        if likeness >= LIKENESS_MIN && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        let names = ["price", "quantity", "status"];
        assert_eq!(nearest("pirce", names.into_iter()).as_deref(), Some("price"));
        assert_eq!(nearest("QUANTITY", names.into_iter()).as_deref(), Some("quantity"));
        assert_eq!(nearest("country", names.into_iter()), None);
    }
}
