//! How much of the uploads is in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A gauge of bytes. Clones are the same gauge.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    gauge: Arc<Gauge>,
}

#[derive(Debug, Default)]
struct Gauge {
    now_bytes: AtomicU64,
    peak_bytes: AtomicU64,
}

/// Bytes that are in memory until this is dropped.
#[derive(Debug)]
pub(super) struct Held {
    gauge: Arc<Gauge>,
    bytes: u64,
}

impl Buffers {
    /// The most that was held at once.
    pub(super) fn peak_bytes(&self) -> u64 {
        self.gauge.peak_bytes.load(Ordering::Relaxed)
    }

    /// A share of the gauge, empty at first.
    pub(super) fn hold(&self) -> Held {
        Held { gauge: Arc::clone(&self.gauge), bytes: 0 }
    }
}

impl Held {
    /// Counts more bytes.
    pub(super) fn add(&mut self, bytes: u64) {
        self.bytes += bytes;
        let now = self.gauge.now_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.gauge.peak_bytes.fetch_max(now, Ordering::Relaxed);
    }

    /// The bytes counted here.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What is held, in a share of its own; nothing stays here.
    pub(super) fn take(&mut self) -> Self {
        Self { gauge: Arc::clone(&self.gauge), bytes: std::mem::take(&mut self.bytes) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.gauge.now_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_of_what_was_held_at_once() {
        let buffers = Buffers::default();
        let mut filling = buffers.hold();
        filling.add(10);
        let under_way = filling.take();
        filling.add(5);
        assert_eq!((filling.bytes(), under_way.bytes(), buffers.peak_bytes()), (5, 10, 15));
        drop(under_way);
        filling.add(3);
        assert_eq!(buffers.peak_bytes(), 15);
    }
}
