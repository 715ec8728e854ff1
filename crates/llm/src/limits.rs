//! Every bound of the gateway, with its reason. Pure.

use std::time::Duration;

/// How long a connection may take to be made: what takes longer is not there.
pub const CONNECT: Duration = Duration::from_secs(5);
/// How long a call may take unless the configuration says otherwise. Long answers of reasoning models take minutes.
pub const CALL_SECONDS: u64 = 300;
/// The longest call that can be configured: below what a queue waits for a shard.
pub const CALL_SECONDS_MAX: u64 = 1_200;
/// The most of an answer that is read. The longest outputs there are stay below a megabyte.
pub const ANSWER_BYTES_MAX: usize = 8 << 20;
/// The most of an error page that is read: its message is near the beginning.
pub const ERROR_BYTES_MAX: usize = 64 << 10;
/// The most of a provider's message that is passed on.
pub const MESSAGE_CHARS_MAX: usize = 300;
/// The most of a rejected answer that is kept beside its reason.
pub const REJECTED_BYTES_MAX: usize = 4 << 10;
/// The longest answer that is quoted back in a repair prompt: the quote is paid for.
pub const QUOTED_BYTES_MAX: usize = 16 << 10;
/// Problems of one answer that are reported: a model that is told fifty mends none.
pub const PROBLEMS_MAX: usize = 20;
/// How deep values and schemas may nest: beyond it recursion would endanger the stack.
pub const DEPTH_MAX: usize = 64;
/// Tries of one call with one provider, the first included.
pub const TRIES_MAX: u32 = 8;
/// What all waits of one call may add up to; beyond it a shard had better be parked.
pub const WAIT_MS_MAX: u64 = 10 * 60 * 1_000;
/// Repairs of one answer at most, whatever is asked for.
pub const REPAIRS_MAX: u32 = 10;
/// Calls in flight to one provider where the configuration names no number.
pub const IN_FLIGHT_MAX: u32 = 4_096;
/// With how many calls in flight the search for an unknown limit begins.
pub const IN_FLIGHT_START: u32 = 16;
/// Schemas that a provider has refused and that are remembered.
pub const REFUSED_SCHEMAS_MAX: usize = 1_024;
/// Steps that one rendering may take: a template is not a program.
pub const RENDER_FUEL: u64 = 1_000_000;
/// The largest file of a prompt.
pub const PROMPT_BYTES_MAX: u64 = 256 << 10;
/// Bytes of text for which a token is surely counted: no tokenizer averages more on real text.
pub const BYTES_PER_TOKEN_MAX: u64 = 8;
/// Bytes of text per token as they usually come, for limits and estimates, never for money.
pub const BYTES_PER_TOKEN: u64 = 4;
