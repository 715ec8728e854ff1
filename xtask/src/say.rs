//! The only place that prints.

/// One line for the reader, on standard output.
#[expect(clippy::print_stdout, reason = "a command line tool talks to its user")]
pub(crate) fn line(text: &str) {
    println!("{text}");
}

/// One line about something that went wrong, on standard error.
#[expect(clippy::print_stderr, reason = "a command line tool talks to its user")]
pub(crate) fn problem(text: &str) {
    eprintln!("{text}");
}

/// A step that begins.
pub(crate) fn step(text: &str) {
    line(&format!("==> {text}"));
}
