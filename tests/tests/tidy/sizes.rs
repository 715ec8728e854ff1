//! Rule 8: files stay small. Functions are clippy's (`too_many_lines` in clippy.toml). Pure.

use crate::source::{Source, Violation};

/// Lines of a file without its test module.
const CODE_LINES_MAX: usize = 400;
/// Lines of a file that is all tests.
const TEST_FILE_LINES_MAX: usize = 500;
/// Lines of a test module inside a file; past about 150 it should have moved already.
const TEST_MODULE_LINES_MAX: usize = 200;

/// A file that is a table of words or numbers says `Data.` in its opening, and may be as long as the table.
pub(crate) fn length(source: &Source) -> Vec<Violation> {
    if source.claims("Data.") {
        return Vec::new();
    }
    let total = source.text.lines().count();
    if source.is_test() {
        return over(source, total, TEST_FILE_LINES_MAX, "lines in a test file").into_iter().collect();
    }
    let own = source.own_lines().len();
    let code = over(source, own, CODE_LINES_MAX, "lines without tests");
    let tests =
        over(source, total - own, TEST_MODULE_LINES_MAX, "lines in the test module: move it to a file `tests.rs`");
    code.into_iter().chain(tests).collect()
}

fn over(source: &Source, lines: usize, most: usize, what: &str) -> Option<Violation> {
    (lines > most).then(|| source.violation(1, format!("rule 8: {lines} {what}; at most {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(path: &str, code: usize, tests: usize) -> usize {
        let module = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "    // a\n".repeat(tests.saturating_sub(3)));
        let tested = if tests == 0 { "" } else { &module };
        let text = format!("{}{tested}", "// a\n".repeat(code));
        length(&Source { path: path.to_owned(), text }).len()
    }

    #[test]
    fn each_limit_bites_one_line_past_it() {
        for (path, code, tests, violations) in [
            ("crates/a/src/b.rs", 400, 200, 0),
            ("crates/a/src/b.rs", 401, 0, 1),
            ("crates/a/src/b.rs", 10, 201, 1),
            ("crates/a/src/b/tests.rs", 500, 0, 0),
            ("tests/tests/kill.rs", 501, 0, 1),
        ] {
            assert_eq!(lengths(path, code, tests), violations, "{path} {code} {tests}");
        }
    }

    #[test]
    fn tables_may_be_long() {
        let text = format!("//! Words. Data.\n{}", "// a\n".repeat(900));
        assert_eq!(length(&Source { path: "crates/a/src/words.rs".to_owned(), text }), []);
    }
}
