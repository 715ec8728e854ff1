//! Texts that a schema asks for: by pattern, by format, by the name of their property, or a few words. Pure.

use serde_json::{Map, Value};
use shardmill_engine::semantic::{Locale, Method, Output, Semantic};

use super::pattern::Pattern;
use super::write::{Draws, Scope};
use crate::limits::SCHEMA_TEXT;

/// Days of 2025.
const YEAR_DAYS: u64 = 365;
const DAY_SECONDS: u64 = 86_400;
/// The first second of 2025.
const YEAR_START: i64 = 1_735_689_600;

/// The texts that a schema takes.
#[derive(Debug)]
pub(super) struct Text {
    /// Characters.
    least: usize,
    /// Characters.
    most: usize,
    source: Source,
}

#[derive(Debug)]
enum Source {
    Pattern(Box<Pattern>),
    Words(Box<Semantic>),
    Time(Time),
}

/// A moment, or a part of one.
#[derive(Clone, Copy, Debug)]
enum Time {
    Moment,
    Day,
    Clock,
    Length,
}

impl Text {
    /// Reads what a schema says of a text; the error says what is wrong with it. `name` is that of its property.
    pub(super) fn read(node: &Map<String, Value>, name: Option<&str>) -> Result<Self, String> {
        let bound = |key: &str, otherwise: u64| match node.get(key) {
            None => Ok(otherwise),
            Some(value) => value.as_u64().ok_or_else(|| format!("{key} {value} is no count")),
        };
        let (least, most) = (bound("minLength", 0)?, bound("maxLength", u64::MAX)?);
        if least > most || least > SCHEMA_TEXT {
            return Err(format!("no text of at least {least} characters is at most {} long", most.min(SCHEMA_TEXT)));
        }
        let (least, most) = (least as usize, most.min(SCHEMA_TEXT) as usize);
        let source = match (node.get("pattern"), node.get("format").and_then(Value::as_str)) {
            (Some(Value::String(pattern)), _) => Source::Pattern(Box::new(Pattern::new(pattern, least, most)?)),
            (Some(other), _) => return Err(format!("pattern {other} is no text")),
            (None, Some("date-time")) => Source::Time(Time::Moment),
            (None, Some("date")) => Source::Time(Time::Day),
            (None, Some("time")) => Source::Time(Time::Clock),
            (None, Some("duration")) => Source::Time(Time::Length),
            (None, format) => Source::Words(Box::new(semantic(method(format, name)))),
        };
        Ok(Self { least, most, source })
    }

    /// Writes a text, not yet as JSON.
    pub(super) fn write(&self, draws: &mut Draws, scope: &Scope, out: &mut String) {
        match &self.source {
            Source::Pattern(pattern) => return pattern.write(draws, out),
            Source::Words(words) => words.write(&scope.slots(draws), scope.row, out),
            Source::Time(time) => time.write(draws, out),
        }
        self.fit(draws, scope, out);
    }

    /// Cuts what is too long, and adds words to what is too short.
    fn fit(&self, draws: &mut Draws, scope: &Scope, out: &mut String) {
        let mut length = out.chars().count();
        let words = semantic_words();
        while length < self.least {
            out.push(' ');
            words.write(&scope.slots(draws), scope.row, out);
            length = out.chars().count();
        }
        if let Some((end, _)) = out.char_indices().nth(self.most) {
            out.truncate(end);
        }
    }
}

/// What kind of text a format or a name suggests; words where neither does.
fn method(format: Option<&str>, name: Option<&str>) -> Method {
    match format {
        Some("email" | "idn-email") => Method::Email,
        Some("uuid") => Method::Uuid4,
        Some("uri" | "iri" | "url" | "uri-reference") => Method::Url,
        Some("ipv4") => Method::Ipv4,
        Some("ipv6") => Method::Ipv6,
        Some("hostname" | "idn-hostname") => Method::Hostname,
        _ => {
            let suggested = name.and_then(Method::infer);
            suggested
                .filter(|method| matches!(method.output(), Output::Text | Output::Words))
                .unwrap_or(Method::Sentence)
        }
    }
}

/// The type without arguments, in American English.
pub(super) fn semantic(method: Method) -> Semantic {
    Semantic::new(method, Locale::EnUs, &[]).expect("a type without arguments has none that are wrong")
}

/// Words to fill up with.
fn semantic_words() -> Semantic {
    semantic(Method::WordList)
}

impl Time {
    fn write(self, draws: &mut Draws, out: &mut String) {
        let seconds = YEAR_START + draws.below(YEAR_DAYS * DAY_SECONDS) as i64;
        let moment = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let pattern = match self {
            Self::Moment => "%Y-%m-%dT%H:%M:%SZ",
            Self::Day => "%Y-%m-%d",
            Self::Clock => "%H:%M:%SZ",
            Self::Length => "PT%-HH%-MM",
        };
        out.push_str(&moment.format(pattern).to_string());
    }
}
