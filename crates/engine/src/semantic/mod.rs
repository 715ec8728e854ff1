//! Believable words: names, addresses, companies, numbers with check digits, in real locales. Pure.
//!
//! A semantic type is a function of keys and row like every other column. Types that a person would expect to agree
//! read one slot of their row: name and e-mail the same person, city and post code the same place.

pub mod arguments;
mod ascii;
mod batch;
mod cell;
mod checks;
mod codes;
mod company;
mod infer;
mod internet;
pub mod locale;
mod mask;
pub mod method;
mod numbers;
mod person;
mod place;
mod tables;
mod text;
mod vocabulary;
mod words;

#[cfg(test)]
mod tests;

pub use arguments::{Argument, ArgumentError};
pub use locale::Locale;
pub use method::{METHODS, Method, MethodInfo, Output, Shares};

use crate::random::key::Key;
use arguments::Settings;
use cell::Cell;
use codes::Codes;
use tables::Tables;
use vocabulary::Vocabulary;

/// The keys of one table that its semantic columns draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slots {
    /// The person of a row, and that person's card: the same key for all columns of a table.
    pub person: Key,
    /// The place of a row: the same key for all columns of a table.
    pub place: Key,
    /// The company of a row: the same key for all columns of a table.
    pub company: Key,
    /// The column's own key.
    pub own: Key,
}

/// A semantic type with its arguments and locale, ready to write values.
#[derive(Clone, Debug)]
pub struct Semantic {
    method: Method,
    locale: Locale,
    tables: &'static Tables,
    settings: Settings,
    vocabulary: Vocabulary,
    codes: Option<Codes>,
}

impl Semantic {
    /// Prepares `method`; the arguments are checked against [`MethodInfo::parameters`].
    pub fn new(method: Method, locale: Locale, arguments: &[(String, Argument)]) -> Result<Self, ArgumentError> {
        let settings = Settings::new(method, arguments)?;
        let tables = locale.tables();
        let vocabulary = Vocabulary::new(method, locale);
        let codes = Codes::new(method, tables, &settings);
        Ok(Self { method, locale, tables, settings, vocabulary, codes })
    }

    /// The type.
    pub fn method(&self) -> Method {
        self.method
    }

    /// The locale.
    pub fn locale(&self) -> Locale {
        self.locale
    }

    /// Appends the value of `row` to `out`, numbers as decimals.
    #[inline]
    pub fn write(&self, slots: &Slots, row: u64, out: &mut String) {
        self.write_cell(&Cell { semantic: self, slots, row, slot: None }, out);
    }

    /// Appends the value of `row` where the row owns `slot`: see [`Semantic::slots`].
    #[inline]
    pub fn write_at_slot(&self, slots: &Slots, row: u64, slot: u64, out: &mut String) {
        self.write_cell(&Cell { semantic: self, slots, row, slot: Some(slot) }, out);
    }

    /// How many different values a `unique` column can have; `None` where the type cannot promise any number.
    ///
    /// The caller maps each row to its own slot below this number (a keyed permutation) and calls
    /// [`Semantic::write_at_slot`] or [`Semantic::fill_at_slots`]: different slots give different texts. Where one
    /// column of a group ([`Method::shares`], but not `Own`) is unique, all columns of that group in the table take
    /// the same slot, and so still agree: the person of slot s has the name and the e-mail of slot s.
    pub fn slots(&self) -> Option<u64> {
        let people = self.tables.people();
        match self.method {
            Method::Name => Some(people),
            Method::Email | Method::FreeEmail | Method::CompanyEmail | Method::UserName => {
                Some(people.saturating_mul(person::NUMBERS))
            }
            Method::PhoneNumber => Some(place::phones(self.tables)),
            Method::Uuid4 => Some(1 << 63),
            Method::Ipv4 => Some(internet::PUBLIC_ADDRESSES),
            _ => self.codes.as_ref().map(Codes::size),
        }
    }

    fn write_cell(&self, cell: &Cell<'_>, out: &mut String) {
        match self.method.output() {
            Output::Words => out.push_str(self.vocabulary.word(vocabulary::index(cell))),
            Output::Int | Output::Float => numbers::number(cell).write(out),
            Output::Bool => out.push_str(if numbers::flag(cell) { "true" } else { "false" }),
            Output::Text => self.write_text(cell, out),
        }
    }

    fn write_text(&self, cell: &Cell<'_>, out: &mut String) {
        if let Some(codes) = &self.codes {
            return codes.write(cell, out);
        }
        match self.method.shares() {
            Shares::Person | Shares::Card => person::write(self.method, cell, out),
            Shares::Place => place::write(self.method, cell, out),
            Shares::Company => company::write(self.method, cell, out),
            Shares::Own => internet::write(self.method, cell, out),
        }
    }
}
