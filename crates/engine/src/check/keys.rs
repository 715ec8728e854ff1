//! Uniqueness and foreign keys in bounded memory: values are taken as 128-bit fingerprints, and a pass over the rows
//! keeps only those of one partition. Exact but for two unequal texts or decimals with one fingerprint. Pure.

use arrow::array::ArrayRef;

use super::cell::{Form, fingerprints, shown};
use super::tally::{SAMPLES_MAX, Tally};

/// The share of all fingerprints that one pass keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Which, below `of`.
    pub number: u64,
    /// How many there are, at least 1.
    pub of: u64,
}

impl Partition {
    /// All partitions that keep a pass over `rows` rows within `memory_bytes`.
    pub fn within(memory_bytes: u64, rows: u64) -> impl Iterator<Item = Self> {
        let of = rows.div_ceil((memory_bytes / BYTES_PER_ROW).max(ROWS_MIN)).max(1);
        (0..of).map(move |number| Self { number, of })
    }

    const fn holds(self, fingerprint: u128) -> bool {
        let high = fingerprint >> 64;
        ((high * self.of as u128) >> 64) as u64 == self.number
    }
}

/// The bytes a kept row may take: its entry in the pass, once more while a growing list is moved, and its entry in
/// the list of a thread that has not been merged yet.
const BYTES_PER_ROW: u64 = 3 * size_of::<Entry>() as u64;

/// The rows of a pass where less memory than that is allowed.
const ROWS_MIN: u64 = 1 << 16;

/// A fingerprint and the row it is of. Two words rather than one of 16 bytes: that would be padded by 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    fingerprint: [u64; 2],
    row: u64,
}

/// Finds the values of one partition that stand in several rows.
#[derive(Debug)]
pub struct UniquePass {
    partition: Partition,
    entries: Vec<Entry>,
    /// The list is compacted when it grows past this.
    compact_at: usize,
    duplicates: Duplicates,
}

/// Rows whose value stands in an earlier row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// How many rows.
    pub count: u64,
    /// Some of them: the earlier row and the later one.
    pub samples: Vec<(u64, u64)>,
}

impl Duplicates {
    /// Adds those of another partition.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.samples.extend(other.samples);
        self.samples.sort_unstable_by_key(|(earlier, later)| (*later, *earlier));
        self.samples.truncate(SAMPLES_MAX);
    }
}

impl UniquePass {
    /// Before the first row.
    pub fn new(partition: Partition) -> Self {
        Self { partition, entries: Vec::new(), compact_at: COMPACT_AT_MIN, duplicates: Duplicates::default() }
    }

    /// Adds rows of a plain column, the first of which is row `first_row`.
    pub fn see(&mut self, array: &ArrayRef, first_row: u64) {
        for (row, fingerprint) in (first_row..).zip(fingerprints(array, Form::Native)) {
            if let Some(fingerprint) = fingerprint.filter(|fingerprint| self.partition.holds(*fingerprint)) {
                self.entries.push(Entry { fingerprint: [(fingerprint >> 64) as u64, fingerprint as u64], row });
            }
        }
        self.compact_if_grown();
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.duplicates.merge(other.duplicates);
        self.compact_if_grown();
    }

    /// What was found.
    pub fn finish(mut self) -> Duplicates {
        self.compact();
        self.duplicates
    }

    /// A value that fills the whole column would else be kept once for each row, in one partition.
    fn compact_if_grown(&mut self) {
        if self.entries.len() > self.compact_at {
            self.compact();
            self.compact_at = (2 * self.entries.len()).max(COMPACT_AT_MIN);
        }
    }

    /// Counts duplicates and keeps the first row of each value.
    fn compact(&mut self) {
        self.entries.sort_unstable();
        let mut found = Duplicates::default();
        self.entries.dedup_by(|later, earlier| {
            let same = later.fingerprint == earlier.fingerprint;
            if same {
                found.count += 1;
                found.samples.push((earlier.row, later.row));
                if found.samples.len() > COMPACT_AT_MIN {
                    found.merge(Duplicates::default());
                }
            }
            same
        });
        self.duplicates.merge(found);
    }
}

/// Shorter lists are not worth compacting.
const COMPACT_AT_MIN: usize = 1 << 16;

/// The values of one partition of a column, to be searched.
#[derive(Debug)]
pub struct KeySet {
    partition: Partition,
    form: Form,
    fingerprints: Vec<u128>,
    compact_at: usize,
}

impl KeySet {
    /// Before the first row. `form` is [`Form::Text`] where a column of another type will be searched for.
    pub fn new(partition: Partition, form: Form) -> Self {
        Self { partition, form, fingerprints: Vec::new(), compact_at: COMPACT_AT_MIN }
    }

    /// Adds rows of a plain column.
    pub fn see(&mut self, array: &ArrayRef) {
        let held = |fingerprint: &u128| self.partition.holds(*fingerprint);
        self.fingerprints.extend(fingerprints(array, self.form).into_iter().flatten().filter(held));
        self.compact_if_grown();
    }

    /// Adds what was seen in other rows.
    pub fn merge(&mut self, other: Self) {
        self.fingerprints.extend(other.fingerprints);
        self.compact_if_grown();
    }

    /// Makes the set ready to be searched.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.compact();
        self
    }

    /// Counts the rows of a plain column whose value is not in the set, which must be sorted. Null is no value.
    pub fn find_orphans(&self, array: &ArrayRef, first_row: u64, orphans: &mut Tally) {
        for (at, fingerprint) in fingerprints(array, self.form).into_iter().enumerate() {
            let Some(fingerprint) = fingerprint.filter(|fingerprint| self.partition.holds(*fingerprint)) else {
                continue;
            };
            orphans.checked += 1;
            if self.fingerprints.binary_search(&fingerprint).is_err() {
                orphans.violation(first_row + at as u64, || shown(array, at));
            }
        }
    }

    fn compact_if_grown(&mut self) {
        if self.fingerprints.len() > self.compact_at {
            self.compact();
            self.compact_at = (2 * self.fingerprints.len()).max(COMPACT_AT_MIN);
        }
    }

    fn compact(&mut self) {
        self.fingerprints.sort_unstable();
        self.fingerprints.dedup();
    }
}

#[cfg(test)]
mod tests;
