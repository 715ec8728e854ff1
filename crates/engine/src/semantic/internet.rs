//! Texts that share nothing: net addresses, files, products, identifiers. Pure.

use super::cell::Cell;
use super::method::Method;
use super::words::LISTS;
use super::{numbers, text};
use crate::random::key::{Key, below};

/// Writes a text of the column's own draws.
pub(super) fn write(method: Method, cell: &Cell<'_>, out: &mut String) {
    match method {
        Method::Uuid4 => uuid4(cell, out),
        Method::Ipv4 => {
            let address = cell.slot.unwrap_or_else(|| below(cell.own(0), PUBLIC_ADDRESSES));
            ipv4(PUBLIC[(address >> 24) as usize], address, out);
        }
        Method::Ipv4Private => ipv4(10, cell.own(0), out),
        Method::UserAgent => user_agent(cell, out),
        Method::FileName => file_name(cell, out),
        Method::FilePath => {
            let (outer, inner) = LISTS.directories.split_at(LISTS.directories.len() / 2);
            for (number, list) in [(4, outer), (5, inner)] {
                out.push('/');
                out.push_str(cell.pick(list, number));
            }
            out.push('/');
            file_name(cell, out);
        }
        Method::RgbColor => {
            let bits = cell.own(0);
            for (at, shift) in [16, 8, 0].into_iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                numbers::digits(bits >> shift & 255, out);
            }
        }
        Method::ProductName => {
            for (number, list) in [&LISTS.adjectives, &LISTS.materials, &LISTS.products].into_iter().enumerate() {
                out.push_str(if number > 0 { " " } else { "" });
                out.push_str(cell.pick(list, number as u64));
            }
        }
        _ => text::write(method, cell, out),
    }
}

const fn is_public(first: u8) -> bool {
    !matches!(first, 0 | 10 | 100 | 127 | 169 | 172 | 192 | 198 | 203 | 224..)
}

/// First bytes of networks with no private, shared or documentation part.
const PUBLIC: [u8; 215] = {
    let mut list = [0; 215];
    let (mut first, mut at) = (0u8, 0);
    while first < 224 {
        if is_public(first) {
            list[at] = first;
            at += 1;
        }
        first += 1;
    }
    list
};

/// How many addresses [`Method::Ipv4`] can give.
pub(super) const PUBLIC_ADDRESSES: u64 = (PUBLIC.len() as u64) << 24;

/// Writes `first` and the low three bytes of `rest`.
fn ipv4(first: u8, rest: u64, out: &mut String) {
    numbers::digits(u64::from(first), out);
    for shift in [16, 8, 0] {
        out.push('.');
        numbers::digits(rest >> shift & 255, out);
    }
}

/// Turns slots into bits; any fixed key is a bijection.
const SLOT_BITS: Key = Key::from_words(0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F);

/// All 64 bits of one draw, which is a bijection of row or slot, stand in the text: no two rows are alike.
fn uuid4(cell: &Cell<'_>, out: &mut String) {
    let (all, more) = match cell.slot {
        Some(slot) => (SLOT_BITS.draw(slot), SLOT_BITS.number(1).draw(slot)),
        None => (cell.own(0), cell.own(1)),
    };
    let high = (all >> 16 << 16) | 0x4000 | (all & 0x0FFF);
    let low = (0b10 << 62) | ((all >> 12 & 0xF) << 58) | (more >> 6);
    let mut text = [b'-'; 36];
    let mut at = 0;
    for digit in 0..32 {
        if matches!(digit, 8 | 12 | 16 | 20) {
            at += 1;
        }
        let word = if digit < 16 { high } else { low };
        text[at] = b"0123456789abcdef"[(word >> (60 - digit % 16 * 4) & 15) as usize];
        at += 1;
    }
    out.push_str(std::str::from_utf8(&text).expect("hexadecimal digits are text"));
}

fn user_agent(cell: &Cell<'_>, out: &mut String) {
    let platform = cell.pick(&LISTS.platforms, 0);
    let version = 110 + below(cell.own(1), 30);
    let firefox = cell.own(2) >> 62 == 0;
    out.push_str("Mozilla/5.0 (");
    out.push_str(platform);
    if platform.starts_with("iPhone") {
        out.push_str(") AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1");
    } else if firefox {
        out.push_str("; rv:");
        numbers::digits(version, out);
        out.push_str(".0) Gecko/20100101 Firefox/");
        numbers::digits(version, out);
        out.push_str(".0");
    } else {
        out.push_str(") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/");
        numbers::digits(version, out);
        out.push_str(".0.0.0 Safari/537.36");
    }
}

fn file_name(cell: &Cell<'_>, out: &mut String) {
    out.push_str(cell.pick(&LISTS.file_words, 0));
    out.push('_');
    numbers::padded(cell.own(1) % 10_000, 4, out);
    out.push('.');
    out.push_str(cell.pick(&LISTS.extensions, 2));
}
