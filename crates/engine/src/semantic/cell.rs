//! One value to be written: which row, and where its draws come from. Pure.

use super::tables::{City, Tables};
use super::{Semantic, Slots};
use crate::random::key::below;

/// The value of one row of one semantic column.
#[derive(Clone, Copy)]
pub(super) struct Cell<'a> {
    pub(super) semantic: &'a Semantic,
    pub(super) slots: &'a Slots,
    pub(super) row: u64,
    /// The slot that the row owns in its group, where the group has a unique column.
    pub(super) slot: Option<u64>,
}

/// A person by the numbers of their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) female: bool,
    pub(super) first: usize,
    pub(super) family: usize,
}

impl<'a> Cell<'a> {
    /// The lists of the column's locale.
    pub(super) fn tables(&self) -> &'static Tables {
        self.semantic.tables
    }

    /// Draw `number` of the column itself.
    #[inline]
    pub(super) fn own(&self, number: u64) -> u64 {
        self.slots.own.number(number).draw(self.row)
    }

    /// Draw `number` of the row's person. Number 0 is who it is.
    #[inline]
    pub(super) fn personal(&self, number: u64) -> u64 {
        self.slots.person.number(number).draw(self.row)
    }

    /// Draw `number` of the row's place. Number 0 is the city.
    #[inline]
    pub(super) fn local(&self, number: u64) -> u64 {
        self.slots.place.number(number).draw(self.row)
    }

    /// Draw `number` of the row's company. Number 0 is its name.
    #[inline]
    pub(super) fn corporate(&self, number: u64) -> u64 {
        self.slots.company.number(number).draw(self.row)
    }

    /// One item of `list`, by the column's own draw `number`.
    pub(super) fn pick(&self, list: &[&'static str], number: u64) -> &'static str {
        list[below(self.own(number), list.len() as u64) as usize]
    }

    /// The row's person.
    #[inline]
    pub(super) fn person(&self) -> Person {
        match self.slot {
            Some(slot) => self.tables().person_of_slot(slot),
            None => self.tables().person(self.personal(0)),
        }
    }

    /// The number of the row's city.
    #[inline]
    pub(super) fn city_index(&self) -> usize {
        let tables = self.tables();
        match self.slot {
            Some(slot) => {
                let phones = &tables.distinct_phones;
                phones[(slot % phones.len() as u64) as usize] as usize
            }
            None => skewed((self.local(0) >> 32) as u32, tables.cities.len()),
        }
    }

    /// The row's city.
    #[inline]
    pub(super) fn city(&self) -> &'static City {
        &self.tables().cities[self.city_index()]
    }
}

impl Tables {
    /// The person that 64 uniform bits choose.
    #[inline]
    fn person(&self, bits: u64) -> Person {
        let female = bits & 1 == 0;
        let firsts = if female { self.female.len() } else { self.male.len() };
        Person { female, first: skewed((bits >> 32) as u32, firsts), family: self.family(bits as u32 >> 1) }
    }

    /// The number of the family name that 31 uniform bits choose: a rare one in a quarter of the draws.
    #[inline]
    pub(super) fn family(&self, bits: u32) -> usize {
        let rare = self.families.len() - self.common_families;
        let rest = bits << 3;
        match bits >> 29 & 3 {
            0 if rare > 0 => self.common_families + skewed(rest, rare),
            _ => skewed(rest, self.common_families),
        }
    }

    /// How many people have names that are spelt differently, in letters and in e-mail addresses.
    pub(super) fn people(&self) -> u64 {
        self.distinct_firsts.len() as u64 * self.distinct_families.len() as u64
    }

    /// The person of a slot; slots that are equal modulo [`Tables::people`] are the same person.
    pub(super) fn person_of_slot(&self, slot: u64) -> Person {
        let person = slot % self.people();
        let firsts = self.distinct_firsts.len() as u64;
        let first = self.distinct_firsts[(person % firsts) as usize] as usize;
        let family = self.distinct_families[(person / firsts) as usize] as usize;
        let women = self.female.len();
        let female = first < women;
        Person { female, first: if female { first } else { first - women }, family }
    }
}

/// An index below `count` from 32 uniform bits; the first is up to three times as likely as the last, because lists
/// begin with what is common.
#[inline]
pub(super) fn skewed(bits: u32, count: usize) -> usize {
    let x = u64::from(bits);
    (((x + ((x * x) >> 32)) * count as u64) >> 33) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_of_a_list_is_likelier_but_all_of_it_is_reached() {
        let mut counts = [0u32; 10];
        for step in 0..100_000u32 {
            counts[skewed(step * 42_949, 10)] += 1;
        }
        assert!(counts.is_sorted_by(|a, b| a >= b), "{counts:?}");
        assert!(counts[0] > 2 * counts[9] && counts[0] < 4 * counts[9], "{counts:?}");
        assert_eq!(skewed(u32::MAX, 10), 9);
    }
}
