//! The bounds of a worker's memory and waits.

/// Bytes of a chunk on its way to the store: large enough that the store's cost per call is small.
pub(crate) const CHUNK_BYTES: usize = 4 << 20;

/// Chunks that wait between the maker of rows and the store: one is sent while the other is filled.
pub(crate) const CHUNKS: usize = 2;

/// Attempts per slot whose rows are made and whose commit is under way: slots do not wait for the disk.
pub(crate) const PIPELINE_PER_SLOT: usize = 2;

/// How long to leave a queue or ledger alone that cannot be reached, in milliseconds.
pub(crate) const PAUSE_MS: u64 = 1_000;

/// Rows of a shard's first batch, whose size tells how many rows the next ones take.
pub(crate) const BATCH_ROWS_FIRST: u64 = 1_024;

/// The most rows of a batch: its columns stay in the processor's caches from the draw to the encoder.
pub(crate) const BATCH_ROWS_MAX: u64 = 16_384;

/// Bytes that a batch aims at, however wide the rows are.
pub(crate) const BATCH_BYTES: u64 = 4 << 20;
