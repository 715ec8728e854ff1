//! The bounds of the RabbitMQ adapter. Pure.

use std::time::Duration;

/// Messages that are sent and not yet confirmed, at most. Measured: twice as fast as 256, and no faster beyond.
pub(super) const IN_FLIGHT: usize = 1_024;

/// How often the server delivers one message before it becomes a dead letter. A fuse, set high: the verdict on poison is
/// the ledger's.
pub(super) const DELIVERIES: i32 = 50;

/// Dead letters that are kept, at most; the oldest go first.
pub(super) const DEAD_LETTERS: i32 = 10_000;

/// How long one question to the server may take.
pub(super) const STEP: Duration = Duration::from_secs(5);

/// How long the first bytes of a server may take. Shorter than a step: a new connection is tried again soon.
pub(super) const GREETING: Duration = Duration::from_secs(3);

/// The largest greeting that is read. RabbitMQ's has about half a kilobyte.
pub(super) const GREETING_BYTES: u32 = 64 * 1_024;

/// The first wait before a lost connection is tried again, doubled each time.
pub(super) const RECONNECT_MIN_MS: u64 = 100;

/// The longest wait: with the time to connect, everyone is back within 5 s of the server.
pub(super) const RECONNECT_MAX_MS: u64 = 3_000;

/// How often a connection is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How many looks come between two questions that prove the connection alive.
pub(super) const LOOKS_PER_PROBE: u32 = 20;

/// How often each side tells the other that it lives, in seconds: a silent peer is given up after two.
pub(super) const HEARTBEAT_S: u16 = 10;

/// How long a message of a newer program is held before it is put back, so that a newer worker may get it.
pub(super) const NEWER_PAUSE: Duration = Duration::from_secs(5);

/// The wait before a channel is built again, or messages that were not taken in are sent again.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(100);

/// The wait after the server refused us, which someone has to mend.
pub(super) const REFUSED_PAUSE: Duration = Duration::from_secs(3);
