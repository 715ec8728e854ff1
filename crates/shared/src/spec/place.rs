//! Typed reading of a document: each value is asked for by name and type, and what is wrong is reported with its place. Pure.
//!
//! A question that cannot be answered adds a problem and returns `None`, so that reading goes on to the next value and
//! one report names everything.

use std::cell::RefCell;

use super::document::{Node, Value};
use super::problem::{Problem, Report, Severity, nearest};

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The value.
    pub node: &'a Node,
    /// Where it stands: `tables.users.columns.email`.
    pub path: String,
    /// Where findings go.
    pub report: &'a Report,
}

/// Keys that are allowed in every map and mean nothing.
pub(super) const REMARKS: [&str; 2] = ["comment", "description"];

impl<'a> Place<'a> {
    /// The document itself.
    pub const fn root(node: &'a Node, report: &'a Report) -> Self {
        Self { node, path: String::new(), report }
    }

    /// The place of `node` below this one.
    pub fn child(&self, name: &str, node: &'a Node) -> Self {
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Self { node, path, report: self.report }
    }

    fn add(&self, severity: Severity, message: String, expected: Option<String>, nearest: Option<String>) {
        let path = self.path.clone();
        self.report.add(Problem { severity, line: self.node.line, path, message, expected, nearest });
    }

    /// Reports what is wrong here. Returns `None`, to end a reading.
    pub fn problem<T>(&self, message: impl Into<String>, expected: impl Into<String>) -> Option<T> {
        self.add(Severity::Error, message.into(), Some(expected.into()), None);
        None
    }

    /// Reports what is wrong here and what was probably meant.
    pub fn problem_near<T>(&self, message: String, expected: &str, nearest: Option<String>) -> Option<T> {
        self.add(Severity::Error, message, Some(expected.to_owned()), nearest);
        None
    }

    /// Reports a name that does not exist, with the nearest that does.
    pub fn unknown<'c, T>(&self, what: &str, name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<T> {
        let candidates: Vec<&str> = candidates.into_iter().collect();
        let listed = match candidates.len() {
            0 => "nothing here: there is none".to_owned(),
            1..=12 => format!("one of {}", candidates.join(", ")),
            _ => format!("one of the {} known names", candidates.len()),
        };
        let near = nearest(name, candidates.iter().copied());
        self.add(Severity::Error, format!("there is no {what} `{name}`"), Some(listed), near);
        None
    }

    /// Reports what the author should know though the spec runs.
    pub fn warn(&self, message: impl Into<String>) {
        self.add(Severity::Warning, message.into(), None, None);
    }

    fn mismatch<T>(&self, expected: &str) -> Option<T> {
        let found = match &self.node.value {
            Value::Text(text) => format!("`{text}`"),
            Value::Int(int) => format!("`{int}`"),
            Value::Float(float) => format!("`{float}`"),
            Value::Bool(bool) => format!("`{bool}`"),
            _ => self.node.describes().to_owned(),
        };
        self.problem(format!("found {found}"), expected)
    }

    /// Whether nothing is written here.
    pub const fn is_null(&self) -> bool {
        matches!(self.node.value, Value::Null)
    }

    /// Text as written; numbers and booleans are not text.
    pub fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            Value::Text(text) => Some(text),
            _ => self.mismatch("text"),
        }
    }

    /// `true` or `false`.
    pub fn bool(&self) -> Option<bool> {
        match &self.node.value {
            Value::Bool(bool) => Some(*bool),
            _ => self.mismatch("true or false (`yes` and `no` are text)"),
        }
    }

    /// A finite number.
    pub fn float(&self) -> Option<f64> {
        match self.node.value {
            Value::Float(float) if float.is_finite() => Some(float),
            Value::Int(int) => Some(int as f64),
            _ => self.mismatch("a number"),
        }
    }

    /// A finite number that satisfies `holds`, described by `expected`.
    pub fn float_where(&self, expected: &str, holds: impl Fn(f64) -> bool) -> Option<f64> {
        let float = self.float()?;
        if holds(float) { Some(float) } else { self.mismatch(expected) }
    }

    /// A number above 0.
    pub fn positive(&self) -> Option<f64> {
        self.float_where("a number above 0", |x| x > 0.0)
    }

    /// A share, from 0 to 1.
    pub fn share(&self) -> Option<f64> {
        self.float_where("a share from 0 to 1", |x| (0.0..=1.0).contains(&x))
    }

    /// A whole number that fits 64 bits.
    pub fn int(&self) -> Option<i64> {
        match self.node.value {
            Value::Int(int) => match i64::try_from(int) {
                Ok(int) => Some(int),
                Err(_) => self.mismatch("a whole number of 64 bits"),
            },
            Value::Float(float) if float.fract() == 0.0 && float.abs() < 9e15 => Some(float as i64),
            _ => self.mismatch("a whole number"),
        }
    }

    /// A count: a whole number from 0 to 2^63 - 1.
    pub fn count(&self) -> Option<u64> {
        match self.node.value {
            Value::Int(int) if (0..=i128::from(i64::MAX)).contains(&int) => Some(int as u64),
            Value::Float(float) if float.fract() == 0.0 && (0.0..9e15).contains(&float) => Some(float as u64),
            Value::Int(int) if int > 0 => self.mismatch("at most 9223372036854775807"),
            _ => self.mismatch("a whole number that is not negative"),
        }
    }

    /// One of a few words; returns its position.
    pub fn one_of(&self, what: &str, words: &[&str]) -> Option<usize> {
        let text = self.text()?;
        match words.iter().position(|word| *word == text) {
            Some(at) => Some(at),
            None => self.unknown(what, text, words.iter().copied()),
        }
    }

    /// The items of a list.
    pub fn list(&self) -> Option<Vec<Self>> {
        match &self.node.value {
            Value::List(items) => {
                Some(items.iter().enumerate().map(|(i, node)| self.child(&i.to_string(), node)).collect())
            }
            _ => self.mismatch("a list"),
        }
    }

    /// The entries of a map as they stand, for maps whose keys are the user's own names.
    pub fn entries(&self) -> Option<Vec<(&'a str, Self)>> {
        match &self.node.value {
            Value::Map(entries) => {
                Some(entries.iter().map(|(key, node)| (key.as_str(), self.child(key, node))).collect())
            }
            _ => self.mismatch("a map"),
        }
    }

    /// A map whose keys are known: to be asked key by key and then finished.
    pub fn fields(&self) -> Option<Fields<'a>> {
        match &self.node.value {
            Value::Map(entries) => Some(Fields { place: self.clone(), entries, asked: RefCell::default() }),
            Value::Null => Some(Fields { place: self.clone(), entries: &[], asked: RefCell::default() }),
            _ => self.mismatch("a map"),
        }
    }
}

/// A map of known keys that is being read.
#[derive(Debug)]
pub struct Fields<'a> {
    /// The map itself.
    pub place: Place<'a>,
    entries: &'a [(String, Node)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// The value of `name`, if it is written and not null.
    pub fn get(&self, name: &'static str) -> Option<Place<'a>> {
        self.present(name).filter(|place| !place.is_null())
    }

    /// The value of `name`, if it is written, even as null.
    pub fn present(&self, name: &'static str) -> Option<Place<'a>> {
        self.asked.borrow_mut().push(name);
        self.entries.iter().find(|(key, _)| key == name).map(|(_, node)| self.place.child(name, node))
    }

    /// The value of the first name that is written; two of them at once are a problem.
    pub fn get_any(&self, names: &[&'static str]) -> Option<Place<'a>> {
        let found: Vec<Place<'a>> = names.iter().filter_map(|name| self.get(name)).collect();
        if found.len() > 1 {
            found[1].problem::<()>(format!("`{}` and `{}` mean the same", names[0], names[1]), "one of them");
        }
        found.into_iter().next()
    }

    /// The value of `name`; a problem when it is missing.
    pub fn need(&self, name: &'static str) -> Option<Place<'a>> {
        match self.get(name) {
            Some(place) => Some(place),
            None => self.place.problem(format!("`{name}` is missing"), format!("the key `{name}`")),
        }
    }

    /// Like [`Self::need`], with aliases.
    pub fn need_any(&self, names: &[&'static str]) -> Option<Place<'a>> {
        match self.get_any(names) {
            Some(place) => Some(place),
            None => self.place.problem(format!("`{}` is missing", names[0]), format!("the key `{}`", names[0])),
        }
    }

    /// The number under `name`, or `default` when it is not written. `None` only when what is written is wrong.
    pub fn float_or(&self, names: &[&'static str], default: f64) -> Option<f64> {
        self.get_any(names).map_or(Some(default), |place| place.float())
    }

    /// Refuses a key that this version does not know how to honour.
    pub fn refuse(&self, name: &'static str, why: &str) {
        if let Some(place) = self.present(name) {
            place.problem::<()>(format!("`{name}` is not supported yet: {why}"), "the spec without it");
        }
    }

    /// Ends the reading: every key that nobody asked for is reported, with the nearest that somebody did.
    pub fn finish(&self) {
        let asked = self.asked.borrow();
        for (key, node) in self.entries {
            if asked.contains(&key.as_str()) || REMARKS.contains(&key.as_str()) {
                continue;
            }
            let place = self.place.child(key, node);
            let mut known: Vec<&str> = asked.clone();
            known.sort_unstable();
            known.dedup();
            let expected = format!("one of {}", known.join(", "));
            let near = nearest(key, known.iter().copied());
            place.add(place.report.unknown_key(), format!("unknown key `{key}`"), Some(expected), near);
        }
    }

    /// The keys that were asked for: what the map may hold.
    pub fn asked(&self) -> Vec<&'static str> {
        self.asked.borrow().clone()
    }
}
