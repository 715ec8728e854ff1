//! Tests of uniqueness and foreign keys.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Int64Array, StringArray};
use proptest::prelude::*;

use super::super::samples::texts;
use super::*;
use crate::measure::{decimals, ints};

fn duplicates(parts: &[ArrayRef], of: u64) -> Duplicates {
    let mut all = Duplicates::default();
    for number in 0..of {
        let partition = Partition { number, of };
        let (mut pass, mut row) = (UniquePass::new(partition), 0);
        for part in parts {
            let mut own = UniquePass::new(partition);
            own.see(part, row);
            pass.merge(own);
            row += part.len() as u64;
        }
        all.merge(pass.finish());
    }
    all
}

fn orphans(children: &ArrayRef, parents: &ArrayRef, form: Form, of: u64) -> Tally {
    let mut all = Tally::default();
    for number in 0..of {
        let mut set = KeySet::new(Partition { number, of }, form);
        set.see(parents);
        set.sorted().find_orphans(children, 0, &mut all);
    }
    all
}

proptest! {
    #[test]
    fn partitions_find_the_duplicates_a_set_finds(
        values in proptest::collection::vec(proptest::option::of(0i64..200), 0..300),
        split in 0usize..300,
        of in 1u64..9,
        is_text in any::<bool>(),
    ) {
        let mut seen = HashSet::new();
        let expected = values.iter().flatten().filter(|value| !seen.insert(**value)).count() as u64;
        let array: ArrayRef = match is_text {
            true => Arc::new(StringArray::from_iter(values.iter().map(|value| value.map(|value| format!("k{value}"))))),
            false => Arc::new(Int64Array::from(values.clone())),
        };
        let split = split.min(values.len());
        let found = duplicates(&[array.slice(0, split), array.slice(split, values.len() - split)], of);
        prop_assert_eq!(found.count, expected);
        prop_assert_eq!(found.samples.len() as u64, expected.min(SAMPLES_MAX as u64));
        for (earlier, later) in found.samples {
            prop_assert!(earlier < later);
            prop_assert_eq!(values[earlier as usize], values[later as usize]);
        }
    }

    #[test]
    fn partitions_find_the_orphans_a_set_finds(
        children in proptest::collection::vec(0i64..100, 0..100),
        parents in proptest::collection::vec(0i64..100, 0..100),
        of in 1u64..9,
    ) {
        let set: HashSet<i64> = parents.iter().copied().collect();
        let expected = children.iter().filter(|child| !set.contains(child)).count() as u64;
        let found = orphans(&ints(children.clone()), &ints(parents), Form::Native, of);
        prop_assert_eq!(found.violations, expected);
        prop_assert_eq!(found.checked, children.len() as u64);
    }
}

#[test]
fn one_value_everywhere_takes_no_memory() {
    let mut pass = UniquePass::new(Partition { number: 0, of: 1 });
    let mut set = KeySet::new(Partition { number: 0, of: 1 }, Form::Native);
    let same = ints(vec![7; 1000]);
    for batch in 0..500 {
        pass.see(&same, batch * 1000);
        set.see(&same);
        assert!(pass.entries.len() <= COMPACT_AT_MIN && set.fingerprints.len() <= COMPACT_AT_MIN);
    }
    let found = pass.finish();
    assert_eq!(found.count, 499_999);
    assert_eq!(found.samples, [(0, 1), (0, 2), (0, 3), (0, 4), (0, 5)]);
}

#[test]
fn the_first_orphans_are_shown() {
    let found = orphans(&texts(&["a", "x", "b", "y"]), &texts(&["a", "b"]), Form::Native, 3);
    assert_eq!(found.samples, [(1, "x".to_owned()), (3, "y".to_owned())]);
    assert_eq!(orphans(&texts(&["a"]), &texts(&["a"]), Form::Native, 1).violations, 0);
}

#[test]
fn keys_of_several_types_meet_as_text() {
    let parents = decimals(vec![100, 250], 9, 2).unwrap();
    let found = orphans(&texts(&["1", "2.5", "2.50"]), &parents, Form::Text, 2);
    assert_eq!(found.samples, [(2, "2.50".to_owned())]);
}

#[test]
fn memory_decides_the_passes() {
    for (memory_bytes, rows, expected) in
        [(256 << 20, 0, 1), (256 << 20, 3_000_000, 1), (256 << 20, 100_000_000, 27), (0, 1 << 18, 4)]
    {
        let partitions: Vec<Partition> = Partition::within(memory_bytes, rows).collect();
        assert_eq!(partitions.len(), expected, "{memory_bytes} {rows}");
        assert!(partitions.iter().enumerate().all(|(at, partition)| partition.number == at as u64));
    }
}
