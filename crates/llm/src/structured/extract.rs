//! JSON found in what models say: bare, fenced, or with prose around it. Pure.

use std::borrow::Cow;

use serde_json::{Deserializer, Value};

/// Places at which JSON is looked for: a text of braces must not take for ever.
const STARTS_MAX: usize = 64;
/// Values that are looked at.
const FOUND_MAX: usize = 8;

/// A value, and how many bytes it took in the text.
pub(super) struct Found {
    pub(super) value: Value,
    pub(super) bytes: usize,
}

/// The values in `text`: the whole, or every object and list that begins somewhere in it, in order.
pub(super) fn candidates(text: &str) -> Vec<Found> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if let Ok(value) = serde_json::from_str(text) {
        return vec![Found { value, bytes: text.len() }];
    }
    let found = within(text);
    if !found.is_empty() || !text.contains(is_raw_control) {
        return found;
    }
    // A raw line end inside a string is no JSON, but models write it. Outside of strings a blank is as good.
    within(&text.replace(is_raw_control, " "))
}

fn is_raw_control(c: char) -> bool {
    c < ' '
}

fn within(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let mut from = 0;
    for _ in 0..STARTS_MAX {
        let Some(start) = text[from..].find(['{', '[']).map(|at| from + at) else { break };
        let mut values = Deserializer::from_str(&text[start..]).into_iter::<Value>();
        from = match values.next() {
            Some(Ok(value)) => {
                let bytes = values.byte_offset();
                found.push(Found { value, bytes });
                start + bytes
            }
            _ => start + 1,
        };
        if found.len() == FOUND_MAX {
            break;
        }
    }
    found
}

/// A text without characters that no text has on purpose: control characters but line ends and tabs.
pub fn cleaned(text: &str) -> Cow<'_, str> {
    let is_unwanted = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(is_unwanted) { text.replace(is_unwanted, "").into() } else { text.into() }
}
