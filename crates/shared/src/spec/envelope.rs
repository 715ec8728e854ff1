//! What every spec has around its body: version, kind, name, seed, engine and output. Pure.

use super::document::{Node, Value};
use super::place::{Fields, Place};
use super::problem::Report;
use crate::job::NanoUsd;

/// The version of the spec language.
const SPEC_VERSION: i64 = 1;
/// The seed of a spec that names none.
const DEFAULT_SEED: u64 = 42;
/// Rows per shard of a spec that names none: at a few million rows a second a shard stays far below the five minutes
/// that a message may be held.
const DEFAULT_SHARD_ROWS: u64 = 1_000_000;
/// The longest name, in bytes: it becomes a folder.
const NAME_BYTES_MAX: usize = 100;

/// The names that this build knows, given by those who implement them.
#[derive(Clone, Copy, Debug)]
pub struct Known<'k> {
    /// Kinds of dataset.
    pub kinds: &'k [&'k str],
    /// File formats.
    pub formats: &'k [&'k str],
    /// Compressions.
    pub compressions: &'k [&'k str],
    /// Engine versions, newest last.
    pub engines: &'k [u32],
}

/// Where and how the rows are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// One of the known formats.
    pub format: String,
    /// One of the known compressions; `None` takes the format's own default.
    pub compression: Option<String>,
    /// Rows per shard, hence per file; at least 1.
    pub shard_rows: u64,
    /// CSV: the byte between fields.
    pub delimiter: u8,
    /// CSV: whether the first line names the columns.
    pub header: bool,
}

/// A spec whose envelope is read; its body is read by its kind.
#[derive(Clone, Debug)]
pub struct Spec {
    /// What it makes.
    pub kind: String,
    /// The dataset's name.
    pub name: String,
    /// The seed of all draws.
    pub seed: u64,
    /// The engine version.
    pub engine: u32,
    /// How rows are written.
    pub output: Output,
    /// What the job may spend on models; `None` takes the configured default.
    pub budget: Option<NanoUsd>,
    /// The whole document with `seed` and `engine` filled in: what the digest covers.
    pub document: Node,
}

impl Spec {
    /// Reads the envelope of `document`. The keys of the body are left to the kind, except that a document without
    /// `shardmill` is a bare relational schema (`version: "1.0"`) and of kind `tables`.
    pub fn read(document: &Node, known: &Known<'_>, report: &Report) -> Option<Self> {
        let root = Place::root(document, report);
        let fields = root.fields()?;
        let bare = document.get("shardmill").is_none() && document.get("nodes").is_some();
        if !bare {
            let version = fields.need("shardmill").and_then(|place| place.int());
            if version.is_some_and(|version| version != SPEC_VERSION) {
                fields.get("shardmill")?.problem::<()>(
                    format!("spec version {} is not known", version.unwrap_or_default()),
                    format!("{SPEC_VERSION}"),
                );
            }
        }
        let kind = match fields.get("kind") {
            Some(place) => known.kinds.get(place.one_of("kind", known.kinds)?)?.to_string(),
            None => "tables".to_owned(),
        };
        let name = name(&fields, bare);
        let seed = fields.get("seed").map_or(Some(DEFAULT_SEED), |place| place.count());
        let engine = engine(&fields, known);
        let output = output(&fields, known);
        let budget = fields.get("budget").map_or(Some(None), |place| budget(&place).map(Some));
        let (name, seed, engine) = (name?, seed?, engine?);
        let mut document = document.clone();
        document.insert("seed", Node::synthetic(Value::Int(i128::from(seed))));
        document.insert("engine", Node::synthetic(Value::Int(i128::from(engine))));
        Some(Self { kind, name, seed, engine, output: output?, budget: budget?, document })
    }

    /// The canonical bytes of the spec: compact JSON without remarks, in the order written. Equal specs have equal bytes.
    pub fn canonical(&self) -> Vec<u8> {
        let mut json = self.document.to_json();
        drop_remarks(&mut json);
        serde_json::to_vec(&json).expect("a tree of JSON values is always printable")
    }

    /// The BLAKE3 digest of [`Self::canonical`], in hexadecimal.
    pub fn digest(&self) -> String {
        blake3::hash(&self.canonical()).to_hex().to_string()
    }
}

/// The keys of the envelope, so that a kind can tell its own keys from them.
pub const ENVELOPE_KEYS: [&str; 7] = ["shardmill", "kind", "name", "seed", "engine", "output", "budget"];

fn name(fields: &Fields<'_>, bare: bool) -> Option<String> {
    let place = if bare {
        match fields.get("name") {
            Some(place) => place,
            None => fields.need("metadata")?.fields()?.need("name")?,
        }
    } else {
        fields.need("name")?
    };
    let text = place.text()?;
    let safe: String = text.trim().chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    let name = if bare { safe } else { text.to_owned() };
    if is_name(&name) {
        return Some(name);
    }
    place.problem(
        format!("`{text}` cannot name a dataset"),
        format!("1 to {NAME_BYTES_MAX} letters, digits, `_`, `-` or `.`, not beginning with `.` or `_`"),
    )
}

/// Whether `name` may name a dataset or a table: it becomes a folder, so it is short, plain and not hidden.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with(['.', '_', '-'])
        && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

fn engine(fields: &Fields<'_>, known: &Known<'_>) -> Option<u32> {
    let newest = *known.engines.last().expect("a build has at least one engine");
    let Some(place) = fields.get("engine") else { return Some(newest) };
    let asked = place.count()?;
    match known.engines.iter().find(|engine| u64::from(**engine) == asked) {
        Some(engine) => Some(*engine),
        None => place.problem(format!("engine {asked} is not in this build"), format!("one of {:?}", known.engines)),
    }
}

fn output(fields: &Fields<'_>, known: &Known<'_>) -> Option<Output> {
    let default = Output {
        format: "parquet".to_owned(),
        compression: None,
        shard_rows: DEFAULT_SHARD_ROWS,
        delimiter: b',',
        header: true,
    };
    let Some(place) = fields.get("output") else { return Some(default) };
    let output = place.fields()?;
    let word = |name: &'static str, what: &str, words: &[&str]| match output.get(name) {
        Some(place) => place.one_of(what, words).map(|at| Some(words[at].to_owned())),
        None => Some(None),
    };
    let format = word("format", "format", known.formats);
    let compression = match output.get("compression") {
        // A level may follow the name: `zstd:3`.
        Some(place) => place.text().and_then(|text| {
            let name = text.split(':').next().unwrap_or(text);
            match known.compressions.contains(&name) {
                true => Some(Some(text.to_owned())),
                false => place.unknown("compression", text, known.compressions.iter().copied()),
            }
        }),
        None => Some(None),
    };
    let shard_rows = match output.get("shard_rows") {
        Some(place) => match place.count() {
            Some(0) => place.problem("a shard of 0 rows holds nothing", "at least 1"),
            rows => rows,
        },
        None => Some(DEFAULT_SHARD_ROWS),
    };
    let delimiter = match output.get("delimiter") {
        Some(place) => match place.text()?.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
            _ => place.problem("the delimiter is not usable", "one ASCII character that is no quote and no line end"),
        },
        None => Some(b','),
    };
    let header = output.get("header").map_or(Some(true), |place| place.bool());
    output.finish();
    Some(Output {
        format: format?.unwrap_or(default.format),
        compression: compression?,
        shard_rows: shard_rows?,
        delimiter: delimiter?,
        header: header?,
    })
}

/// `{usd: 1.50}`.
fn budget(place: &Place<'_>) -> Option<NanoUsd> {
    let fields = place.fields()?;
    let usd = fields.need("usd");
    fields.finish();
    let usd = usd?;
    let text = match &usd.node.value {
        Value::Text(text) => text.clone(),
        Value::Int(int) => int.to_string(),
        // The shortest text that reads back as the number: what was written.
        Value::Float(float) => float.to_string(),
        _ => String::new(),
    };
    match text.parse() {
        Ok(budget) => Some(budget),
        Err(_) => usd.problem(format!("`{text}` is no amount of dollars"), "dollars, like 5 or 0.25"),
    }
}

fn drop_remarks(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(map) => {
            for remark in super::place::REMARKS {
                // A column or table may bear such a name; then it holds a map, and a remark is always text.
                if map.get(remark).is_some_and(serde_json::Value::is_string) {
                    map.shift_remove(remark);
                }
            }
            map.values_mut().for_each(drop_remarks);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_remarks),
        _ => {}
    }
}
