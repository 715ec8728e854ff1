//! Which template fits a description best: words of its domain count most, and more before the list of its parts. Pure.

use super::catalog::{TEMPLATES, Template};
use crate::description::Description;
use crate::description::word::{Word, phrase};

/// What a word of the domain counts.
const DOMAIN: u32 = 5;
/// What a table counts that is called by its name.
const NAMED: u32 = 2;
/// What a table counts that is called otherwise.
const OTHERWISE: u32 = 1;
/// Words after which the parts are listed.
const LISTS: &[&str] = &["with", "including", "containing", "having", "where", "which", "that"];

/// The template that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// It.
    pub template: &'static Template,
    /// The words for which it was chosen.
    pub because: Vec<String>,
    /// Another that fits nearly as well.
    pub runner_up: Option<&'static Template>,
}

/// Where words of a template stand in a description: a table by position, or its domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) at: usize,
    pub(super) count: usize,
    /// The table, and whether it is called by its own name; nothing for the domain.
    pub(super) table: Option<(usize, bool)>,
}

/// The template that fits best; none where no word of any is in the description.
pub fn choose(description: &Description) -> Option<Choice> {
    let mut ranked: Vec<(u32, &'static Template, Vec<String>)> = TEMPLATES
        .iter()
        .map(|template| {
            let (score, because) = score(description, template);
            (score, template, because)
        })
        .filter(|(score, ..)| *score > 0)
        .collect();
    // The sort is stable: of equals the earlier one in the catalogue comes first.
    ranked.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
    let mut ranked = ranked.into_iter();
    let (best, template, because) = ranked.next()?;
    let runner_up = ranked.next().filter(|(score, ..)| score * 4 >= best * 3).map(|(_, template, _)| template);
    Some(Choice { template, because, runner_up })
}

fn score(description: &Description, template: &Template) -> (u32, Vec<String>) {
    let words = &description.words;
    let listed = words.iter().position(|word| LISTS.contains(&word.text.as_str())).unwrap_or(words.len());
    let (mut score, mut because) = (0, Vec::new());
    let mut tables: Vec<usize> = Vec::new();
    for found in found(words, template) {
        let said = words[found.at..found.at + found.count].iter().map(|word| word.text.as_str());
        let said = said.collect::<Vec<_>>().join(" ");
        let worth = match found.table {
            // Of words of the domain each counts once, and longer phrases say more.
            None if because.contains(&said) => 0,
            None => (DOMAIN + found.count as u32) * if found.at < listed { 2 } else { 1 },
            Some((table, _)) if tables.contains(&table) => 0,
            Some((table, is_named)) => {
                tables.push(table);
                if is_named { NAMED } else { OTHERWISE }
            }
        };
        score += worth;
        if worth > 0 && !because.contains(&said) {
            because.push(said);
        }
    }
    (score, because)
}

/// Every place where a template's words stand: at each the longest phrase, of the domain and of its tables.
pub(super) fn found(words: &[Word], template: &Template) -> Vec<Found> {
    let mut all = Vec::new();
    for at in 0..words.len() {
        let domain = template.domain.iter().filter_map(|word| phrase(words, at, word)).max();
        all.extend(domain.map(|count| Found { at, count, table: None }));
        all.extend(table_at(words, at, template));
    }
    all
}

/// The table that is named at a position, by the longest phrase.
pub(super) fn table_at(words: &[Word], at: usize, template: &Template) -> Option<Found> {
    let named = template.tables.iter().enumerate().filter_map(|(table, (name, _))| {
        let spaced = name.replace('_', " ");
        let count = phrase(words, at, name).or_else(|| phrase(words, at, &spaced));
        let stems = || spaced.split(' ').map(crate::description::word::stem).collect::<Vec<_>>().join(" ");
        let count = count.or_else(|| phrase(words, at, &stems()))?;
        Some(Found { at, count, table: Some((table, true)) })
    });
    let called = template.tables.iter().enumerate().flat_map(|(table, (_, others))| {
        let count = others.iter().filter_map(|other| phrase(words, at, other)).max();
        count.map(|count| Found { at, count, table: Some((table, false)) })
    });
    // Of equals the first, and a name comes before other words for it.
    named.chain(called).fold(None, |best: Option<Found>, next| match best {
        Some(best) if best.count >= next.count => Some(best),
        _ => Some(next),
    })
}
