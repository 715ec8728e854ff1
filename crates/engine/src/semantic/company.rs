//! The row's company: its name, its place in the net, its words. Pure.

use super::cell::Cell;
use super::locale::Locale;
use super::method::Method;
use super::tables::Word;
use super::{numbers, text};
use crate::random::key::below;
use fake::locales::{Data, EN};

/// Writes a text of the row's company.
pub(super) fn write(method: Method, cell: &Cell<'_>, out: &mut String) {
    match method {
        Method::Company => name(cell, out),
        Method::DomainName => domain(cell, out),
        Method::DomainWord => domain_word(cell, out),
        Method::Hostname => {
            out.push_str(["www", "mail", "api", "db", "web", "app", "srv", "cdn"][(cell.own(0) >> 61) as usize]);
            out.push('-');
            numbers::padded(cell.own(1) % 100, 2, out);
            out.push('.');
            domain(cell, out);
        }
        Method::Url | Method::Uri => {
            out.push_str("https://www.");
            domain(cell, out);
            out.push('/');
            if method == Method::Uri {
                text::path(cell, out);
            }
        }
        Method::ImageUrl => {
            out.push_str("https://images.example.com/");
            numbers::digits(1 + below(cell.own(0), 9_999_999), out);
            out.push_str("/640x480.jpg");
        }
        Method::CatchPhrase => {
            buzz([EN::COMPANY_BUZZWORD_HEAD, EN::COMPANY_BUZZWORD_MIDDLE, EN::COMPANY_BUZZWORD_TAIL], cell, out)
        }
        _ => buzz([EN::COMPANY_BS_VERBS, EN::COMPANY_BS_ADJ, EN::COMPANY_BS_NOUNS], cell, out),
    }
}

/// What a company is called after.
struct Parts {
    first: &'static Word,
    second: &'static Word,
    suffix: &'static Word,
    /// Whether it bears two names.
    pair: bool,
}

fn parts(cell: &Cell<'_>) -> Parts {
    let tables = cell.tables();
    let (names, more) = (cell.corporate(0), cell.corporate(1));
    let family = |bits: u64| &tables.families[tables.family(bits as u32 >> 1)].male;
    Parts {
        first: family(names >> 32),
        second: family(names),
        suffix: &tables.suffixes[below(more << 8, tables.suffixes.len() as u64) as usize],
        pair: more >> 62 == 0,
    }
}

fn name(cell: &Cell<'_>, out: &mut String) {
    let parts = parts(cell);
    let spaced = !matches!(cell.semantic.locale(), Locale::JaJp | Locale::ZhCn | Locale::ZhTw);
    out.push_str(&parts.first.text);
    if parts.pair {
        if spaced {
            out.push('-');
        }
        out.push_str(&parts.second.text);
    }
    if spaced {
        out.push(' ');
    }
    out.push_str(&parts.suffix.text);
}

/// The company's domain: its name and the ending of the country.
pub(super) fn domain(cell: &Cell<'_>, out: &mut String) {
    domain_word(cell, out);
    out.push('.');
    out.push_str(cell.tables().tld);
}

fn domain_word(cell: &Cell<'_>, out: &mut String) {
    let parts = parts(cell);
    out.push_str(&parts.first.ascii);
    let rest = if parts.pair { &parts.second.ascii } else { &parts.suffix.ascii };
    if !rest.is_empty() {
        out.push('-');
        out.push_str(rest);
    }
}

fn buzz(lists: [&[&str]; 3], cell: &Cell<'_>, out: &mut String) {
    for (number, list) in lists.iter().enumerate() {
        if number > 0 {
            out.push(' ');
        }
        out.push_str(list[below(cell.corporate(2 + number as u64), list.len() as u64) as usize]);
    }
}
