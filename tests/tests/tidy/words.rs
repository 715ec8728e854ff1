//! Rules 26 and 29, and what must not be written anywhere: openings, leftovers, paths of one machine. Pure.

use crate::source::{Source, Violation, has_word};

// Written in parts, or this file would break its own rules.
const UNFINISHED: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const MACHINE_PATHS: [&str; 4] =
    [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// A Rust file opens with what it is for.
pub(crate) fn opening(source: &Source) -> Vec<Violation> {
    if source.opening().is_empty() { vec![source.violation(1, "rule 26: opens without `//!`")] } else { Vec::new() }
}

/// No unfinished business, no path that exists on one machine only. The words of a `Data.` file are values, and values
/// may look like anything.
pub(crate) fn leftovers(source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    if source.claims("Data.") {
        return violations;
    }
    for (index, line) in source.text.lines().enumerate() {
        if let Some(word) = UNFINISHED.iter().find(|word| has_word(line, word)) {
            violations.push(source.violation(index + 1, format!("rule 29: {word}")));
        }
        if let Some(path) = MACHINE_PATHS.iter().find(|path| has_path(line, path)) {
            violations.push(source.violation(index + 1, format!("a path of one machine: {path}")));
        }
    }
    violations
}

/// Whether an absolute path begins here; `a/b/`, `./b/`, `~/b/` and `$A/b/` are not absolute.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~}$".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Source {
        Source { path: "a.rs".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn an_opening_comes_first() {
        assert_eq!(opening(&file("//! Words.\n")), []);
        for text in ["", "use a;\n//! Words.\n", "// Words.\n", "//!\n"] {
            assert_eq!(opening(&file(text)).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn leftovers_are_found_with_their_lines() {
        let text = format!("a\n// {}: later\nlet a = \"{}x\";\n", UNFINISHED[0], MACHINE_PATHS[0]);
        let lines: Vec<usize> = leftovers(&file(&text)).iter().map(|violation| violation.line).collect();
        assert_eq!(lines, [2, 3]);
        assert_eq!(leftovers(&file(&format!("//! Words. Data.\n{text}"))), []);
    }

    #[test]
    fn relative_paths_and_longer_words_are_fine() {
        for path in MACHINE_PATHS {
            assert_eq!(
                leftovers(&file(&format!("see docs{path}a, ..{path}b, ~{path}c, $A{path}d"))).len(),
                0,
                "{path}"
            );
        }
        assert_eq!(leftovers(&file(&format!("{}S, an_{}", UNFINISHED[0], UNFINISHED[1]))), []);
    }
}
