//! What a user may choose about a verification. Pure.

use std::num::NonZeroUsize;

/// How a dataset is verified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct VerifyOptions {
    /// Threads that read files.
    pub threads: NonZeroUsize,
    /// The score, 0 to 100, that a good dataset reaches; for the caller, who judges the report.
    pub threshold: f64,
    /// The memory for keys that must be compared with all others. Less memory means more passes over their columns.
    pub memory_bytes: u64,
}

impl VerifyOptions {
    /// The defaults, with so many threads.
    pub const fn new(threads: NonZeroUsize) -> Self {
        Self { threads, threshold: 80.0, memory_bytes: 256 << 20 }
    }
}
