//! Codes: masks, and the check digits that follow from them. Pure.

use super::arguments::Settings;
use super::cell::Cell;
use super::checks;
use super::mask::Mask;
use super::method::Method;
use super::person::provider;
use super::tables::Tables;
use crate::random::key::below;

/// What is done to a code after its holes are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Finish {
    Nothing,
    Luhn,
    Ean,
    Isbn10,
    Iban,
    Vin,
}

/// The masks of a type, none of which can give a text of another.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    masks: Vec<Mask>,
    finish: Finish,
}

const HEX: &[u8] = b"0123456789abcdef";
const BASE64: &[u8] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const SIGNS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!#$%&*+-=?@_";
/// Stock number prefixes where the spec names none.
const SKU_PREFIXES: [&str; 4] = ["APP", "HOME", "BEAUTY", "JEWELRY"];
/// Card numbers without their check digit: the first of each provider, in the order of the list of providers, then
/// the other ranges of each.
const CARDS: [&str; 4] = ["4##############", "51#############", "34############", "6011###########"];
const MORE_CARDS: [&str; 4] = ["4##############", "55#############", "37############", "6011###########"];

impl Codes {
    /// The codes of `method`; `None` where it is not made from masks.
    pub(super) fn new(method: Method, tables: &Tables, settings: &Settings) -> Option<Self> {
        let finish = match method {
            Method::CreditCardNumber => Finish::Luhn,
            Method::Ean13 | Method::Ean8 | Method::Isbn13 => Finish::Ean,
            Method::Isbn10 => Finish::Isbn10,
            Method::Iban => Finish::Iban,
            Method::Vin => Finish::Vin,
            _ => Finish::Nothing,
        };
        let masks = masks(method, tables, settings).or_else(|| hexadecimal(method))?;
        let mut kept: Vec<Mask> = Vec::new();
        for mask in masks {
            let known = kept.iter().any(|other| other.overlaps(&mask));
            if !known || method == Method::CreditCardNumber {
                kept.push(mask);
            }
        }
        Some(Self { masks: kept, finish })
    }

    /// How many texts the slots give.
    pub(super) fn size(&self) -> u64 {
        let masks = self.alternatives();
        let least = masks.iter().map(Mask::size).min().unwrap_or(0);
        least.saturating_mul(masks.len() as u64).min(1 << 63)
    }

    /// The masks that slots are dealt to.
    fn alternatives(&self) -> &[Mask] {
        if self.finish == Finish::Luhn { &self.masks[..CARDS.len()] } else { &self.masks }
    }

    /// Writes the code of a cell.
    pub(super) fn write(&self, cell: &Cell<'_>, out: &mut String) {
        let start = out.len();
        match cell.slot {
            Some(slot) => {
                let masks = self.alternatives();
                let count = masks.len() as u64;
                masks[(slot % count) as usize].at(slot / count, out);
            }
            None if self.finish == Finish::Luhn => {
                let bits = cell.personal(7);
                let other = (bits & 1) as usize * CARDS.len();
                self.masks[provider(cell) + other].draw(bits, out);
            }
            None => {
                let index = below(cell.own(1), self.masks.len() as u64) as usize;
                self.masks[index].draw(cell.own(0), out);
            }
        }
        self.finish(start, out);
    }

    fn finish(&self, start: usize, out: &mut String) {
        match self.finish {
            Finish::Nothing => {}
            Finish::Luhn => out.push(checks::luhn(&out[start..])),
            Finish::Ean => out.push(checks::ean(&out[start..])),
            Finish::Isbn10 => out.push(checks::isbn10(&out[start..])),
            Finish::Iban => {
                let check = checks::iban(&out[start..start + 2], &out[start + 4..]);
                let digits = [b'0' + (check / 10) as u8, b'0' + (check % 10) as u8];
                let digits = std::str::from_utf8(&digits).expect("digits are text");
                out.replace_range(start + 2..start + 4, digits);
            }
            Finish::Vin => {
                let mut check = [0; 4];
                let check = checks::vin(&out[start..]).encode_utf8(&mut check);
                out.replace_range(start + 8..start + 9, check);
            }
        }
    }
}

fn masks(method: Method, tables: &Tables, settings: &Settings) -> Option<Vec<Mask>> {
    let parse = |texts: &[&str]| Some(texts.iter().map(|text| Mask::new(text)).collect());
    let (country, account) = &tables.iban;
    match method {
        Method::Bothify | Method::Numerify | Method::Lexify | Method::Hexify => settings.mask.clone().map(|m| vec![m]),
        Method::LicensePlate => Some(tables.plates.clone()),
        Method::Ssn => Some(vec![tables.tax.clone()]),
        Method::Iban => Some(vec![account.after(&format!("{country}00"))]),
        Method::Bban => Some(vec![account.clone()]),
        Method::Swift => Some(vec![Mask::new(&format!("@@@@{}##", tables.code))]),
        Method::CreditCardNumber => parse(&[CARDS, MORE_CARDS].concat()),
        Method::Sku => {
            let own = settings.prefix.as_deref();
            let prefixes = own.as_ref().map_or(&SKU_PREFIXES[..], std::slice::from_ref);
            Some(prefixes.iter().map(|prefix| Mask::new("-######").after(prefix)).collect())
        }
        Method::Ean13 => parse(&["2###########"]),
        Method::Ean8 => parse(&["2######"]),
        Method::Isbn13 => parse(&["9780########", "9781########"]),
        Method::Isbn10 => parse(&["0########", "1########"]),
        Method::Vin => parse(&["1FT@W@#@_#@0#####", "WBA@@##@_@#0#####", "JHM@@###_@#0#####", "VF1@@@#@_##0#####"]),
        Method::Version => parse(&["%.#.#"]),
        Method::Password => Some(vec![Mask::repeat("", SIGNS, settings.count)]),
        Method::PasswordHash => Some(vec![Mask::repeat("$2b$12$", BASE64, 53)]),
        Method::ApiKey => Some(vec![Mask::repeat("key_", ALPHANUMERIC, 32)]),
        _ => None,
    }
}

fn hexadecimal(method: Method) -> Option<Vec<Mask>> {
    let mask = match method {
        Method::Md5 => Mask::repeat("", HEX, 32),
        Method::Sha1 => Mask::repeat("", HEX, 40),
        Method::Sha256 => Mask::repeat("", HEX, 64),
        Method::HexColor => Mask::repeat("#", HEX, 6),
        Method::MacAddress => Mask::new("*2:**:**:**:**:**"),
        Method::Ipv6 => Mask::new("2001:db8:****:****:****:****:****:****"),
        _ => return None,
    };
    Some(vec![mask])
}
