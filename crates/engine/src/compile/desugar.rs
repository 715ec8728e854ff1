//! The short column form becomes the long one, so that everything after it knows one form only. Pure.
//!
//! `email: {faker: email}` is `{name: email, generator: {faker: {method: email}}}`, and a bare value stands for the one
//! parameter that a generator or modifier names for it.

use shardmill_shared::spec::{Node, Value};

use crate::generators;
use crate::modifiers;

/// The document with every bare value wrapped under its parameter.
pub fn long_form(document: &Node) -> Node {
    let mut document = document.clone();
    for group in ["tables", "nodes"] {
        if let Some(node) = entry(&mut document, group) {
            items(node).for_each(table);
        }
    }
    document
}

fn table(table: &mut Node) {
    if let Some(columns) = entry(table, "columns") {
        items(columns).for_each(column);
    }
    if let Some(list) = entry(table, "modifiers") {
        items(list).for_each(modifier);
    }
}

fn column(column: &mut Node) {
    if let Value::Text(_) = column.value {
        wrap(column, "type");
        return;
    }
    if let Some(generator) = entry(column, "generator") {
        if let Value::Text(name) = &generator.value {
            let empty = Node { value: Value::Map(Vec::new()), line: generator.line };
            generator.value = Value::Map(vec![(name.clone(), empty)]);
        }
        bare_generators(generator);
    }
    bare_generators(column);
    if let Some(list) = entry(column, "modifiers") {
        items(list).for_each(modifier);
    }
}

fn bare_generators(node: &mut Node) {
    let Value::Map(entries) = &mut node.value else { return };
    for (key, value) in entries {
        if let Some(bare) = generators::find(key).and_then(|info| info.bare)
            && !matches!(value.value, Value::Map(_) | Value::Null)
        {
            wrap(value, bare);
        }
    }
}

/// `{multiply: 1.2}` becomes `{transform: multiply, args: {factor: 1.2}}`.
fn modifier(node: &mut Node) {
    let line = node.line;
    let Value::Map(entries) = &mut node.value else { return };
    if entries.len() != 1 {
        return;
    }
    let Some(info) = modifiers::find(&entries[0].0) else { return };
    let mut args = entries[0].1.clone();
    if let Some(bare) = info.bare
        && !matches!(args.value, Value::Map(_) | Value::Null)
    {
        wrap(&mut args, bare);
    }
    let name = Node { value: Value::Text(info.name.to_owned()), line };
    *entries = vec![("transform".to_owned(), name), ("args".to_owned(), args)];
}

fn wrap(node: &mut Node, key: &str) {
    let inner = Node { value: std::mem::replace(&mut node.value, Value::Null), line: node.line };
    node.value = Value::Map(vec![(key.to_owned(), inner)]);
}

fn entry<'n>(node: &'n mut Node, name: &str) -> Option<&'n mut Node> {
    match &mut node.value {
        Value::Map(entries) => entries.iter_mut().find(|(key, _)| key == name).map(|(_, node)| node),
        _ => None,
    }
}

fn items(node: &mut Node) -> Box<dyn Iterator<Item = &mut Node> + '_> {
    match &mut node.value {
        Value::List(items) => Box::new(items.iter_mut()),
        Value::Map(entries) => Box::new(entries.iter_mut().map(|(_, node)| node)),
        _ => Box::new(std::iter::empty()),
    }
}
