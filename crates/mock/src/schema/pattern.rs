//! Texts that match a regular expression. Pure.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::write::Draws;
use crate::limits::SCHEMA_ITEMS;

/// How many repetitions more than the least are drawn where there is room.
const MORE: u32 = 6;
/// Texts that are tried before a pattern is believed.
const SAMPLES: u64 = 32;

/// A regular expression that can be satisfied within the bounds of its text.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    hir: Hir,
    least: usize,
    most: usize,
    /// A text that matches, for draws that find none within the bounds.
    witness: String,
}

impl Pattern {
    /// Prepares `pattern` for texts of `least` to `most` characters; the error says what is wrong with it.
    pub(super) fn new(pattern: &str, least: usize, most: usize) -> Result<Self, String> {
        let not_offered = |why: &dyn std::fmt::Display| format!("the pattern {pattern:?} is not offered: {why}");
        let hir = regex_syntax::parse(pattern).map_err(|error| not_offered(&error))?;
        let matcher = regex::Regex::new(pattern).map_err(|error| not_offered(&error))?;
        check(&hir).map_err(|why| not_offered(&why))?;
        let mut witness = None;
        for sample in 0..SAMPLES {
            let mut text = String::new();
            write(&hir, &mut Draws::sample(sample), &mut text);
            if !matcher.is_match(&text) {
                return Err(not_offered(&"anchors and alternatives are taken, other assertions are not"));
            }
            let length = text.chars().count();
            if witness.is_none() && length >= least && length <= most {
                witness = Some(text);
            }
        }
        let witness =
            witness.ok_or_else(|| format!("no text of {least} to {most} characters was found for {pattern:?}"))?;
        Ok(Self { hir, least, most, witness })
    }

    /// Writes a text that matches.
    pub(super) fn write(&self, draws: &mut Draws, out: &mut String) {
        for _ in 0..SAMPLES {
            let start = out.len();
            write(&self.hir, draws, out);
            let length = out[start..].chars().count();
            if length >= self.least && length <= self.most {
                return;
            }
            out.truncate(start);
        }
        out.push_str(&self.witness);
    }
}

/// Refuses what would be too long to write.
fn check(hir: &Hir) -> Result<(), String> {
    match hir.kind() {
        HirKind::Repetition(repetition) if u64::from(repetition.min) > SCHEMA_ITEMS => {
            Err(format!("{} repetitions are more than {SCHEMA_ITEMS}", repetition.min))
        }
        HirKind::Repetition(repetition) => check(&repetition.sub),
        HirKind::Capture(capture) => check(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().try_for_each(check),
        HirKind::Class(class) if class.is_empty() => Err("a part of it matches nothing".to_owned()),
        _ => Ok(()),
    }
}

fn write(hir: &Hir, draws: &mut Draws, out: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => out.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => out.extend(character(class, draws)),
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(u32::MAX).min(repetition.min.saturating_add(MORE));
            let count = u64::from(repetition.min) + draws.below(u64::from(most - repetition.min) + 1);
            (0..count).for_each(|_| write(&repetition.sub, draws, out));
        }
        HirKind::Capture(capture) => write(&capture.sub, draws, out),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(part, draws, out)),
        HirKind::Alternation(parts) => {
            let at = draws.below(parts.len() as u64) as usize;
            write(&parts[at], draws, out);
        }
    }
}

/// A character of a class, a printable one of ASCII where it has any.
fn character(class: &Class, draws: &mut Draws) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let printable = ranges.iter().map(|(start, end)| ((*start).max(0x20), (*end).min(0x7E)));
    let printable: Vec<(u32, u32)> = printable.filter(|(start, end)| start <= end).collect();
    let ranges = if printable.is_empty() { ranges } else { printable };
    let size = |(start, end): &(u32, u32)| u64::from(end - start) + 1;
    let mut left = draws.below(ranges.iter().map(size).sum());
    for range in &ranges {
        if left < size(range) {
            // Between two ends of a range lie only surrogates that are no characters.
            return char::from_u32(range.0 + left as u32).or(char::from_u32(range.0));
        }
        left -= size(range);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_matches() {
        for (pattern, least, most) in [
            ("^[A-Z]{3}-\\d{4}$", 0, 100),
            ("^(red|green|blue)( dark)?$", 0, 100),
            ("[a-f0-9]+", 5, 6),
            ("^\\w+@\\w+\\.(com|org)$", 0, 30),
            ("^a|b$", 0, 10),
            ("^[^x]*$", 3, 4),
            ("^\\p{Greek}{2}$", 2, 2),
            ("", 0, 3),
        ] {
            let compiled = Pattern::new(pattern, least, most).expect(pattern);
            let matcher = regex::Regex::new(pattern).expect(pattern);
            for sample in 0..200 {
                let mut text = "before".to_owned();
                compiled.write(&mut Draws::sample(sample), &mut text);
                let text = text.strip_prefix("before").expect("only appended to");
                let length = text.chars().count();
                assert!(matcher.is_match(text) && (least..=most).contains(&length), "{pattern} {text:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for (pattern, part) in [
            ("(?=a)b", "not offered"),
            ("(", "not offered"),
            ("a\\bb", "other assertions are not"),
            ("a^b", "other assertions are not"),
            ("a{2000}", "more than 1000"),
            ("^abc$", "no text of 5 to 9 characters"),
            ("[a&&b]", "matches nothing"),
        ] {
            let error = Pattern::new(pattern, if pattern == "^abc$" { 5 } else { 0 }, 9).expect_err(pattern);
            assert!(error.contains(part), "{error}");
        }
    }
}
