//! How many rows the tables of a template have: as it is written, and as a description wants it. Pure.

use shardmill_engine::math::exp::exp;
use shardmill_shared::spec::document::{Node, Value};

use super::catalog::Template;
use super::choose::table_at;
use crate::description::word::Word;
use crate::description::{Amount, Description};

/// Rows that a table should expect: of fewer it may well get none.
const SCARCE: f64 = 10.0;

/// How a table gets its rows, as the template has it.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Fixed,
    Root { line: usize },
    Child { parent: usize, line: usize, is_whole: bool, has_one: bool },
}

/// A table of a template, with what it shall have.
#[derive(Clone, Debug)]
pub(super) struct Sized {
    pub(super) name: String,
    pub(super) shape: Shape,
    /// Rows of a root; children of each parent of a child.
    pub(super) each: f64,
    /// All its rows.
    pub(super) rows: f64,
    /// What the description wants of all its rows.
    pub(super) wanted: Option<f64>,
    pub(super) is_changed: bool,
}

/// The tables of a template, in its order: parents come before their children.
pub(super) fn shapes(tree: &Node) -> Vec<Sized> {
    let Some(Node { value: Value::Map(entries), .. }) = tree.get("tables") else { return Vec::new() };
    let mut tables: Vec<Sized> = Vec::new();
    for (name, table) in entries {
        let parent = table.get("parent").and_then(text).and_then(|parent| tables.iter().position(|t| t.name == parent));
        let (shape, each) = match (table.get("rows"), table.get("fanout"), parent) {
            (_, Some(fanout), Some(parent)) => {
                let (each, is_whole, has_one) = mean(fanout);
                (Shape::Child { parent, line: fanout.line, is_whole, has_one }, each)
            }
            (Some(rows), ..) => (Shape::Root { line: rows.line }, number(rows).unwrap_or(0.0)),
            _ => (Shape::Fixed, 0.0),
        };
        let rows = if let Shape::Child { parent, .. } = shape { tables[parent].rows * each } else { each };
        tables.push(Sized { name: name.clone(), shape, each, rows, wanted: None, is_changed: false });
    }
    tables
}

fn text(node: &Node) -> Option<&str> {
    if let Value::Text(text) = &node.value { Some(text) } else { None }
}

fn number(node: &Node) -> Option<f64> {
    match node.value {
        Value::Int(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        _ => None,
    }
}

/// The mean of a fan-out, whether it is a whole number, and whether nobody has none.
fn mean(fanout: &Node) -> (f64, bool, bool) {
    if let Some(each) = number(fanout) {
        return (each, true, false);
    }
    let of = |key: &str| fanout.get(key).and_then(number);
    let has_one = of("min").is_some_and(|min| min >= 1.0);
    match of("lambda") {
        Some(lambda) if has_one => (lambda + exp(-lambda), false, true),
        Some(lambda) => (lambda, false, false),
        None => ((of("min").unwrap_or(0.0) + of("max").unwrap_or(0.0)) / 2.0, false, false),
    }
}

/// Which table the words of a number name.
fn counted(template: &Template, words: &[Word], nouns: &std::ops::Range<usize>) -> Option<usize> {
    nouns.clone().filter_map(|at| table_at(words, at, template)).find_map(|found| found.table).map(|(table, _)| table)
}

/// Takes the numbers of a description to its tables. What is wanted of all rows together is returned.
pub(super) fn wanted(
    template: &Template,
    description: &Description,
    tables: &mut [Sized],
    (notes, known): (&mut Vec<String>, &mut [bool]),
) -> Option<f64> {
    let words = &description.words;
    let mut whole = None;
    for Amount { count, number, nouns, each } in &description.amounts {
        let said = words[number.start..nouns.end].iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        known[number.clone()].fill(true);
        let is_rows = nouns.clone().any(|at| matches!(words[at].stem.as_str(), "row" | "record" | "entry"));
        let table = counted(template, words, nouns);
        if *count < 1.0 {
            notes.push(format!("`{said}` is not understood: a table has at least one row"));
        } else if let (Some(table), Some(parent)) = (table, each) {
            let above = counted(template, words, parent);
            known[parent.clone()].fill(true);
            match above.and_then(|above| parents_in(tables, above, table)) {
                Some(parents) => {
                    tables[table].each = count / parents;
                    tables[table].is_changed = true;
                }
                None => notes.push(format!(
                    "`{said}` for each is not understood: `{}` does not belong to what it is for",
                    tables[table].name
                )),
            }
        } else if let Some(table) = table {
            match tables[table].shape {
                Shape::Fixed => notes.push(format!(
                    "`{said}` is not followed: `{}` is a fixed list; lengthen its `enum_list`",
                    tables[table].name
                )),
                _ => tables[table].wanted = Some(count.round()),
            }
        } else if is_rows {
            whole = Some(*count);
        } else {
            notes.push(format!("`{said}` is not understood: it names no table of the template"));
        }
    }
    whole
}

/// Decides rows and fan-outs: what is wanted holds, and the rest keeps the template's proportions.
pub(super) fn settle(tables: &mut [Sized], whole: Option<f64>) {
    for root in 0..tables.len() {
        if !matches!(tables[root].shape, Shape::Root { .. }) {
            continue;
        }
        let below = (0..tables.len()).find(|at| tables[*at].wanted.is_some() && root_of(tables, *at) == root);
        let rows = match (tables[root].wanted, below) {
            (Some(rows), _) => Some(rows),
            (None, Some(below)) => {
                let rows = tables[below].wanted.unwrap_or(0.0) / per_root(tables, below);
                Some(rows.round().max(1.0))
            }
            _ => None,
        };
        if let Some(rows) = rows.filter(|rows| *rows != tables[root].each) {
            tables[root].each = rows;
            tables[root].is_changed = true;
        }
    }
    if let Some(whole) = whole.filter(|_| tables.iter().all(|table| table.wanted.is_none())) {
        let times = whole / tables.iter().map(|table| table.rows).sum::<f64>();
        for table in tables.iter_mut().filter(|table| matches!(table.shape, Shape::Root { .. })) {
            table.each = (table.each * times).round().max(1.0);
            table.is_changed = true;
        }
    }
    for at in 0..tables.len() {
        let Shape::Child { parent, .. } = tables[at].shape else {
            tables[at].rows = tables[at].each;
            continue;
        };
        let parents = tables[parent].rows;
        if let Some(wanted) = tables[at].wanted {
            let each = wanted / parents;
            tables[at].is_changed |= (each - tables[at].each).abs() > tables[at].each * 1e-4;
            tables[at].each = each;
        }
        // Of few parents hardly any would have a child, and a table has at least one row.
        let is_scarce = tables[at].wanted.is_none() && tables[at].each < 1.0 && parents * tables[at].each < SCARCE;
        if let (true, Shape::Child { is_whole, .. }) = (is_scarce, &mut tables[at].shape) {
            *is_whole = true;
            tables[at].each = 1.0;
            tables[at].is_changed = true;
        }
        tables[at].rows = parents * tables[at].each;
    }
}

fn root_of(tables: &[Sized], at: usize) -> usize {
    if let Shape::Child { parent, .. } = tables[at].shape { root_of(tables, parent) } else { at }
}

/// How many direct parents of a table there are for each row of a table above it.
fn parents_in(tables: &[Sized], above: usize, table: usize) -> Option<f64> {
    let Shape::Child { parent, .. } = tables[table].shape else { return None };
    if parent == above { Some(1.0) } else { Some(tables[parent].each * parents_in(tables, above, parent)?) }
}

/// Rows of a table for each row of the root above it.
fn per_root(tables: &[Sized], at: usize) -> f64 {
    match tables[at].shape {
        Shape::Child { parent, .. } => tables[at].each * per_root(tables, parent),
        _ => 1.0,
    }
}

/// A fan-out with a mean, in the form that the template has.
pub(super) fn fanout(each: f64, is_whole: bool, has_one: bool) -> String {
    if is_whole && each.fract() == 0.0 {
        return format!("{}", each as u64);
    }
    if has_one && each > 1.05 {
        return format!("{{distribution: poisson, lambda: {}, min: 1}}", plain(mean_above_one(each)));
    }
    format!("{{distribution: poisson, lambda: {}}}", plain(each))
}

/// The mean of the Poisson numbers that have the mean `each` once every 0 is made 1: λ with λ + e^-λ = each.
fn mean_above_one(each: f64) -> f64 {
    (0..60).fold(each, |lambda, _| each - exp(-lambda))
}

/// A number with so many decimals as matter.
fn plain(number: f64) -> String {
    let text = format!("{number:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    // What would be 0 children is few, and not none.
    if text == "0" { format!("{number:e}") } else { text.to_owned() }
}
