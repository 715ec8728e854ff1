//! Whether a spec can be run: all findings of the language, and the first rows of every table made. Pure.

use std::rc::Rc;

use shardmill_engine::{Scratch, Size, Tables};
use shardmill_shared::spec::document::{Node, Value, parse};
use shardmill_shared::spec::{Problem, Report, Severity};

use crate::limits::{TRIED_CHILDREN, TRIED_CHILDREN_MAX, TRIED_COUNTED_ROWS_MAX, TRIED_ROWS};

/// Reads and compiles a tree as whoever runs it will; findings go to the report.
pub type Compile<'a> = &'a (dyn Fn(&Node, &Report) -> Option<Tables> + Sync);

/// A table and its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The table.
    pub table: String,
    /// How many rows it will have.
    pub size: Size,
}

/// What checking a text found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The document, when it could be read.
    pub tree: Option<Node>,
    /// Everything that was found, by line.
    pub problems: Vec<Problem>,
    /// Its tables, when nothing is wrong.
    pub tables: Vec<Rows>,
}

impl Checked {
    /// Whether it can be run.
    pub fn is_right(&self) -> bool {
        !self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// What refuses it.
    pub fn errors(&self) -> Vec<Problem> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).cloned().collect()
    }
}

/// Reads, compiles and tries a text.
pub fn check(text: &str, compile: Compile<'_>) -> Checked {
    let report = Report::strict();
    let tree = parse(text, &report);
    let compiled = tree.as_ref().and_then(|tree| compile(tree, &report));
    let mut tables = Vec::new();
    if let (Some(tree), Some(compiled)) = (&tree, compiled.filter(|_| !report.has_errors())) {
        tables = rows(&compiled);
        attempt(tree, compiled, compile, &report);
    }
    Checked { tree, problems: report.into_problems(), tables }
}

fn rows(tables: &Tables) -> Vec<Rows> {
    let row =
        |(at, table): (usize, &shardmill_engine::Table)| Rows { table: table.name.clone(), size: tables.size(at) };
    tables.list.iter().enumerate().map(row).collect()
}

/// Makes the first rows of every table. Where that would take its time, of the same spec with fewer rows.
fn attempt(tree: &Node, compiled: Tables, compile: Compile<'_>, report: &Report) {
    let is_counted = (0..compiled.list.len()).any(|table| compiled.is_counted(table));
    let mut small = tree.clone();
    let tables = if lessened(&mut small, is_counted) {
        // Fewer rows may be too few for a value list; then the spec is what its compilation says.
        compile(&small, &Report::lenient())
    } else {
        Some(compiled)
    };
    let Some(tables) = tables else { return };
    if let Err(error) = tables.count_all() {
        return add(report, tree, "", error.to_string());
    }
    let scratch = Rc::new(Scratch::default());
    for (at, table) in tables.list.iter().enumerate() {
        if table.is_filled() {
            let message = "a column that a model fills cannot be tried here".to_owned();
            add(report, tree, &table.name, message);
            continue;
        }
        let made = tables.rows(at).and_then(|rows| tables.batch(at, 0..rows.min(TRIED_ROWS), &scratch));
        if let Err(error) = made {
            add(report, tree, &table.name, format!("its first rows cannot be made: {error}"));
        }
    }
}

fn add(report: &Report, tree: &Node, table: &str, message: String) {
    let line = tree.get("tables").and_then(|tables| tables.get(table)).map_or(0, |node| node.line);
    let path = if table.is_empty() { String::new() } else { format!("tables.{table}") };
    let expected = Some("simpler generators and modifiers, with bounds".to_owned());
    report.add(Problem { severity: Severity::Error, line, path, message, expected, nearest: None });
}

/// Lessens rows that would be counted and fan-outs that would be summed up; whether anything was changed.
fn lessened(tree: &mut Node, is_counted: bool) -> bool {
    let Value::Map(entries) = &mut tree.value else { return false };
    let body = entries.iter_mut().find(|(key, _)| key == "tables" || key == "nodes").map(|(_, node)| &mut node.value);
    let tables: Vec<&mut Node> = match body {
        Some(Value::Map(tables)) => tables.iter_mut().map(|(_, table)| table).collect(),
        Some(Value::List(tables)) => tables.iter_mut().collect(),
        _ => return false,
    };
    let mut is_changed = false;
    for table in tables {
        if let Some(Value::Int(rows)) = table.get("rows").map(|node| &node.value)
            && is_counted
            && *rows > TRIED_COUNTED_ROWS_MAX
        {
            table.insert("rows", Node::synthetic(Value::Int(TRIED_COUNTED_ROWS_MAX)));
            is_changed = true;
        }
        if table.get("fanout").is_some_and(is_wide) {
            table.insert("fanout", Node::synthetic(Value::Int(TRIED_CHILDREN)));
            is_changed = true;
        }
    }
    is_changed
}

fn is_wide(fanout: &Node) -> bool {
    let is_large = |node: &Node| match node.value {
        Value::Int(number) => number as f64 > TRIED_CHILDREN_MAX,
        Value::Float(number) => number > TRIED_CHILDREN_MAX,
        _ => false,
    };
    is_large(fanout)
        || ["lambda", "mean", "value", "count", "max"].iter().any(|key| fanout.get(key).is_some_and(is_large))
}
