//! A template as a description wants it: its numbers of rows, its time, and what of the description is not in it. The
//! text is changed where it must be and nowhere else, so that its comments stay. Pure.

use chrono::NaiveDate;
use shardmill_shared::spec::{Report, document};

use super::catalog::Template;
use super::leftover::{known_words, unknown};
use super::sizes::{Shape, fanout, settle, shapes, wanted};
use crate::description::{Description, Period};

/// A template that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Tailored {
    /// The spec.
    pub text: String,
    /// What was done, and what was not understood.
    pub notes: Vec<String>,
}

/// Changes a template by a description.
pub fn tailor(template: &Template, description: &Description, today: NaiveDate) -> Tailored {
    let tree = document::parse(template.text, &Report::strict()).expect("a test reads every template");
    let mut tables = shapes(&tree);
    let mut notes = Vec::new();
    let mut known = known_words(template, description, &tree);
    let whole = wanted(template, description, &mut tables, (&mut notes, &mut known[..]));
    settle(&mut tables, whole);
    let mut lines: Vec<String> = template.text.lines().map(str::to_owned).collect();
    for table in tables.iter().filter(|table| table.is_changed) {
        match &table.shape {
            Shape::Fixed => {}
            Shape::Root { line } => rewrite(&mut lines, *line, "rows", &format!("{}", table.each as u64)),
            Shape::Child { line, is_whole, has_one, .. } => {
                rewrite(&mut lines, *line, "fanout", &fanout(table.each, *is_whole, *has_one));
            }
        }
    }
    match &description.period {
        Some((period, _)) => {
            let line = tree.get("timeframe").map_or(0, |node| node.line);
            rewrite(&mut lines, line, "timeframe", &timeframe(*period));
            notes.push(format!("the time is {} to {}", period.start, period.end));
        }
        None => notes.push(format!(
            "no time is named, so it is that of the template; `in {}` or `last two years` would set it",
            today.format("%Y")
        )),
    }
    notes.extend(unknown(template, &description.words, &known));
    Tailored { text: lines.join("\n") + "\n", notes }
}

fn timeframe(period: Period) -> String {
    format!("{{start: {}, end: '{}T23:59:59Z'}}", period.start, period.end)
}

/// Puts a value after a key that has a line of its own.
fn rewrite(lines: &mut [String], line: usize, key: &str, value: &str) {
    let Some(text) = line.checked_sub(1).and_then(|at| lines.get_mut(at)) else { return };
    if let Some(at) = text.find(key).filter(|at| text[..*at].trim().is_empty()) {
        *text = format!("{}{key}: {value}", &text[..at]);
    }
}
