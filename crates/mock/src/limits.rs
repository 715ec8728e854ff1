//! The bounds of the mock provider, each with its reason. Pure.

/// The largest request body, in bytes: what Anthropic takes.
pub(crate) const BODY_BYTES: usize = 32 << 20;
/// The largest head of a request and the largest read from a socket, in bytes: idle connections hold a buffer each.
pub(crate) const HEAD_BYTES: usize = 16 << 10;
/// Connections that may wait to be accepted: a load test opens all of its own at once.
pub(crate) const BACKLOG: u32 = 16_384;
/// Connections at a time, so that a client that leaks them finds out here and not at a provider.
pub(crate) const CONNECTIONS: usize = 100_000;
/// A pause after a connection could not be accepted, in milliseconds: out of files, the next one fails as well.
pub(crate) const ACCEPT_PAUSE_MS: u64 = 20;
/// The longest latency that can be drawn, in milliseconds: ten minutes, the patience of the official clients.
pub(crate) const LATENCY_MS: u64 = 600_000;
/// What a slow answer takes at least, in milliseconds, and how many times its latency.
pub(crate) const SLOW_MS: u64 = 2_000;
/// See [`SLOW_MS`].
pub(crate) const SLOW_TIMES: u64 = 10;
/// When a connection whose answer never comes is reset, in milliseconds: later than any client waits.
pub(crate) const NEVER_MS: u64 = 900_000;
/// The text of a huge answer, in bytes.
pub(crate) const HUGE_BYTES: usize = 10 << 20;
/// The longest free text, in tokens, whatever a request allows: an answer is made in memory.
pub(crate) const TEXT_TOKENS: u64 = 200_000;
/// Schemas that are kept compiled; beyond it all are forgotten.
pub(crate) const SCHEMAS: usize = 1_000;
/// Requests whose repetitions are remembered because they met a fault; beyond it all are forgotten.
pub(crate) const REPEATS: usize = 1_000_000;
/// Prefixes that are remembered as cached; beyond it all are forgotten.
pub(crate) const PREFIXES: usize = 100_000;
/// How long a prefix stays cached, in milliseconds.
pub(crate) const PREFIX_MS: u64 = 300_000;
/// The shortest prefix that is cached, in tokens, as with both large providers.
pub(crate) const PREFIX_TOKENS: u64 = 1_024;
/// Nodes of a schema.
pub(crate) const SCHEMA_NODES: usize = 5_000;
/// Levels of an answer to a schema below which only what must be there is made.
pub(crate) const SCHEMA_DEPTH: u32 = 6;
/// Bytes of an answer to a schema after which only what must be there is made.
pub(crate) const SCHEMA_BYTES: usize = 32 << 10;
/// The most items, and the most repetitions of a part of a pattern, that a schema may demand.
pub(crate) const SCHEMA_ITEMS: u64 = 1_000;
/// The longest text that a schema may demand, in characters.
pub(crate) const SCHEMA_TEXT: u64 = 100_000;
/// Inputs of one request for embeddings, as OpenAI has it.
pub(crate) const EMBEDDING_INPUTS: usize = 2_048;
/// Dimensions of an embedding, at most and where none are asked for.
pub(crate) const DIMENSIONS_MOST: u64 = 4_096;
/// See [`DIMENSIONS_MOST`].
pub(crate) const DIMENSIONS: u64 = 256;
