//! `id`: identifiers by a format such as `CRT-{year}-{random:7}`. Pure.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringBuilder};
use shardmill_shared::spec::Place;

use super::{Generator, Info, Param, Read};
use crate::civil::{DAY_US, civil};
use crate::compile::site::Site;
use crate::draw::Draw;
use crate::error::Result;
use crate::frame::Source;
use crate::measure::measure;
use crate::random::key::Key;
use crate::random::permutation::Permutation;
use crate::value::Type;

/// How specs name it.
pub const INFO: Info = Info {
    name: "id",
    about: "identifiers by a format, different in every row where the column is unique or a key",
    params: &[
        Param {
            name: "format",
            takes: "text with {year}, {month}, {day}, {row}, {row:N}, {random:N} digits, {hex:N}, {letters:N}",
            default: "",
            about: "the format",
        },
        Param {
            name: "time",
            takes: "datetime column",
            default: "start of the timeframe",
            about: "whose year, month and day are used",
        },
    ],
    bare: Some("format"),
    example: "{type: string, unique: true, id: 'CRT-{row:4}-{random:7}'}",
    build,
};

/// The most random digits or letters of one identifier.
const RANDOM_MAX: u32 = 18;

#[derive(Debug)]
struct IdFormat {
    key: Key,
    parts: Vec<Part>,
    time: Option<Source>,
    start_us: i64,
    /// How many combinations the random parts have.
    combinations: u64,
    unique: bool,
    has_row: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Year,
    Month,
    Day,
    Row { width: usize },
    Random { alphabet: &'static [u8], count: u32 },
}

fn build(place: &Place<'_>, site: &Site<'_, '_>) -> Option<Box<dyn Generator>> {
    let fields = place.fields()?;
    let format = fields.need("format");
    let time = fields.get("time");
    fields.finish();
    let format = format?;
    let parts = parse(&format)?;
    let time = match time {
        Some(time) => Some(Source::Own(site.own_time(&time)?)),
        None => None,
    };
    let dated = parts.iter().any(|part| matches!(part, Part::Year | Part::Month | Part::Day));
    let start_us = if dated && time.is_none() { site.timeframe(&format)?.start } else { 0 };
    let has_row = parts.iter().any(|part| matches!(part, Part::Row { .. }));
    let mut combinations = 1u64;
    for part in &parts {
        if let Part::Random { alphabet, count } = part {
            let Some(more) = (alphabet.len() as u64).checked_pow(*count).and_then(|n| n.checked_mul(combinations))
            else {
                return format.problem("the random parts have more than 2^64 combinations", "fewer random digits");
            };
            combinations = more;
        }
    }
    if site.unique && !has_row {
        site.enough(&format, combinations)?;
    }
    let unique = site.unique;
    Some(Box::new(IdFormat { key: site.key(), parts, time, start_us, combinations, unique, has_row }))
}

fn parse(place: &Place<'_>) -> Option<Vec<Part>> {
    let text = place.text()?;
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        if open > 0 {
            parts.push(Part::Text(rest[..open].to_owned()));
        }
        let Some(close) = rest[open..].find('}') else {
            return place.problem(format!("`{text}` has a brace that is not closed"), "{random:7}");
        };
        let inner = &rest[open + 1..open + close];
        let (word, count) = inner.split_once(':').unwrap_or((inner, ""));
        let number = count.parse::<u32>().ok().filter(|n| (1..=RANDOM_MAX).contains(n));
        let random = |alphabet: &'static [u8]| number.map(|count| Part::Random { alphabet, count });
        let part = match (word, count) {
            ("year", "") => Some(Part::Year),
            ("month", "") => Some(Part::Month),
            ("day", "") => Some(Part::Day),
            ("row" | "seq", "") => Some(Part::Row { width: 0 }),
            ("row" | "seq", _) => number.map(|width| Part::Row { width: width as usize }),
            ("random" | "digits", _) => random(b"0123456789"),
            ("hex", _) => random(b"0123456789abcdef"),
            ("letters", _) => random(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            _ => None,
        };
        match part {
            Some(part) => parts.push(part),
            None => {
                let known = ["year", "month", "day", "row", "random:7", "hex:8", "letters:3"];
                return place.unknown("placeholder", inner, known);
            }
        }
        rest = &rest[open + close + 1..];
    }
    if !rest.is_empty() {
        parts.push(Part::Text(rest.to_owned()));
    }
    Some(parts)
}

impl Generator for IdFormat {
    fn kind(&self) -> Type {
        Type::Text
    }

    fn values(&self, draw: &Draw<'_, '_>) -> Result<ArrayRef> {
        let rows = &draw.frame.rows;
        let times = match self.time {
            Some(source) => Some(measure(&draw.frame.read_plain(source)?)?),
            None => None,
        };
        let permutation = (self.unique && !self.has_row).then(|| Permutation::new(self.key, self.combinations));
        let mut out = StringBuilder::with_capacity(rows.len(), rows.len() * 16);
        for at in 0..rows.len() {
            let row = rows.at(at);
            let number = match &permutation {
                Some(permutation) => permutation.apply(row),
                None => draw.key(self.key, 0).below(row, self.combinations),
            };
            let time = times.as_ref().filter(|t| t.is_valid(at)).map_or(self.start_us, |t| t.value(at) as i64);
            self.write(row, number, time, &mut out);
            out.append_value("");
        }
        Ok(Arc::new(out.finish()))
    }

    fn reads(&self) -> Vec<Read> {
        self.time.iter().map(|source| Read::Column(*source)).collect()
    }

    fn is_unique(&self) -> bool {
        self.unique || self.has_row
    }
}

impl IdFormat {
    fn write(&self, row: u64, mut number: u64, time_us: i64, out: &mut StringBuilder) {
        let date = civil(time_us.div_euclid(DAY_US));
        for part in &self.parts {
            let written = match part {
                Part::Text(text) => out.write_str(text),
                Part::Year => write!(out, "{:04}", date.year),
                Part::Month => write!(out, "{:02}", date.month),
                Part::Day => write!(out, "{:02}", date.day),
                Part::Row { width } => write!(out, "{:0width$}", row + 1),
                Part::Random { alphabet, count } => {
                    let base = alphabet.len() as u64;
                    (0..*count).try_for_each(|_| {
                        let letter = alphabet[(number % base) as usize];
                        number /= base;
                        out.write_char(char::from(letter))
                    })
                }
            };
            written.expect("writing into a growing buffer cannot fail");
        }
    }
}
