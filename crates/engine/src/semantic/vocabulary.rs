//! The few texts of a type that gives one of a few, and which of them a row has. Pure.

use super::cell::Cell;
use super::locale::Locale;
use super::method::{Method, Output};
use super::person::provider;
use super::text;
use super::words::LISTS;
use crate::random::key::below;
use arrow::array::StringArray;
use fake::locales::{Data, EN};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The different texts of a type, and for each choice of [`index`] which of them it is.
#[derive(Clone, Debug)]
pub(super) struct Vocabulary {
    texts: Arc<StringArray>,
    keys: Arc<[i32]>,
}

impl Vocabulary {
    /// The vocabulary of `method`; empty where it is not of words.
    pub(super) fn new(method: Method, locale: Locale) -> Self {
        let raw = if method.output() == Output::Words { list(method, locale) } else { Vec::new() };
        let mut texts: Vec<&str> = Vec::new();
        let mut seen: BTreeMap<&str, i32> = BTreeMap::new();
        let mut keys = Vec::with_capacity(raw.len());
        for text in raw {
            keys.push(*seen.entry(text).or_insert_with(|| {
                texts.push(text);
                texts.len() as i32 - 1
            }));
        }
        Self { texts: Arc::new(StringArray::from(texts)), keys: keys.into() }
    }

    /// The text of choice `index`.
    #[inline]
    pub(super) fn word(&self, index: usize) -> &str {
        self.texts.value(self.keys[index] as usize)
    }

    /// The dictionary key of choice `index`.
    #[inline]
    pub(super) fn key(&self, index: usize) -> i32 {
        self.keys[index]
    }

    /// The texts, for a dictionary array.
    pub(super) fn texts(&self) -> Arc<StringArray> {
        Arc::clone(&self.texts)
    }

    /// How many choices there are.
    fn len(&self) -> usize {
        self.keys.len()
    }
}

/// The choices of a type, in the order that [`index`] means; texts may repeat.
fn list(method: Method, locale: Locale) -> Vec<&'static str> {
    let tables = locale.tables();
    let after = |home: &'static str, list: &[&'static str]| std::iter::once(home).chain(list.iter().copied()).collect();
    let countries = |part: fn((&'static str, &'static str)) -> &'static str| {
        LISTS.countries.iter().filter_map(|country| country.split_once('=')).map(part).collect()
    };
    match method {
        Method::FirstName => tables.female.iter().chain(&tables.male).map(|word| &*word.text).collect(),
        Method::LastName => {
            let men = tables.families.iter().map(|family| &*family.male.text);
            men.chain(tables.families.iter().map(|family| &*family.female.text)).collect()
        }
        Method::Prefix => [&LISTS.prefixes_female[..], &LISTS.prefixes_male].concat(),
        Method::Gender => vec!["female", "male"],
        Method::City => tables.cities.iter().map(|city| &*city.name).collect(),
        Method::State => tables.cities.iter().map(|city| city.state).collect(),
        Method::StateAbbr => tables.cities.iter().map(|city| city.state_abbr).collect(),
        Method::Timezone => tables.cities.iter().map(|city| city.timezone).collect(),
        Method::Country => vec![tables.country],
        Method::CountryCode => vec![tables.code],
        Method::LocaleName => vec![locale.name()],
        Method::Language => after(tables.language, &LISTS.languages),
        Method::Nationality => after(tables.nationality, &LISTS.nationalities),
        Method::AnyCountry => countries(|(name, _)| name),
        Method::AnyCountryCode => countries(|(_, code)| code),
        Method::CompanySuffix => tables.suffixes.iter().map(|word| &*word.text).collect(),
        Method::Industry => EN::COMPANY_INDUSTRY.to_vec(),
        Method::Word => text::words(locale).to_vec(),
        Method::CurrencyCode => after(tables.currency, &LISTS.currency_codes),
        _ => shared(method).to_vec(),
    }
}

/// The list of a type that is the same in every country.
fn shared(method: Method) -> &'static [&'static str] {
    match method {
        Method::Suffix => &LISTS.suffixes,
        Method::CreditCardProvider => &LISTS.providers,
        Method::Job => &LISTS.jobs,
        Method::Department => &LISTS.departments,
        Method::Category => &LISTS.categories,
        Method::Brand => &LISTS.brands,
        Method::Material => &LISTS.materials,
        Method::ColorName => &LISTS.colors,
        Method::Status => &LISTS.statuses,
        Method::Emoji => &LISTS.emojis,
        Method::MonthName => &LISTS.months,
        Method::DayOfWeek => &LISTS.days,
        Method::CurrencyName => &LISTS.currency_names,
        Method::CurrencySymbol => &LISTS.currency_symbols,
        Method::Tld => &LISTS.tlds,
        Method::HttpMethod => &LISTS.http_methods,
        Method::FileExtension => &LISTS.extensions,
        _ => &LISTS.mime_types,
    }
}

/// Which choice a row has.
#[inline]
pub(super) fn index(cell: &Cell<'_>) -> usize {
    let choices = cell.semantic.vocabulary.len();
    match cell.semantic.method {
        Method::FirstName => {
            let person = cell.person();
            person.first + if person.female { 0 } else { cell.tables().female.len() }
        }
        Method::LastName => {
            let person = cell.person();
            person.family + if person.female { cell.tables().families.len() } else { 0 }
        }
        Method::Gender => usize::from(!cell.person().female),
        Method::Prefix => {
            let (women, men) = (LISTS.prefixes_female.len(), LISTS.prefixes_male.len());
            let (start, count) = if cell.person().female { (0, women) } else { (women, men) };
            start + below(cell.personal(8), count as u64) as usize
        }
        Method::Suffix => below(cell.personal(9), choices as u64) as usize,
        Method::CreditCardProvider => provider(cell),
        Method::City | Method::State | Method::StateAbbr | Method::Timezone => cell.city_index(),
        Method::Country | Method::CountryCode | Method::LocaleName => 0,
        Method::Language | Method::Nationality | Method::CurrencyCode if cell.own(1) >> 62 > 0 => 0,
        _ => below(cell.own(0), choices as u64) as usize,
    }
}
