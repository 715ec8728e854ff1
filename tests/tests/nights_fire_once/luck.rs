//! Chance that a seed repeats.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Draws numbers; clones share the draws. (SplitMix64.)
#[derive(Clone, Debug)]
pub(crate) struct Luck(Arc<AtomicU64>);

impl Luck {
    pub(crate) fn of(seed: u64) -> Self {
        Self(Arc::new(AtomicU64::new(seed)))
    }

    pub(crate) fn below(&self, most: u64) -> u64 {
        let mut drawn = self.0.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::SeqCst);
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (drawn ^ (drawn >> 31)) % most
    }
}
