//! One locale's lists, read from its file once and laid out for drawing. Pure.

use super::ascii::login;
use super::locale::Locale;
use super::mask::Mask;
use super::words::File;
use fake::locales::{DE_DE, Data, EN, FR_FR, IT_IT, NL_NL, PT_BR, PT_PT};
use std::collections::BTreeSet;

/// A word and how it is spelt in an e-mail address.
#[derive(Debug)]
pub(super) struct Word {
    /// As written.
    pub(super) text: Box<str>,
    /// Letters a-z only.
    pub(super) ascii: Box<str>,
}

/// A family name in both forms; most languages have one.
#[derive(Debug)]
pub(super) struct Family {
    /// As men carry it.
    pub(super) male: Word,
    /// As women carry it.
    pub(super) female: Word,
}

/// A real city.
#[derive(Debug)]
pub(super) struct City {
    /// In the country's language.
    pub(super) name: Box<str>,
    /// State, province or region.
    pub(super) state: &'static str,
    /// Its short form.
    pub(super) state_abbr: &'static str,
    /// What its post codes look like.
    pub(super) postcode: Mask,
    /// What its telephone numbers look like.
    pub(super) phone: Mask,
    /// Degrees north, in millionths.
    pub(super) latitude_e6: i64,
    /// Degrees east, in millionths.
    pub(super) longitude_e6: i64,
    /// IANA name.
    pub(super) timezone: &'static str,
}

/// All lists of one locale.
#[derive(Debug)]
pub(super) struct Tables {
    /// English name of the country.
    pub(super) country: &'static str,
    /// ISO 3166 code of the country.
    pub(super) code: &'static str,
    /// English adjective of the country.
    pub(super) nationality: &'static str,
    /// English name of the language.
    pub(super) language: &'static str,
    /// ISO 4217 code of the currency.
    pub(super) currency: &'static str,
    /// IANA name of the main time zone.
    pub(super) timezone: &'static str,
    /// Top-level domain of companies.
    pub(super) tld: &'static str,
    /// Whether the family name comes first.
    pub(super) family_first: bool,
    /// What stands between the names.
    pub(super) name_divider: &'static str,
    /// Order of number, street, city, region, abbreviation and post code in an address.
    pub(super) address: &'static str,
    /// The part of it that has street and number.
    pub(super) street_address: &'static str,
    /// Highest house number.
    pub(super) houses: u64,
    /// First names of women, most common first.
    pub(super) female: Vec<Word>,
    /// First names of men, most common first.
    pub(super) male: Vec<Word>,
    /// Family names, most common first.
    pub(super) families: Vec<Family>,
    /// How many of them, at the front, are common.
    pub(super) common_families: usize,
    /// Indexes of first names (women's, then men's as `female.len() + i`) that no other is spelt like.
    pub(super) distinct_firsts: Vec<u32>,
    /// Indexes of family names that no other is spelt like.
    pub(super) distinct_families: Vec<u32>,
    /// Street names.
    pub(super) streets: Vec<Box<str>>,
    /// Cities, largest first.
    pub(super) cities: Vec<City>,
    /// Indexes of cities whose telephone numbers no earlier city can have.
    pub(super) distinct_phones: Vec<u32>,
    /// National tax or social number, in ranges that are not given out where such are known.
    pub(super) tax: Mask,
    /// Country of bank accounts, and the account part of an IBAN.
    pub(super) iban: (&'static str, Mask),
    /// Licence plates.
    pub(super) plates: Vec<Mask>,
    /// What follows a company's name.
    pub(super) suffixes: Vec<Word>,
}

impl Tables {
    /// Reads the lists of `locale`.
    pub(super) fn new(locale: Locale) -> Self {
        let file = File::new(locale.file());
        let words = |key| given(locale, &with_base(&file, "names_from", key));
        let (female, male, families) = (words("female"), words("male"), families(locale, &file));
        let cities: Vec<City> = file.cities().map(|row| city(&file, &row)).collect();
        let (iban_country, account) = file.line("iban").split_once(' ').expect("a test reads every file");
        Self {
            country: file.line("country"),
            code: file.line("code"),
            nationality: file.line("nationality"),
            language: file.line("language"),
            currency: file.line("currency"),
            timezone: file.line("timezone"),
            tld: file.line("tld"),
            family_first: file.line("name").starts_with("%l"),
            name_divider: if file.line("name").contains(' ') { " " } else { "" },
            address: file.line("address"),
            street_address: street_address(file.line("address")),
            houses: file.find("houses").map_or(199, |n| n.parse().expect("a test reads every file")),
            distinct_firsts: distinct(female.iter().chain(&male).map(|word| vec![&*word.ascii])),
            distinct_families: distinct(families.iter().map(|f| vec![&*f.male.ascii, &*f.female.ascii])),
            distinct_phones: distinct_phones(&cities),
            common_families: with_base(&file, "names_from", "last").len(),
            female,
            male,
            families,
            streets: streets(&file),
            cities,
            tax: Mask::new(file.line("tax")),
            iban: (iban_country, Mask::new(account)),
            plates: file.list("plate").into_iter().map(Mask::new).collect(),
            suffixes: given(locale, &file.list("suffixes")),
        }
    }
}

/// The items of `key`, after those of the locale that the file names under `base`.
fn with_base(file: &File, base: &str, key: &str) -> Vec<&'static str> {
    let mut items = match file.find(base) {
        Some(name) => {
            let locale = Locale::from_name(name).expect("a test reads every file");
            File::new(locale.file()).list(key)
        }
        None => Vec::new(),
    };
    for item in file.list(key) {
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

fn given(locale: Locale, items: &[&'static str]) -> Vec<Word> {
    items.iter().map(|item| word(locale, item)).collect()
}

/// `text=spelling`, or a text that spells itself.
fn word(locale: Locale, item: &str) -> Word {
    let german = matches!(locale, Locale::DeDe | Locale::DeAt);
    let (text, ascii) = match item.split_once('=') {
        Some((text, ascii)) => (text, ascii.to_owned()),
        None => (item, login(item, german)),
    };
    Word { text: text.into(), ascii: ascii.into() }
}

/// Family names: the file's, which are in order of frequency, then the rarer ones of `fake`.
fn families(locale: Locale, file: &File) -> Vec<Family> {
    let mut items = with_base(file, "names_from", "last");
    let seen: BTreeSet<&str> = items.iter().copied().collect();
    let plain = |name: &&&'static str| {
        !seen.contains(**name) && name.chars().all(|c| c.is_alphabetic() || matches!(c, ' ' | '\'' | '-'))
    };
    let mut rare: Vec<&'static str> = rare_families(locale).iter().filter(plain).copied().collect();
    rare.sort_unstable();
    rare.dedup();
    items.extend(rare);
    items
        .into_iter()
        .map(|item| Family { male: word(locale, item), female: word(locale, &female_form(locale, item)) })
        .collect()
}

/// The family names of `fake`, where it has the locale in the script and spelling of this country.
pub(super) fn rare_families(locale: Locale) -> &'static [&'static str] {
    match locale {
        Locale::EnUs | Locale::EnGb | Locale::EnCa | Locale::EnAu => EN::NAME_LAST_NAME,
        Locale::DeDe | Locale::DeAt => DE_DE::NAME_LAST_NAME,
        Locale::FrFr => FR_FR::NAME_LAST_NAME,
        Locale::ItIt => IT_IT::NAME_LAST_NAME,
        Locale::NlNl => NL_NL::NAME_LAST_NAME,
        Locale::PtBr => PT_BR::NAME_LAST_NAME,
        Locale::PtPt => PT_PT::NAME_LAST_NAME,
        _ => &[],
    }
}

/// A family name as women of the country carry it.
fn female_form(locale: Locale, name: &str) -> String {
    let endings: &[(&str, &str)] = match locale {
        Locale::RuRu => &[("ский", "ская"), ("ов", "ова"), ("ев", "ева"), ("ёв", "ёва"), ("ин", "ина")],
        Locale::PlPl => &[("ski", "ska"), ("cki", "cka"), ("dzki", "dzka")],
        Locale::CsCz => &[
            ("ček", "čková"),
            ("ěk", "ková"),
            ("ek", "ková"),
            ("ec", "cová"),
            ("ý", "á"),
            ("í", "í"),
            ("a", "ová"),
            ("", "ová"),
        ],
        _ => &[],
    };
    let found = endings.iter().find_map(|(from, to)| Some(format!("{}{to}", name.strip_suffix(from)?)));
    found.unwrap_or_else(|| name.to_owned())
}

/// The part of an address template from street to number, in its order.
fn street_address(template: &'static str) -> &'static str {
    let [number, street] = ["%n", "%s"].map(|part| template.find(part).expect("a test reads every file"));
    &template[number.min(street)..number.max(street) + 2]
}

fn streets(file: &File) -> Vec<Box<str>> {
    let suffixes = with_base(file, "streets_from", "street_suffixes");
    let names = with_base(file, "streets_from", "street_names");
    let pairs = names.iter().flat_map(|name| suffixes.iter().map(move |suffix| format!("{name} {suffix}").into()));
    pairs.chain(with_base(file, "streets_from", "streets").into_iter().map(Into::into)).collect()
}

fn city(file: &File, row: &[&'static str]) -> City {
    let degrees = |at: usize| {
        let (whole, part) = row[at].split_once('.').expect("a test reads every file");
        let hundredths: i64 = format!("{whole}{part:0<2}").parse().expect("a test reads every file");
        hundredths * 10_000
    };
    let phone = file.line("phone").replacen('A', row[4], 1);
    City {
        name: row[0].into(),
        state: row[1],
        state_abbr: row[2],
        postcode: Mask::new(row[3]),
        phone: Mask::new(&phone),
        latitude_e6: degrees(5),
        longitude_e6: degrees(6),
        timezone: row.get(7).copied().unwrap_or_else(|| file.line("timezone")),
    }
}

/// Indexes of the items all of whose spellings no earlier item has.
fn distinct<'a>(items: impl Iterator<Item = Vec<&'a str>>) -> Vec<u32> {
    let mut seen: BTreeSet<(usize, &str)> = BTreeSet::new();
    let mut kept = Vec::new();
    for (index, spellings) in items.enumerate() {
        let new = spellings.iter().enumerate().all(|(form, text)| !seen.contains(&(form, *text)));
        if new {
            seen.extend(spellings.into_iter().enumerate());
            kept.push(index as u32);
        }
    }
    kept
}

fn distinct_phones(cities: &[City]) -> Vec<u32> {
    let mut kept: Vec<u32> = Vec::new();
    for (index, city) in cities.iter().enumerate() {
        if kept.iter().all(|&other| !cities[other as usize].phone.overlaps(&city.phone)) {
            kept.push(index as u32);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_whole() {
        for locale in Locale::ALL {
            let tables = locale.tables();
            let name = locale.name();
            assert!(tables.female.len() >= 25 && tables.male.len() >= 25, "{name}: few first names");
            assert!(tables.families.len() >= 30, "{name}: few family names");
            assert!(tables.cities.len() >= 10 && tables.streets.len() >= 14, "{name}: few places");
            assert!(!tables.plates.is_empty() && tables.suffixes.len() >= 3, "{name}");
            let words = tables.female.iter().chain(&tables.male);
            for word in words.chain(tables.families.iter().flat_map(|f| [&f.male, &f.female])) {
                let plain = word.ascii.bytes().all(|byte| byte.is_ascii_lowercase());
                assert!(plain && !word.ascii.is_empty(), "{name}: {} has no spelling", word.text);
            }
            for city in &tables.cities {
                assert!(city.timezone.parse::<chrono_tz::Tz>().is_ok(), "{name}: {}", city.timezone);
                assert!(city.latitude_e6.abs() < 72_000_000 && city.longitude_e6.abs() < 180_000_000, "{}", city.name);
                assert!(city.phone.size() >= 100_000, "{name}: {} has few telephone numbers", city.name);
            }
        }
    }

    #[test]
    fn women_carry_their_form() {
        for (locale, male, female) in [
            (Locale::CsCz, "Novák", "Nováková"),
            (Locale::CsCz, "Jelínek", "Jelínková"),
            (Locale::CsCz, "Svoboda", "Svobodová"),
            (Locale::CsCz, "Veselý", "Veselá"),
            (Locale::RuRu, "Иванов", "Иванова"),
            (Locale::PlPl, "Kowalski", "Kowalska"),
            (Locale::DeDe, "Weber", "Weber"),
        ] {
            assert_eq!(female_form(locale, male), female);
        }
    }
}
