//! What of a description a template does not have. Pure.

use std::collections::BTreeSet;

use shardmill_shared::spec::document::{Node, Value};

use super::catalog::{TEMPLATES, Template};
use super::choose::{Found, found, table_at};
use crate::description::Description;
use crate::description::word::{Word, stem};
use crate::limits::UNKNOWN_MAX;

/// Words of a thing that is named.
const PHRASE_WORDS: usize = 4;
/// Words that mean nothing on their own here.
const SMALL: &[&str] = &[
    "a",
    "an",
    "the",
    "and",
    "or",
    "with",
    "of",
    "for",
    "in",
    "on",
    "to",
    "from",
    "by",
    "at",
    "as",
    "is",
    "are",
    "be",
    "that",
    "which",
    "where",
    "who",
    "their",
    "its",
    "it",
    "they",
    "them",
    "each",
    "per",
    "every",
    "some",
    "any",
    "all",
    "about",
    "around",
    "roughly",
    "approximately",
    "some",
    "many",
    "several",
    "including",
    "containing",
    "having",
    "has",
    "have",
    "dataset",
    "data",
    "database",
    "table",
    "schema",
    "spec",
    "model",
    "me",
    "i",
    "we",
    "want",
    "need",
    "make",
    "create",
    "generate",
    "build",
    "give",
    "please",
    "like",
    "such",
    "app",
    "application",
    "platform",
    "system",
    "company",
    "business",
    "service",
    "site",
    "small",
    "large",
    "big",
    "realistic",
    "test",
    "sample",
    "synthetic",
    "demo",
    "row",
    "record",
    "entry",
    "over",
    "during",
    "between",
    "since",
    "until",
    "last",
    "past",
    "year",
    "month",
    "week",
    "day",
    "hour",
    "average",
    "mean",
    "total",
    "most",
    "least",
    "up",
    "made",
    "one",
    "can",
    "also",
    "other",
    "our",
    "my",
    "this",
    "few",
    "more",
    "than",
    "using",
    "use",
    "into",
    "plus",
    "both",
    "active",
    "online",
    "own",
    "buy",
    "made",
    "place",
];

/// The words that mean something to the template: its domain, its tables and columns, the time.
pub(super) fn known_words(template: &Template, description: &Description, tree: &Node) -> Vec<bool> {
    let words = &description.words;
    let mut known = vec![false; words.len()];
    for Found { at, count, .. } in found(words, template) {
        known[at..at + count].fill(true);
    }
    if let Some((_, range)) = &description.period {
        known[range.clone()].fill(true);
    }
    let columns = columns(tree);
    for (at, word) in words.iter().enumerate() {
        known[at] |= SMALL.contains(&word.text.as_str()) || SMALL.contains(&word.stem.as_str());
        known[at] |= columns.contains(&word.stem) || word.text.chars().count() < 2;
    }
    known
}

/// The parts of the names of all columns.
fn columns(tree: &Node) -> BTreeSet<String> {
    let map = |node: Option<&Node>| match node.map(|node| &node.value) {
        Some(Value::Map(entries)) => entries.clone(),
        _ => Vec::new(),
    };
    let tables = map(tree.get("tables"));
    let names = tables.iter().flat_map(|(_, table)| map(table.get("columns"))).map(|(name, _)| name);
    names.flat_map(|name| name.split('_').map(stem).collect::<Vec<_>>()).collect()
}

/// A note of what the description has and the template has not, and where it is, if another has it.
pub(super) fn unknown(template: &Template, words: &[Word], known: &[bool]) -> Vec<String> {
    let mut phrases: Vec<String> = Vec::new();
    let mut elsewhere: Vec<String> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        if known[at] {
            at += 1;
            continue;
        }
        let most = words.len().min(at + PHRASE_WORDS);
        let end = (at + 1..most).find(|next| known[*next] || words[*next].is_apart).unwrap_or(most);
        let said = words[at..end].iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let other = TEMPLATES.iter().find(|other| {
            *other != template && table_at(words, at, other).is_some_and(|found| matches!(found.table, Some((_, true))))
        });
        if let Some(other) = other.filter(|_| !phrases.contains(&said)) {
            elsewhere.push(format!("`{said}` is in the template {}", other.name));
        }
        if !phrases.contains(&said) {
            phrases.push(said);
        }
        at = end;
    }
    if phrases.is_empty() {
        return Vec::new();
    }
    let more = phrases.len().saturating_sub(UNKNOWN_MAX);
    let listed: Vec<String> = phrases.iter().take(UNKNOWN_MAX).map(|phrase| format!("`{phrase}`")).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut notes = vec![format!(
        "not included: {}{more}; add tables or columns for it (docs/spec.md), or let a model write the spec: --model PROVIDER/MODEL",
        listed.join(", ")
    )];
    notes.extend(elsewhere.into_iter().take(UNKNOWN_MAX));
    notes
}
