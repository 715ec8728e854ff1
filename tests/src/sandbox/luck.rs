//! Choices of a test that are others each time, and can be made again.

use std::hash::{BuildHasher, RandomState};

/// A sequence of choices. Its seed is printed, so that a test that fails tells it.
#[derive(Debug)]
pub struct Luck(u64);

impl Luck {
    /// From a seed that is another each time.
    pub fn new() -> Self {
        Self::of(RandomState::new().hash_one(0))
    }

    /// From a seed that a test printed before.
    #[expect(clippy::print_stdout, reason = "a test that fails shows it")]
    pub fn of(seed: u64) -> Self {
        println!("luck has the seed {seed}");
        Self(seed)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % most as u64) as usize
    }
}

impl Default for Luck {
    fn default() -> Self {
        Self::new()
    }
}
