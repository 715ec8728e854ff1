//! Writes a value of a schema for a key. Pure.

use shardmill_engine::random::key::{Key, below, unit};
use shardmill_engine::semantic::Slots;

use super::strings::semantic;
use super::{Id, Property, Schema, Shape, Truth};
use crate::limits::{SCHEMA_BYTES, SCHEMA_DEPTH};

/// Of a hundred optional properties, how many are there.
const OPTIONAL_PERCENT: u64 = 80;

/// Draws, one after the other.
pub(crate) struct Draws {
    key: Key,
    next: u64,
}

impl Draws {
    /// The draws of a key.
    pub(crate) fn new(key: Key) -> Self {
        Self { key, next: 0 }
    }

    /// The draws of a trial.
    pub(super) fn sample(number: u64) -> Self {
        Self::new(Key::from_words(number, 0))
    }

    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.next += 1;
        self.key.draw(self.next)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        below(self.bits(), bound.max(1))
    }

    /// A number in (0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        unit(self.bits())
    }

    /// A key for draws of another kind.
    pub(crate) fn key(&mut self) -> Key {
        Key::from_words(self.bits(), self.bits())
    }
}

/// What the properties of one object share: a person, a place, a company.
pub(super) struct Scope {
    shared: Key,
    pub(super) row: u64,
}

impl Scope {
    fn new(draws: &mut Draws) -> Self {
        Self { shared: draws.key(), row: 0 }
    }

    /// The keys for the next text.
    pub(super) fn slots(&self, draws: &mut Draws) -> Slots {
        let shared = |number| self.shared.number(number);
        Slots { person: shared(0), place: shared(1), company: shared(2), own: draws.key() }
    }
}

impl Schema {
    /// A value as JSON, or with [`Truth::Wrong`] one that breaks the schema.
    pub(crate) fn write(&self, key: Key, truth: Truth) -> String {
        let mut writer =
            Writer { schema: self, draws: Draws::new(key), truth, text: String::new(), out: String::new() };
        let scope = Scope::new(&mut writer.draws);
        writer.shape(self.root, 0, &scope);
        match writer.truth {
            Truth::Right => writer.out,
            // There was nothing in it to make wrong.
            Truth::Wrong => format!("[{}]", writer.out),
        }
    }
}

struct Writer<'s> {
    schema: &'s Schema,
    draws: Draws,
    /// Whether something wrong is still to be written.
    truth: Truth,
    /// A text before it is JSON.
    text: String,
    out: String,
}

impl Writer<'_> {
    fn shape(&mut self, id: Id, depth: u32, scope: &Scope) {
        let schema = self.schema;
        match &schema.shapes[id] {
            Shape::Same(other) => self.shape(*other, depth, scope),
            Shape::OneOf(branches) => {
                let branch = self.branch(branches, depth);
                self.shape(branch, depth, scope);
            }
            Shape::Object(properties) => self.object(properties, depth),
            Shape::List { item, least, most } => {
                let is_bare = self.is_deep(depth) || schema.is_endless(*item);
                let count = if is_bare { *least } else { least + self.draws.below(most - least + 1) };
                self.list(*item, count, (depth, scope));
            }
            // An object stands where none was asked for.
            _ if self.truth == Truth::Wrong => {
                self.truth = Truth::Right;
                self.out.push_str(r#"{"unexpected": true}"#);
            }
            Shape::Null => self.out.push_str("null"),
            Shape::Boolean => self.out.push_str(if self.draws.below(2) == 0 { "false" } else { "true" }),
            Shape::Choice(values) => {
                let at = self.draws.below(values.len() as u64) as usize;
                self.out.push_str(&values[at]);
            }
            Shape::Number(number) => number.write(self.draws.bits(), &mut self.out),
            Shape::Text(text) => {
                self.text.clear();
                text.write(&mut self.draws, scope, &mut self.text);
                quote(&self.text, &mut self.out);
            }
        }
    }

    fn object(&mut self, properties: &[Property], depth: u32) {
        let scope = Scope::new(&mut self.draws);
        self.out.push('{');
        let start = self.out.len();
        for property in properties {
            let is_there = property.is_required
                || (self.draws.below(100) < OPTIONAL_PERCENT
                    && !self.is_deep(depth)
                    && !self.schema.is_endless(property.shape));
            if is_there {
                if self.out.len() > start {
                    self.out.push_str(", ");
                }
                quote(&property.name, &mut self.out);
                self.out.push_str(": ");
                self.shape(property.shape, depth + 1, &scope);
            }
        }
        self.out.push('}');
    }

    fn list(&mut self, item: Id, count: u64, (depth, scope): (u32, &Scope)) {
        self.out.push('[');
        for at in 0..count {
            if at > 0 {
                self.out.push_str(", ");
            }
            self.shape(item, depth + 1, scope);
        }
        self.out.push(']');
    }

    /// One of the branches; deep down the one that ends soonest.
    fn branch(&mut self, branches: &[Id], depth: u32) -> Id {
        let drawn = branches[self.draws.below(branches.len() as u64) as usize];
        if !self.is_deep(depth) && !self.schema.is_endless(drawn) {
            return drawn;
        }
        branches.iter().copied().min_by_key(|branch| self.schema.least_depths[*branch]).unwrap_or(drawn)
    }

    /// Whether only what must be there is written.
    fn is_deep(&self, depth: u32) -> bool {
        depth >= SCHEMA_DEPTH || self.out.len() > SCHEMA_BYTES
    }
}

impl Schema {
    fn is_endless(&self, id: Id) -> bool {
        self.least_depths[id] == super::finite::NEVER
    }
}

/// Appends a text as JSON.
fn quote(text: &str, out: &mut String) {
    let needs_escapes = text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
    if needs_escapes {
        out.push_str(&serde_json::Value::from(text).to_string());
    } else {
        out.extend(["\"", text, "\""]);
    }
}

/// Sentences of the engine's own words, until there are `tokens` of them.
pub(crate) fn sentences(key: Key, tokens: u64) -> String {
    let sentence = sentence();
    let (mut draws, mut out, mut count) = (Draws::new(key), String::new(), 0);
    let scope = Scope::new(&mut draws);
    while count < tokens {
        let start = out.len();
        if start > 0 {
            out.push(' ');
        }
        sentence.write(&scope.slots(&mut draws), 0, &mut out);
        count += crate::tokens::count(&out[start..]);
    }
    let end = crate::tokens::cut(&out, tokens).len();
    out.truncate(end);
    out
}

fn sentence() -> &'static shardmill_engine::semantic::Semantic {
    static SENTENCE: std::sync::OnceLock<shardmill_engine::semantic::Semantic> = std::sync::OnceLock::new();
    SENTENCE.get_or_init(|| semantic(shardmill_engine::semantic::Method::Sentence))
}
