//! A template as a description wants it: its numbers of rows, its time, and what of the description is not in it. The
//! text is changed where it must be and nowhere else, so that its comments stay. Pure.

use shardmill_shared::spec::{Report, document};

use super::catalog::Template;
use super::leftover::{known_words, unknown};
use super::sizes::{Shape, Sized, fanout, settle, shapes, wanted};
use crate::description::{Description, Period};
use crate::limits::FITTINGS_MAX;
use crate::spec::Compile;

/// How far the rows of a table may be from what is wanted.
const NEAR: f64 = 0.003;

/// A template that was changed.
#[derive(Clone, Debug)]
pub struct Tailored {
    /// What was done, and what was not understood.
    pub notes: Vec<String>,
    lines: Vec<String>,
    tables: Vec<Sized>,
}

impl Tailored {
    /// The spec.
    pub fn text(&self) -> String {
        let mut lines = self.lines.clone();
        for table in self.tables.iter().filter(|table| table.is_changed) {
            match &table.shape {
                Shape::Fixed => {}
                Shape::Root { line } => rewrite(&mut lines, *line, "rows", &format!("{}", table.each as u64)),
                Shape::Child { line, is_whole, has_one, .. } => {
                    rewrite(&mut lines, *line, "fanout", &fanout(table.each, *is_whole, *has_one));
                }
            }
        }
        lines.join("\n") + "\n"
    }

    /// The same with fan-outs that bring the wanted numbers of rows: few parents draw more or fewer than the mean.
    #[must_use]
    pub fn fitted(mut self, compile: Compile<'_>) -> Self {
        let mut best: Option<(f64, Self)> = None;
        for _ in 0..FITTINGS_MAX {
            let report = Report::strict();
            let compiled = document::parse(&self.text(), &report).and_then(|tree| compile(&tree, &report));
            let Some(compiled) = compiled.filter(|_| !report.has_errors()) else { break };
            let found: Vec<f64> =
                (0..compiled.list.len()).map(|table| compiled.rows(table).unwrap_or(0) as f64).collect();
            let off = self.off(&found);
            if best.as_ref().is_none_or(|(least, _)| off < *least) {
                best = Some((off, self.clone()));
            }
            if off < NEAR {
                break;
            }
            self.correct(&found);
        }
        best.map_or(self, |(_, best)| best)
    }

    /// How far the worst of the tables is from what is wanted.
    fn off(&self, found: &[f64]) -> f64 {
        let off = |(table, found): (&Sized, &f64)| table.wanted.map(|wanted| (found - wanted).abs() / wanted);
        self.tables.iter().zip(found).filter_map(off).fold(0.0, f64::max)
    }

    fn correct(&mut self, found: &[f64]) {
        for (table, found) in self.tables.iter_mut().zip(found) {
            let Some(wanted) = table.wanted.filter(|_| matches!(table.shape, Shape::Child { .. })) else { continue };
            if (found - wanted).abs() / wanted >= NEAR {
                table.each *= if *found > 0.0 { wanted / found } else { 2.0 };
                table.is_changed = true;
            }
        }
    }
}

/// Changes a template by a description.
pub fn tailor(template: &Template, description: &Description) -> Tailored {
    let tree = document::parse(template.text, &Report::strict()).expect("a test reads every template");
    let mut tables = shapes(&tree);
    let mut notes = Vec::new();
    let mut known = known_words(template, description, &tree);
    let whole = wanted(template, description, &mut tables, (&mut notes, &mut known[..]));
    settle(&mut tables, whole);
    let mut lines: Vec<String> = template.text.lines().map(str::to_owned).collect();
    match &description.period {
        Some((period, _)) => {
            let line = tree.get("timeframe").map_or(0, |node| node.line);
            rewrite(&mut lines, line, "timeframe", &timeframe(*period));
            notes.push(format!("the time is {} to {}", period.start, period.end));
        }
        None => notes.push(
            "no time is named, so it is that of the template; words such as `last two years` would set it".to_owned(),
        ),
    }
    notes.extend(unknown(template, &description.words, &known));
    Tailored { notes, lines, tables }
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
