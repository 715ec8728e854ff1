//! The row's person: names, addresses in the net, card. Pure.

use super::cell::{Cell, Person};
use super::method::Method;
use super::tables::Word;
use super::words::LISTS;
use super::{company, numbers};
use crate::random::key::below;

/// How many numbers a unique e-mail address or user name can end in.
pub(super) const NUMBERS: u64 = 1_000_000;

/// Writes a text of the row's person or card.
#[inline]
pub(super) fn write(method: Method, cell: &Cell<'_>, out: &mut String) {
    match method {
        Method::Name => name(cell, out),
        Method::Initials => initials(cell, out),
        Method::Email => email(cell, &LISTS.safe_domains, out),
        Method::FreeEmail => email(cell, &LISTS.free_domains, out),
        Method::CompanyEmail => {
            login(cell, '.', out);
            out.push('@');
            company::domain(cell, out);
        }
        Method::UserName => login(cell, '_', out),
        Method::CreditCardExpire => expiry(cell, out),
        _ => security_code(cell, out),
    }
}

/// First and family name of `person`.
#[inline]
fn words(cell: &Cell<'_>, person: Person) -> (&'static Word, &'static Word) {
    let tables = cell.tables();
    let family = &tables.families[person.family];
    match person.female {
        true => (&tables.female[person.first], &family.female),
        false => (&tables.male[person.first], &family.male),
    }
}

fn name(cell: &Cell<'_>, out: &mut String) {
    let (first, last) = words(cell, cell.person());
    let tables = cell.tables();
    let (before, after) = if tables.family_first { (last, first) } else { (first, last) };
    out.push_str(&before.text);
    out.push_str(tables.name_divider);
    out.push_str(&after.text);
}

fn initials(cell: &Cell<'_>, out: &mut String) {
    let (first, last) = words(cell, cell.person());
    for word in [first, last] {
        out.extend(word.ascii.chars().next().map(|letter| letter.to_ascii_uppercase()));
    }
}

fn email(cell: &Cell<'_>, domains: &[&str], out: &mut String) {
    login(cell, '.', out);
    out.push('@');
    out.push_str(domains[below(cell.personal(2), domains.len() as u64) as usize]);
}

/// The person's name as one word. A row that owns a slot has first and last name in full, divided by `divider`, and
/// from the second person of the name on a number; other rows have one of the common shapes.
fn login(cell: &Cell<'_>, divider: char, out: &mut String) {
    let (first, last) = words(cell, cell.person());
    if let Some(slot) = cell.slot {
        out.push_str(&first.ascii);
        out.push(divider);
        out.push_str(&last.ascii);
        if let number @ 1.. = slot / cell.tables().people() {
            numbers::digits(number, out);
        }
        return;
    }
    let bits = cell.personal(1);
    let shape = bits >> 61;
    out.push_str(if shape == 0 { &first.ascii[..1] } else { &first.ascii });
    if shape > 2 {
        out.push(divider);
    }
    out.push_str(&last.ascii);
    if bits & 1 == 0 {
        numbers::digits(1 + (bits >> 1) % 99, out);
    }
}

/// A month in the years 2027 to 2034: the clock may not touch a value.
fn expiry(cell: &Cell<'_>, out: &mut String) {
    let months = below(cell.personal(5), 96);
    numbers::padded(months % 12 + 1, 2, out);
    out.push('/');
    numbers::padded(27 + months / 12, 2, out);
}

fn security_code(cell: &Cell<'_>, out: &mut String) {
    let width = if provider(cell) == AMERICAN_EXPRESS { 4 } else { 3 };
    numbers::padded(cell.personal(6) % 10_000 / if width == 3 { 10 } else { 1 }, width, out);
}

/// The one provider whose codes have four digits.
const AMERICAN_EXPRESS: usize = 2;

/// The number of the issuer of the row's card in the list of providers: half are of the first.
pub(super) fn provider(cell: &Cell<'_>) -> usize {
    match cell.slot {
        Some(slot) => (slot % 4) as usize,
        None => [0, 0, 0, 0, 1, 1, 2, 3][(cell.personal(4) >> 61) as usize],
    }
}
