//! `--set path=value`: changes one value of a document before it is read. Pure.

use super::document::{Node, Value, parse};
use super::problem::Report;

/// Sets the value at a dotted path, making maps on the way where nothing stands. Lists are addressed by position.
///
/// # Errors
/// A sentence that names the path and what is wrong with it.
pub fn set(document: &mut Node, assignment: &str) -> Result<(), String> {
    let (path, text) = assignment
        .split_once('=')
        .ok_or_else(|| format!("`{assignment}` sets nothing; write `path=value`, as in `tables.users.rows=1000`"))?;
    let report = Report::strict();
    let mut value = if text.is_empty() {
        Node::synthetic(Value::Text(String::new()))
    } else {
        parse(text, &report).ok_or_else(|| format!("the value of `{path}` cannot be read: `{text}`"))?
    };
    value.line = 0;
    let mut at = document;
    let mut walked = String::new();
    let parts: Vec<&str> = path.split('.').collect();
    for part in &parts {
        at = step(at, part).map_err(|why| format!("`{path}`: {why} below `{walked}`"))?;
        if !walked.is_empty() {
            walked.push('.');
        }
        walked.push_str(part);
    }
    *at = value;
    Ok(())
}

fn step<'n>(node: &'n mut Node, part: &str) -> Result<&'n mut Node, String> {
    if part.is_empty() {
        return Err("an empty name stands in the path".to_owned());
    }
    if matches!(node.value, Value::Null) {
        node.value = Value::Map(Vec::new());
    }
    let what = node.describes();
    match &mut node.value {
        Value::List(items) => {
            let count = items.len();
            // Lists of named things (`nodes`, `columns`) may be addressed by name too.
            let named = |item: &Node| {
                ["id", "name"]
                    .iter()
                    .any(|key| item.get(key).is_some_and(|id| id.value == Value::Text(part.to_owned())))
            };
            let at = part.parse::<usize>().ok().or_else(|| items.iter().position(named));
            at.and_then(|at| items.get_mut(at)).ok_or_else(|| format!("there is no item `{part}` among {count}"))
        }
        Value::Map(entries) => {
            let at = match entries.iter().position(|(key, _)| key == part) {
                Some(at) => at,
                None => {
                    entries.push((part.to_owned(), Node::synthetic(Value::Null)));
                    entries.len() - 1
                }
            };
            Ok(&mut entries[at].1)
        }
        _ => Err(format!("{what} has no `{part}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(assignment: &str) -> Result<String, String> {
        let mut document = parse("a: {b: 1}\nlist: [{name: x, rows: 1}]\n", &Report::strict()).unwrap();
        set(&mut document, assignment).map(|()| document.to_json().to_string())
    }

    #[test]
    fn values_are_set_by_path() {
        assert_eq!(after("a.b=2").unwrap(), r#"{"a":{"b":2},"list":[{"name":"x","rows":1}]}"#);
        assert_eq!(after("a.c.d=[x, 1]").unwrap(), r#"{"a":{"b":1,"c":{"d":["x",1]}},"list":[{"name":"x","rows":1}]}"#);
        assert_eq!(after("list.x.rows=5").unwrap(), r#"{"a":{"b":1},"list":[{"name":"x","rows":5}]}"#);
    }

    #[test]
    fn what_cannot_be_set_is_named() {
        assert_eq!(after("a.b.c=1").unwrap_err(), "`a.b.c`: a whole number has no `c` below `a.b`");
        assert_eq!(after("list.9=1").unwrap_err(), "`list.9`: there is no item `9` among 1 below `list`");
        assert!(after("a").unwrap_err().contains("write `path=value`"));
    }
}
