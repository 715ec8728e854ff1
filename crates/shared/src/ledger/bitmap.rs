//! A set of shard indexes in one bit each. Pure.

/// Which of a fixed number of shards are in the set.
#[derive(Clone, Debug)]
pub(super) struct Bitmap {
    words: Vec<u64>,
    count: u64,
}

impl Bitmap {
    /// An empty set of indexes below `size`.
    pub(super) fn new(size: u64) -> Self {
        let words = usize::try_from(size.div_ceil(64)).unwrap_or(usize::MAX);
        Self { words: vec![0; words], count: 0 }
    }

    pub(super) fn contains(&self, index: u64) -> bool {
        self.word(index).is_some_and(|word| word & bit(index) != 0)
    }

    /// Adds `index`; whether it was new.
    pub(super) fn insert(&mut self, index: u64) -> bool {
        let at = usize::try_from(index / 64).unwrap_or(usize::MAX);
        let Some(word) = self.words.get_mut(at).filter(|word| **word & bit(index) == 0) else { return false };
        *word |= bit(index);
        self.count += 1;
        true
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    fn word(&self, index: u64) -> Option<&u64> {
        self.words.get(usize::try_from(index / 64).ok()?)
    }
}

fn bit(index: u64) -> u64 {
    1 << (index % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_like_a_set(indexes in prop::collection::vec(0_u64..200, 0..100)) {
            let (mut bitmap, mut set) = (Bitmap::new(200), BTreeSet::new());
            for index in indexes {
                prop_assert_eq!(bitmap.insert(index), set.insert(index));
                prop_assert_eq!(bitmap.count(), set.len() as u64);
            }
            for index in 0..300 {
                prop_assert_eq!(bitmap.contains(index), set.contains(&index));
            }
        }
    }
}
