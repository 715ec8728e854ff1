//! The only place that prints: results to standard output, everything for people to standard error.

use std::io::Write;

/// A line of the result. A reader that has gone away (`| head`) ends the printing, not the program.
pub(crate) fn result(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// A line for people.
pub(crate) fn error(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
