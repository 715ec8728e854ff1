//! The bounds of a worker's memory and waits.

/// Bytes of a chunk on its way to the store: large enough that the store's cost per call is small.
pub(crate) const CHUNK_BYTES: usize = 4 << 20;

/// Chunks that wait between the maker of rows and the store: one is sent while the other is filled.
pub(crate) const CHUNKS: usize = 2;

/// Attempts per slot whose rows are made and whose commit is under way, so that slots do not wait for the disk. As many
/// messages more are in hand, which an idle worker elsewhere cannot have: few.
pub(crate) const PIPELINE_PER_SLOT: usize = 1;

/// How long the shards of one message may take together, in milliseconds: what is left then is another worker's to take.
pub(crate) const RUN_MS: u64 = 1_000;

/// How long to leave a queue or ledger alone that cannot be reached, in milliseconds.
pub(crate) const PAUSE_MS: u64 = 1_000;

/// Rows of a shard's first batch, whose size tells how many rows the next ones take.
pub(crate) const BATCH_ROWS_FIRST: u64 = 1_024;

/// The most rows of a batch: its columns stay in the processor's caches from the draw to the encoder.
pub(crate) const BATCH_ROWS_MAX: u64 = 16_384;

/// Bytes that a batch aims at, however wide the rows are.
pub(crate) const BATCH_BYTES: u64 = 4 << 20;

/// Questions of one shard that wait for an answer at the same time.
pub(crate) const ASKED_AT_ONCE: usize = 64;

/// Characters that are kept of an answer whose row is rejected.
pub(crate) const REJECTED_CHARS: usize = 4_096;

/// How often an answer that does not fit is asked for again.
pub(crate) const REPAIRS: u32 = 2;

/// How often an attempt that waits for answers looks whether it is to stop, in milliseconds.
pub(crate) const STOP_LOOK_MS: u64 = 100;

/// How long an attempt that cannot go on waits for answers under way, in milliseconds: as long as a slow one takes.
pub(crate) const LAST_ANSWERS_MS: u64 = 60_000;

/// Jobs whose compiled specs are kept.
pub(crate) const JOBS_KEPT: usize = 64;

/// Rows of a pack of answers, at most: as many as a shard that models fill.
pub(crate) const PACK_ROWS: u64 = 500;

/// Packs of the same rows that are kept: what two editions before this one were answered.
pub(crate) const PACKS_KEPT: usize = 3;
