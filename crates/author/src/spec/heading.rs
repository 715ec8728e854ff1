//! What stands above a spec: what was asked for, how it was made, its rows, and what to do next. Pure.

use shardmill_engine::Size;

use super::check::Rows;
use crate::limits::QUOTED_CHARS_MAX;

/// What is said above a spec.
#[derive(Clone, Copy, Debug)]
pub struct Heading<'a> {
    /// What was asked for, without control characters.
    pub description: &'a str,
    /// Who made it: `from the template shop, without a model`.
    pub made: &'a str,
    /// Its tables.
    pub tables: &'a [Rows],
    /// Where it will be kept, if that is known.
    pub file: &'a str,
}

/// The spec with the heading above it.
pub fn headed(heading: &Heading<'_>, text: &str) -> String {
    let Heading { description, made, tables, file } = heading;
    let rows = tables.iter().map(|rows| format!("#   {:<20} {}\n", rows.table, said(rows.size)));
    let rows: String = rows.collect();
    format!(
        "# Asked for: {}\n# Made {made}.\n# Rows; change them at `rows` and `fanout`:\n{rows}# Next: shardmill preview {file}, then shardmill run {file} -o FOLDER\n\n{}",
        cut(description),
        text.trim_start_matches('\n')
    )
}

/// A text in one line, not too long. It stands in a comment, where nothing but a line end could harm.
fn cut(text: &str) -> String {
    let mut line: String =
        text.chars().filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')).collect();
    if let Some((end, _)) = line.char_indices().nth(QUOTED_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// A number of rows for people.
pub(super) fn said(size: Size) -> String {
    match size {
        Size::Exact(1) => "1 row".to_owned(),
        Size::Exact(rows) => format!("{} rows", apart(rows)),
        Size::Between { least, most } => format!("{} to {} rows", apart(least), apart(most)),
    }
}

/// `1 234 567`.
fn apart(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
