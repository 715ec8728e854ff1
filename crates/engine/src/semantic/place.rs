//! The row's place: city, street, post code, telephone. Pure.

use super::cell::{Cell, skewed};
use super::method::Method;
use super::numbers;
use super::tables::Tables;

/// Writes a text of the row's place.
#[inline]
pub(super) fn write(method: Method, cell: &Cell<'_>, out: &mut String) {
    match method {
        Method::StreetAddress => fill(cell, cell.tables().street_address, out),
        Method::StreetName => out.push_str(street(cell)),
        Method::BuildingNumber => numbers::digits(house(cell), out),
        Method::SecondaryAddress => {
            let bits = cell.local(4);
            out.push_str(if bits >> 63 == 0 { "Apt. " } else { "Suite " });
            numbers::digits(1 + bits % 999, out);
        }
        Method::Postcode => postcode(cell, out),
        Method::PhoneNumber => phone(cell, out),
        _ => fill(cell, cell.tables().address, out),
    }
}

/// How many different telephone numbers [`phone`] gives to slots.
pub(super) fn phones(tables: &Tables) -> u64 {
    let sizes = tables.distinct_phones.iter().map(|&city| tables.cities[city as usize].phone.size());
    sizes.min().unwrap_or(0) * tables.distinct_phones.len() as u64
}

#[inline]
fn phone(cell: &Cell<'_>, out: &mut String) {
    let phone = &cell.city().phone;
    match cell.slot {
        Some(slot) => phone.at(slot / cell.tables().distinct_phones.len() as u64, out),
        None => phone.draw(cell.local(3), out),
    }
}

#[inline]
fn postcode(cell: &Cell<'_>, out: &mut String) {
    cell.city().postcode.draw(cell.local(1), out);
}

#[inline]
fn street(cell: &Cell<'_>) -> &'static str {
    let streets = &cell.tables().streets;
    &streets[skewed(cell.local(2) as u32, streets.len())]
}

#[inline]
fn house(cell: &Cell<'_>) -> u64 {
    1 + skewed((cell.local(2) >> 32) as u32, cell.tables().houses as usize) as u64
}

/// Writes `template`, where `%` and a letter stand for a part of the address.
fn fill(cell: &Cell<'_>, template: &str, out: &mut String) {
    let mut pieces = template.split('%');
    out.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (part, literal) = piece.split_at(1);
        match part {
            "n" => numbers::digits(house(cell), out),
            "s" => out.push_str(street(cell)),
            "c" => out.push_str(&cell.city().name),
            // A city that is its own region is written once where nothing stands between the two.
            "r" if literal.is_empty() && cell.city().state == &*cell.city().name => {}
            "r" => out.push_str(cell.city().state),
            "a" => out.push_str(cell.city().state_abbr),
            _ => postcode(cell, out),
        }
        out.push_str(literal);
    }
}
