//! A tree as YAML that people read: a column a line where it fits, and a comment at every table. Pure.

use shardmill_shared::spec::Report;
use shardmill_shared::spec::document::{Node, Value, parse};

use super::check::Rows;
use super::heading::said;
use crate::limits::LINE_CHARS;

/// The tree as YAML; above each table stands how many rows it will have.
pub fn emit(tree: &Node, tables: &[Rows]) -> String {
    let mut text = String::new();
    for (key, node) in entries(tree) {
        match key {
            "tables" => {
                text.push_str("\ntables:\n");
                let bodies: Vec<String> = entries(node).map(|(name, table)| of_table(name, table, tables)).collect();
                text.push_str(&bodies.join("\n"));
            }
            "constraints" | "targets" => {
                text.push('\n');
                put(&mut text, key, node, 0);
            }
            _ => put(&mut text, key, node, 0),
        }
    }
    text
}

fn of_table(name: &str, table: &Node, tables: &[Rows]) -> String {
    let size = tables.iter().find(|rows| rows.table == name).map(|rows| said(rows.size));
    let comment = size.map(|size| format!("  # {name}: {size}.\n")).unwrap_or_default();
    let mut text = format!("{comment}  {}:\n", scalar_text(name));
    for (key, node) in entries(table) {
        if key == "columns" && matches!(node.value, Value::Map(_)) {
            text.push_str("    columns:\n");
            entries(node).for_each(|(column, node)| put(&mut text, column, node, 6));
        } else {
            put(&mut text, key, node, 4);
        }
    }
    text
}

fn entries(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let entries: &[(String, Node)] = if let Value::Map(entries) = &node.value { entries } else { &[] };
    entries.iter().map(|(key, node)| (key.as_str(), node))
}

/// A key and its value: in one line where it fits, else a block.
fn put(text: &mut String, key: &str, node: &Node, indent: usize) {
    let line = format!("{:indent$}{}: {}", "", scalar_text(key), flow(node));
    let is_empty = match &node.value {
        Value::Map(entries) => entries.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => true,
    };
    if line.chars().count() <= LINE_CHARS || is_empty {
        text.push_str(line.trim_end());
        text.push('\n');
        return;
    }
    text.push_str(&format!("{:indent$}{}:\n", "", scalar_text(key)));
    match &node.value {
        Value::Map(entries) => entries.iter().for_each(|(key, node)| put(text, key, node, indent + 2)),
        Value::List(items) => {
            for item in items {
                text.push_str(&format!("{:indent$}  - {}\n", "", flow(item)));
            }
        }
        _ => {}
    }
}

fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) if number.is_nan() => ".nan".to_owned(),
        Value::Float(number) if number.is_infinite() => if *number > 0.0 { ".inf" } else { "-.inf" }.to_owned(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => scalar_text(text),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries = entries.iter().map(|(key, node)| format!("{}: {}", scalar_text(key), flow(node)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A text as it must be written to be read as this text again.
fn scalar_text(text: &str) -> String {
    let is_simple = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '/' | ' ' | '+' | '*');
    let starts = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && !text.ends_with(' ');
    if starts && text.chars().all(is_simple) && reads_as(text, text) {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) {
        return escaped(text);
    }
    let quoted = format!("'{}'", text.replace('\'', "''"));
    if reads_as(&quoted, text) { quoted } else { escaped(text) }
}

/// In double quotes, as JSON has it.
fn escaped(text: &str) -> String {
    let one = |c: char| match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        c if c.is_control() || !matches!(c, ' '..='~') => format!("\\U{:08x}", u32::from(c)),
        c => c.to_string(),
    };
    format!("\"{}\"", text.chars().map(one).collect::<String>())
}

fn reads_as(written: &str, text: &str) -> bool {
    let report = Report::strict();
    parse(written, &report).is_some_and(|node| node.value == Value::Text(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn unlined(node: &Node) -> Node {
        let value = match &node.value {
            Value::List(items) => Value::List(items.iter().map(unlined).collect()),
            Value::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (k.clone(), unlined(v))).collect()),
            value => value.clone(),
        };
        Node::synthetic(value)
    }

    fn trees() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(|number| Value::Int(number.into())),
            any::<f64>().prop_filter("equal to itself", |number| number.is_finite()).prop_map(Value::Float),
            "[ -~äß\\n\\t]{0,12}".prop_map(Value::Text),
        ];
        let tree = leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone().prop_map(Node::synthetic), 0..6).prop_map(Value::List),
                prop::collection::btree_map("[ -~]{1,8}", inner.prop_map(Node::synthetic), 0..6)
                    .prop_map(|map| Value::Map(map.into_iter().collect())),
            ]
        });
        let tables = prop::collection::btree_map("[a-z]{1,6}", tree.prop_map(Node::synthetic), 1..4);
        tables.prop_map(|tables| Node::synthetic(Value::Map(tables.into_iter().collect())))
    }

    proptest! {
        #[test]
        fn what_is_written_reads_as_the_same(tree in trees()) {
            let text = emit(&tree, &[]);
            let report = Report::strict();
            let read = parse(&text, &report).map(|node| unlined(&node));
            prop_assert_eq!(read, Some(unlined(&tree)), "{}", text);
        }
    }

    #[test]
    fn a_column_is_a_line_and_a_table_has_its_rows_above_it() {
        let json = r#"{"shardmill": 1, "name": "a", "tables": {"t": {"rows": 5, "columns": {"id": {"sequence": 1}, "no": "string", "x": {"type": "decimal(5,2)", "constant": 1.5}}}}}"#;
        let tree = parse(json, &Report::strict()).expect("reads");
        let rows = Rows { table: "t".to_owned(), size: shardmill_engine::Size::Exact(5) };
        let wanted = "shardmill: 1\nname: a\n\ntables:\n  # t: 5 rows.\n  t:\n    rows: 5\n    columns:\n      id: {sequence: 1}\n      no: string\n      x: {type: 'decimal(5,2)', constant: 1.5}\n";
        assert_eq!(emit(&tree, &[rows]), wanted);
    }
}
