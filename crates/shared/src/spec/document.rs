//! A YAML or JSON text as a tree that remembers its lines. Pure.
//!
//! Scalars follow the YAML 1.2 core schema: `no` is text, never false. Duplicate keys are problems. Size, depth and
//! the expansion of aliases are bounded, so that no document can exhaust memory.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::problem::Report;
use super::scalar::plain_scalar;

/// The largest document that is read, in bytes. Real specs are far below; larger lists belong in a table.
pub const DOCUMENT_BYTES_MAX: usize = 8 << 20;
/// The most nodes a document may have after its aliases are expanded.
pub const NODES_MAX: usize = 1_000_000;
/// The most bytes of text a document may have after its aliases are expanded, anchors counted again.
pub const TEXT_BYTES_MAX: usize = 4 * DOCUMENT_BYTES_MAX;
/// The deepest nesting of lists and maps.
pub const DEPTH_MAX: usize = 64;

/// One value of a document and the line it starts on.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What is written there.
    pub value: Value,
    /// The line, counted from 1; 0 when the value did not come from a file (a default or a `--set`).
    pub line: usize,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// Everything else, and everything in quotes.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written: column order is part of a spec's meaning.
    Map(Vec<(String, Node)>),
}

impl Node {
    /// A node that no file holds.
    pub const fn synthetic(value: Value) -> Self {
        Self { value, line: 0 }
    }

    /// The entry `name` of a map.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(key, _)| key == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// Puts `node` under `name`, replacing an entry of that name. Does nothing when this is not a map.
    pub fn insert(&mut self, name: &str, node: Self) {
        if let Value::Map(entries) = &mut self.value {
            match entries.iter_mut().find(|(key, _)| key == name) {
                Some((_, old)) => *old = node,
                None => entries.push((name.to_owned(), node)),
            }
        }
    }

    /// The same value as JSON, in the order written. Numbers that JSON cannot hold (`.inf`, `.nan`) become text.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Int(i) => i64::try_from(*i)
                .map(Json::from)
                .or_else(|_| u64::try_from(*i).map(Json::from))
                .unwrap_or_else(|_| Json::String(i.to_string())),
            Value::Float(f) => {
                serde_json::Number::from_f64(*f).map_or_else(|| Json::String(f.to_string()), Json::Number)
            }
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Value::Map(entries) => Json::Object(entries.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()),
        }
    }

    /// What kind of value this is, in the words of an error message.
    pub const fn describes(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Reads one document. Problems go to `report`; `None` means that there is no tree to go on with.
pub fn parse(text: &str, report: &Report) -> Option<Node> {
    if text.len() > DOCUMENT_BYTES_MAX {
        report.fatal(
            0,
            format!("the document has {} bytes", text.len()),
            format!("at most {DOCUMENT_BYTES_MAX} bytes; put long lists of values into a table of their own"),
        );
        return None;
    }
    let mut builder = Builder { report, anchors: HashMap::new(), held: Size::default() };
    let mut parser = Parser::new_from_str(text);
    let tree = builder.stream(&mut parser);
    match tree {
        Ok(Some(node)) => Some(node),
        Ok(None) => {
            report.fatal(0, "the document is empty".to_owned(), "a spec that begins with `shardmill: 1`".to_owned());
            None
        }
        Err(stop) => {
            report.fatal(stop.line, stop.message, stop.expected);
            None
        }
    }
}

/// Why reading cannot go on.
struct Stop {
    line: usize,
    message: String,
    expected: String,
}

/// How much of a document is held in memory.
#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
}

impl Size {
    const fn since(self, before: Self) -> Self {
        Self { nodes: self.nodes - before.nodes, bytes: self.bytes - before.bytes }
    }
}

struct Builder<'r> {
    report: &'r Report,
    anchors: HashMap<usize, (Node, Size)>,
    held: Size,
}

type Events<'t> = Parser<'t, saphyr_parser::StrInput<'t>>;

impl Builder<'_> {
    fn stream(&mut self, parser: &mut Events<'_>) -> Result<Option<Node>, Stop> {
        let mut found = None;
        loop {
            let (event, span) = next(parser)?;
            match event {
                Event::StreamEnd => return Ok(found),
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                _ if found.is_some() => {
                    return Err(Stop {
                        line: span.start.line(),
                        message: "a second document begins here".to_owned(),
                        expected: "one spec per file".to_owned(),
                    });
                }
                event => found = Some(self.node(parser, event, span, 0)?),
            }
        }
    }

    fn node(&mut self, parser: &mut Events<'_>, event: Event<'_>, span: Span, depth: usize) -> Result<Node, Stop> {
        let line = span.start.line();
        let before = self.held;
        let bytes = if let Event::Scalar(text, ..) = &event { text.len() } else { 0 };
        self.count(Size { nodes: 1, bytes }, line)?;
        if depth > DEPTH_MAX {
            return Err(Stop {
                line,
                message: format!("lists and maps are nested deeper than {DEPTH_MAX}"),
                expected: "a flatter document".to_owned(),
            });
        }
        let (value, anchor) = match event {
            Event::Scalar(text, ScalarStyle::Plain, anchor, _) => (plain_scalar(&text), anchor),
            Event::Scalar(text, _, anchor, _) => (Value::Text(text.into_owned()), anchor),
            Event::SequenceStart(anchor, _) => (self.list(parser, depth)?, anchor),
            Event::MappingStart(anchor, _) => (self.map(parser, depth)?, anchor),
            Event::Alias(id) => {
                let size = self.anchors.get(&id).map(|(_, size)| *size).ok_or_else(|| Stop {
                    line,
                    message: "an alias stands inside the value it names".to_owned(),
                    expected: "an anchor that is complete before its alias".to_owned(),
                })?;
                // Counted before it is copied.
                self.count(size, line)?;
                return Ok(self.anchors[&id].0.clone());
            }
            _ => (Value::Null, 0),
        };
        let node = Node { value, line };
        if anchor > 0 {
            let size = self.held.since(before);
            self.count(size, line)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    fn list(&mut self, parser: &mut Events<'_>, depth: usize) -> Result<Value, Stop> {
        let mut items = Vec::new();
        loop {
            match next(parser)? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, span) => items.push(self.node(parser, event, span, depth + 1)?),
            }
        }
    }

    fn map(&mut self, parser: &mut Events<'_>, depth: usize) -> Result<Value, Stop> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut lines: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, span) = next(parser)?;
            let line = span.start.line();
            let key = match event {
                Event::MappingEnd => return Ok(Value::Map(entries)),
                // A key is taken as written: `no:` and `1:` are the texts "no" and "1".
                Event::Scalar(text, ..) => text.into_owned(),
                _ => {
                    return Err(Stop {
                        line,
                        message: "a list or map is used as a key".to_owned(),
                        expected: "text as a key".to_owned(),
                    });
                }
            };
            self.count(Size { nodes: 0, bytes: key.len() }, line)?;
            let (event, span) = next(parser)?;
            let value = self.node(parser, event, span, depth + 1)?;
            if let Some(first) = lines.insert(key.clone(), line) {
                self.report.fatal(
                    line,
                    format!("the key `{key}` is written twice, first on line {first}"),
                    "each key once".to_owned(),
                );
            } else {
                entries.push((key, value));
            }
        }
    }

    fn count(&mut self, more: Size, line: usize) -> Result<(), Stop> {
        self.held = Size { nodes: self.held.nodes + more.nodes, bytes: self.held.bytes + more.bytes };
        let too_much = if self.held.nodes > NODES_MAX {
            format!("{NODES_MAX} values")
        } else if self.held.bytes > TEXT_BYTES_MAX {
            format!("{TEXT_BYTES_MAX} bytes of text")
        } else {
            return Ok(());
        };
        Err(Stop {
            line,
            message: format!("the document has more than {too_much} after its aliases are expanded"),
            expected: "fewer or smaller aliases".to_owned(),
        })
    }
}

fn next<'t>(parser: &mut Events<'t>) -> Result<(Event<'t>, Span), Stop> {
    match parser.next_event() {
        Some(Ok(found)) => Ok(found),
        Some(Err(error)) => Err(Stop {
            line: error.marker().line(),
            message: format!("the text is not well-formed: {}", error.info()),
            expected: "YAML or JSON".to_owned(),
        }),
        None => {
            Err(Stop { line: 0, message: "the text ends too early".to_owned(), expected: "YAML or JSON".to_owned() })
        }
    }
}

#[cfg(test)]
mod tests;
