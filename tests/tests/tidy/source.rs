//! One file as the rules see it. Pure.

use std::fmt;

/// The text of one file of the repository.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// One place where a rule is broken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    pub(crate) path: String,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) rule: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.rule)
    }
}

impl Source {
    /// A violation in this file; `line` counts from 1.
    pub(crate) fn violation(&self, line: usize, rule: impl Into<String>) -> Violation {
        Violation { path: self.path.clone(), line, rule: rule.into() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the whole file is test code: of the `tests` package, or the `tests.rs` or `tests/` of a module.
    pub(crate) fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// The `//!` lines the file opens with, as one text.
    pub(crate) fn opening(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//!"));
        lines.map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// Whether the opening carries the one-word sentence `word`, such as `Pure.`
    pub(crate) fn claims(&self, word: &str) -> bool {
        self.opening().split(' ').any(|found| found == word)
    }

    /// The lines outside the `#[cfg(test)]` module, each with its number from 1. Formatted code closes the module with
    /// the first `}` in the first column.
    pub(crate) fn own_lines(&self) -> Vec<(usize, &str)> {
        let mut own = Vec::new();
        let mut in_tests = false;
        for (index, line) in self.text.lines().enumerate() {
            if in_tests {
                in_tests = line != "}";
                continue;
            }
            // `#[cfg(test)] mod tests;` and test-only helpers outside a module are short: the code they lead is one item.
            in_tests = line == "#[cfg(test)]" && self.opens_module(index + 1);
            if !in_tests {
                own.push((index + 1, line));
            }
        }
        own
    }

    /// Whether the item at or below line index `from` is a module with a body, past further attributes.
    fn opens_module(&self, from: usize) -> bool {
        let item = self.text.lines().skip(from).find(|line| !line.starts_with("#["));
        item.is_some_and(|line| line.contains("mod ") && line.ends_with('{'))
    }
}

/// Whether `text` holds `word` with no letter, digit or underscore beside it.
pub(crate) fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "crates/engine/src/a.rs".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn own_lines_leave_the_test_module_out_and_keep_their_numbers() {
        let file = source("//! A. Pure.\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
        assert_eq!(file.own_lines(), [(1, "//! A. Pure."), (2, "fn a() {}"), (3, ""), (8, "fn c() {}")]);
    }

    #[test]
    fn a_test_module_in_its_own_file_hides_nothing() {
        let file = source("#[cfg(test)]\nmod tests;\nfn a() {}\n");
        assert_eq!(file.own_lines().len(), 3);
    }

    #[test]
    fn claims_are_whole_sentences_of_the_opening() {
        assert!(source("//! Keys\n//! and draws. Pure.\n").claims("Pure."));
        assert!(!source("//! Purely for show.\n// Pure.\n").claims("Pure."));
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("use std::time::Instant;", "Instant"));
        assert!(!has_word("InstantNoodles, an_Instant", "Instant"));
    }
}
