//! Rules 3 and 7: a module that calls itself pure is, and the engine is pure throughout. Pure.

use crate::source::{Source, Violation, has_word};

/// Crates in which every module is pure, whether it says so or not.
const PURE_CRATES: [&str; 1] = ["crates/engine/src/"];

/// Words of what a pure module must not know: futures, runtimes, threads, files, sockets, processes, the environment,
/// clocks, randomness that is not ours.
const IMPURE: [&str; 19] = [
    "async",
    "await",
    "tokio",
    "futures",
    "std::thread",
    "std::fs",
    "std::io",
    "std::net",
    "std::env",
    "std::process",
    "std::os",
    "Instant",
    "SystemTime",
    "Utc::now",
    "Local::now",
    "rand",
    "getrandom",
    "RandomState",
    "DefaultHasher",
];

/// Impure words in the code of a pure module; comments, literals and its tests may say what they like.
pub(crate) fn purity(source: &Source) -> Vec<Violation> {
    let in_pure_crate = PURE_CRATES.iter().any(|folder| source.path.starts_with(folder));
    if source.is_test() || !(in_pure_crate || source.claims("Pure.")) {
        return Vec::new();
    }
    let mut violations = Vec::new();
    for (number, line) in source.own_lines() {
        let code = spell_out_imports(&without_comments_and_texts(line));
        violations.extend(
            IMPURE
                .iter()
                .filter(|word| has_word(&code, word))
                .map(|word| source.violation(number, format!("rule 3: a pure module knows no `{word}`"))),
        );
    }
    violations
}

/// The code of one line: texts are emptied, a comment ends it. Block comments and raw texts of several lines are not
/// written in this house.
fn without_comments_and_texts(line: &str) -> String {
    let mut code = String::new();
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '/' if characters.peek() == Some(&'/') => break,
            '"' => skip_text(&mut characters),
            '\'' if characters.peek() == Some(&'"') => {
                characters.next();
            }
            _ => code.push(c),
        }
    }
    code
}

fn skip_text(characters: &mut impl Iterator<Item = char>) {
    while let Some(c) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '"' => return,
            _ => {}
        }
    }
}

/// `use std::{fs, io::Read}` also as `std::fs` and `std::io::Read`, so that a list hides nothing.
fn spell_out_imports(code: &str) -> String {
    let Some((_, list)) = code.split_once("std::{") else { return code.to_owned() };
    let spelled: Vec<String> = list.split([',', '{', '}']).map(|item| format!("std::{}", item.trim())).collect();
    format!("{code} {}", spelled.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(path: &str, text: &str) -> usize {
        purity(&Source { path: path.to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn impure_code_is_found_where_purity_is_claimed() {
        for line in [
            "async fn a() {}",
            "use std::{collections::BTreeMap, fs};",
            "let now = Instant::now();",
            "use tokio::sync::mpsc;",
            "let a = \"\\\"\"; std::env::var(a)",
            "let quote = '\"'; std::fs::read(quote)",
            "let seen = HashMap::<_, _, RandomState>::new();",
        ] {
            assert_eq!(count("crates/shared/src/a.rs", &format!("//! A. Pure.\n{line}\n")), 1, "{line}");
            assert_eq!(count("crates/engine/src/a.rs", &format!("//! A.\n{line}\n")), 1, "{line}");
            assert_eq!(count("crates/shared/src/a.rs", &format!("//! A.\n{line}\n")), 0, "{line}");
        }
    }

    #[test]
    fn comments_texts_and_tests_may_name_anything() {
        for text in [
            "//! A. Pure. Not async.\n// std::fs would be wrong\n",
            "//! A. Pure.\nlet a = \"std::fs \\\" tokio\"; // Instant\n",
            "//! A. Pure.\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
            "//! A. Pure.\nlet operand = InstantLike::strand();\n",
        ] {
            assert_eq!(count("crates/engine/src/a.rs", text), 0, "{text}");
        }
        assert_eq!(count("crates/engine/src/a/tests.rs", "use std::fs;\n"), 0);
    }
}
