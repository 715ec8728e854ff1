//! Holds a value to a schema, and says what is wrong with it, each with its path. Pure.

use std::cell::Cell;
use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Number, Value};

use super::schema::{Format, Node, Others, Schema, Type};
use crate::limits::{DEPTH_MAX, PROBLEMS_MAX};

/// The most of a wrong value that is shown.
const SHOWN_CHARS_MAX: usize = 60;
/// Schemas that one value is held to, counted with repetition: alternatives that refer to each other multiply.
const STEPS_MAX: u32 = 1_000_000;

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, like `$.items[2].price`.
    pub path: String,
    /// What, like `expected integer, found "two"`.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.what)
    }
}

/// Everything that is wrong with `value`, at most [`PROBLEMS_MAX`]; nothing when it fits.
pub(super) fn problems(schema: &Schema, value: &Value) -> Vec<Problem> {
    let steps = Cell::new(0);
    let mut check = Check { nodes: &schema.nodes, problems: Vec::new(), steps: &steps };
    check.node(0, value, &Path::Root, 0);
    check.problems
}

/// Where a value stands; written out only when there is something to say about it.
enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("$"),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

struct Check<'a> {
    nodes: &'a [Node],
    problems: Vec<Problem>,
    steps: &'a Cell<u32>,
}

impl<'a> Check<'a> {
    fn say(&mut self, path: &Path<'_>, what: String) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem { path: path.to_string(), what });
        }
    }

    fn node(&mut self, place: usize, value: &Value, path: &Path<'_>, depth: usize) {
        // Schemas that refer to each other without going into the value, and values that nest without end, stop here.
        self.steps.set(self.steps.get().saturating_add(1));
        if depth > 2 * DEPTH_MAX || self.steps.get() > STEPS_MAX {
            return self.say(path, "nests too deep".to_owned());
        }
        let node: &'a Node = &self.nodes[place];
        if let Some(reference) = node.reference {
            self.node(reference, value, path, depth + 1);
        }
        if !node.types.is_empty() && !node.types.iter().any(|of| is_of(*of, value)) {
            let names: Vec<&str> = node.types.iter().map(|of| name(*of)).collect();
            return self.say(path, format!("expected {}, found {}", names.join(" or "), shown(value)));
        }
        if let Some(options) = node.options.as_ref().filter(|options| !options.iter().any(|option| same(option, value)))
        {
            let options: Vec<String> = options.iter().map(Value::to_string).collect();
            self.say(path, format!("expected one of {}, found {}", options.join(", "), shown(value)));
        }
        for part in &node.all_of {
            self.node(*part, value, path, depth + 1);
        }
        self.alternatives(node, value, path, depth);
        match value {
            Value::Object(map) => self.object(node, map, path, depth),
            Value::Array(items) => self.array(node, items, path, depth),
            Value::Number(number) => self.number(node, number, path),
            Value::String(text) => self.string(node, text, path),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn alternatives(&mut self, node: &Node, value: &Value, path: &Path<'_>, depth: usize) {
        for (places, exactly_one) in [(&node.any_of, false), (&node.one_of, true)] {
            if places.is_empty() {
                continue;
            }
            let tried = places.iter().map(|place| {
                let mut check = Check { nodes: self.nodes, problems: Vec::new(), steps: self.steps };
                check.node(*place, value, path, depth + 1);
                check.problems
            });
            let tried: Vec<Vec<Problem>> = tried.collect();
            let fitting = tried.iter().filter(|problems| problems.is_empty()).count();
            if fitting == 0 {
                // The alternative that fits best is the one that was meant.
                let nearest = tried.into_iter().min_by_key(Vec::len).unwrap_or_default();
                let room = PROBLEMS_MAX.saturating_sub(self.problems.len());
                self.problems.extend(nearest.into_iter().take(room));
            } else if exactly_one && fitting > 1 {
                self.say(path, format!("fits {fitting} of the alternatives, expected exactly one"));
            }
        }
    }

    fn object(&mut self, node: &Node, map: &Map<String, Value>, path: &Path<'_>, depth: usize) {
        let rules = &node.object;
        for name in rules.required.iter().filter(|name| !map.contains_key(name.as_str())) {
            self.say(&Path::Key(path, name), "is missing".to_owned());
        }
        for (name, value) in map {
            let path = Path::Key(path, name);
            match (rules.properties.get(name), &rules.others) {
                (Some(place), _) => self.node(*place, value, &path, depth + 1),
                (None, Others::Like(place)) => self.node(*place, value, &path, depth + 1),
                (None, Others::None) => self.say(&path, "is not allowed here".to_owned()),
                (None, Others::Any) => {}
            }
        }
    }

    fn array(&mut self, node: &Node, items: &[Value], path: &Path<'_>, depth: usize) {
        let rules = &node.array;
        let count = items.len() as u64;
        self.count(path, count, (rules.least, rules.most), "items");
        if rules.must_differ && (1..items.len()).any(|at| items[..at].iter().any(|other| same(other, &items[at]))) {
            self.say(path, "has an item twice".to_owned());
        }
        if let Some(place) = rules.items {
            for (at, item) in items.iter().enumerate() {
                self.node(place, item, &Path::Index(path, at), depth + 1);
            }
        }
    }

    fn number(&mut self, node: &Node, number: &Number, path: &Path<'_>) {
        let rules = &node.number;
        let Some(found) = number.as_f64() else { return };
        let bounds = [
            (rules.minimum, "at least", rules.minimum.is_some_and(|bound| found < bound)),
            (rules.maximum, "at most", rules.maximum.is_some_and(|bound| found > bound)),
            (rules.above, "above", rules.above.is_some_and(|bound| found <= bound)),
            (rules.below, "below", rules.below.is_some_and(|bound| found >= bound)),
        ];
        for (bound, words, _) in bounds.into_iter().filter(|(_, _, is_wrong)| *is_wrong) {
            self.say(path, format!("expected {words} {}, found {number}", bound.unwrap_or_default()));
        }
        if let Some(step) = rules.multiple_of {
            let steps = found / step;
            if (steps - steps.round()).abs() > 1e-9 * steps.abs().max(1.0) {
                self.say(path, format!("expected a multiple of {step}, found {number}"));
            }
        }
    }

    fn string(&mut self, node: &Node, text: &str, path: &Path<'_>) {
        let rules = &node.string;
        if rules.least.is_some() || rules.most.is_some() {
            self.count(path, text.chars().count() as u64, (rules.least, rules.most), "characters");
        }
        if let Some(pattern) = rules.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
            self.say(path, format!("expected a text like `{pattern}`, found {}", shown_text(text)));
        }
        let (fits, expected) = match rules.format {
            None => (true, ""),
            Some(Format::Date) => (NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok(), "a date like 2026-01-31"),
            Some(Format::DateTime) => (DateTime::parse_from_rfc3339(text).is_ok(), "a time like 2026-01-31T12:00:00Z"),
            Some(Format::Uuid) => (is_uuid(text), "a UUID"),
        };
        if !fits {
            self.say(path, format!("expected {expected}, found {}", shown_text(text)));
        }
    }

    fn count(&mut self, path: &Path<'_>, count: u64, (least, most): (Option<u64>, Option<u64>), of: &str) {
        if let Some(least) = least.filter(|least| count < *least) {
            self.say(path, format!("expected at least {least} {of}, found {count}"));
        }
        if let Some(most) = most.filter(|most| count > *most) {
            self.say(path, format!("expected at most {most} {of}, found {count}"));
        }
    }
}

fn is_of(of: Type, value: &Value) -> bool {
    match of {
        Type::Null => value.is_null(),
        Type::Boolean => value.is_boolean(),
        // A number without a fraction is an integer, however it is written.
        Type::Integer => value.as_f64().is_some_and(|number| number.trunc() == number),
        Type::Number => value.is_number(),
        Type::String => value.is_string(),
        Type::Array => value.is_array(),
        Type::Object => value.is_object(),
    }
}

fn name(of: Type) -> &'static str {
    match of {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Integer => "an integer",
        Type::Number => "a number",
        Type::String => "a string",
        Type::Array => "an array",
        Type::Object => "an object",
    }
}

/// Equal as JSON Schema has it: `1` is `1.0`.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        _ => a == b,
    }
}

fn is_uuid(text: &str) -> bool {
    let is_right =
        |(at, c): (usize, char)| if [8, 13, 18, 23].contains(&at) { c == '-' } else { c.is_ascii_hexdigit() };
    text.len() == 36 && text.chars().enumerate().all(is_right)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "an array".to_owned(),
        Value::String(text) => shown_text(text),
        other => other.to_string(),
    }
}

fn shown_text(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{:?}{more}", short)
}
