//! Whole numbers that only go up: they are unique, and an even one can be searched without keeping it. Pure.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Int64Type};

use super::tally::Tally;

/// What is known of the order of a column's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ascent {
    /// No rows yet.
    Nothing,
    /// Every value is above the one before it, and none is null.
    Rising(Rise),
    /// Some value is not above the one before it, or is null, or is no whole number.
    Broken,
}

/// The ends of a rising column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rise {
    first: i64,
    last: i64,
    /// The distance of all neighbours; 0 for a single value, `None` when they differ.
    step: Option<i128>,
}

/// Evenly spaced numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progression {
    first: i64,
    last: i64,
    step: i128,
}

impl Ascent {
    /// Adds the rows of a plain column that follow those seen.
    #[must_use]
    pub fn see(self, array: &ArrayRef) -> Self {
        if array.is_empty() || self == Self::Broken {
            return self;
        }
        if *array.data_type() != DataType::Int64 || array.null_count() > 0 {
            return Self::Broken;
        }
        let values = array.as_primitive::<Int64Type>().values();
        values
            .iter()
            .fold(self, |ascent, value| ascent.then(Self::Rising(Rise { first: *value, last: *value, step: Some(0) })))
    }

    /// Adds what is known of the rows that follow those seen.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        match (self, next) {
            (Self::Nothing, other) | (other, Self::Nothing) => other,
            (Self::Rising(rise), Self::Rising(next)) if rise.last < next.first => Self::Rising(rise.join(next)),
            _ => Self::Broken,
        }
    }

    /// Whether no two rows can have the same value.
    pub const fn is_unique(self) -> bool {
        !matches!(self, Self::Broken)
    }

    /// The values as a progression, when they are one.
    pub fn progression(self) -> Option<Progression> {
        match self {
            Self::Rising(Rise { first, last, step: Some(step) }) => Some(Progression { first, last, step }),
            _ => None,
        }
    }
}

impl Rise {
    fn join(self, next: Self) -> Self {
        let gap = i128::from(next.first) - i128::from(self.last);
        let fits = |step: Option<i128>| step.is_some_and(|step| step == 0 || step == gap);
        let step = (fits(self.step) && fits(next.step)).then_some(gap);
        Self { first: self.first, last: next.last, step }
    }
}

impl Progression {
    /// Whether `value` is one of them.
    pub fn contains(self, value: i64) -> bool {
        let distance = i128::from(value) - i128::from(self.first);
        (self.first..=self.last).contains(&value) && (distance == 0 || distance % self.step == 0)
    }

    /// Counts the rows of a plain column of whole numbers whose value is none of them. Null is no value.
    pub fn find_orphans(self, array: &ArrayRef, first_row: u64, orphans: &mut Tally) {
        let values = array.as_primitive::<Int64Type>();
        for (row, value) in (first_row..).zip(values) {
            let Some(value) = value else { continue };
            orphans.checked += 1;
            if !self.contains(value) {
                orphans.violation(row, || value.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;
    use crate::measure::{floats, ints};

    #[test]
    fn rising_numbers_are_unique_across_batches() {
        let rising = Ascent::Nothing.see(&ints(vec![1, 3])).see(&ints(vec![])).see(&ints(vec![4]));
        assert!(rising.is_unique());
        assert_eq!(rising.progression(), None);
        for broken in [
            rising.see(&ints(vec![4])),
            rising.see(&ints(vec![9, 8])),
            rising.then(Ascent::Nothing.see(&ints(vec![2]))),
            Ascent::Nothing.see(&floats(vec![1.0])),
            Ascent::Nothing.see(&(Arc::new(Int64Array::from(vec![Some(1), None])) as ArrayRef)),
        ] {
            assert!(!broken.is_unique());
        }
    }

    #[test]
    fn a_progression_knows_its_members() {
        let first = Ascent::Nothing.see(&ints(vec![10, 13, 16]));
        let found = first.then(Ascent::Nothing.see(&ints(vec![19]))).progression().unwrap();
        for (value, expected) in [(10, true), (19, true), (13, true), (14, false), (22, false), (7, false)] {
            assert_eq!(found.contains(value), expected, "{value}");
        }
        let mut orphans = Tally::default();
        let children: ArrayRef = Arc::new(Int64Array::from(vec![Some(10), None, Some(11), Some(19)]));
        found.find_orphans(&children, 50, &mut orphans);
        assert_eq!(orphans, Tally { checked: 3, violations: 1, samples: vec![(52, "11".to_owned())] });
        let one = Ascent::Nothing.see(&ints(vec![i64::MIN])).progression().unwrap();
        assert!(one.contains(i64::MIN) && !one.contains(0));
        assert!(Ascent::Nothing.see(&ints(vec![i64::MIN, i64::MAX])).progression().unwrap().contains(i64::MAX));
    }
}
