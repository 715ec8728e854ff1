//! Time, passed in. No clock may touch a value, and a test never sleeps.

use std::fmt::Debug;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::Instant;

/// A clock that only goes forward, from some start of its own.
#[async_trait]
pub trait Clock: Send + Sync + Debug {
    /// Milliseconds since the clock's start.
    fn now_ms(&self) -> u64;

    /// Milliseconds since 1970, as the machine knows them: for people and schedules. It may go backwards.
    fn unix_ms(&self) -> u64;

    /// Comes back once `now_ms` has reached `due_ms`.
    async fn sleep_until(&self, due_ms: u64);
}

/// The machine's monotonic clock.
#[derive(Debug)]
pub struct MonotonicClock {
    start: Instant,
}

impl MonotonicClock {
    /// A clock that starts now. The runtime's clock is read, so a test that pauses the runtime's time pauses this.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }
}

#[async_trait]
impl Clock for MonotonicClock {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the clock that is passed in")]
    fn unix_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    async fn sleep_until(&self, due_ms: u64) {
        tokio::time::sleep_until(self.start + Duration::from_millis(due_ms)).await;
    }
}

/// A clock that a test moves by hand.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: watch::Sender<u64>,
}

impl Default for ManualClock {
    fn default() -> Self {
        Self { now_ms: watch::Sender::new(0) }
    }
}

impl ManualClock {
    /// Moves the clock forward and wakes the sleepers whose time has come.
    pub fn advance(&self, by_ms: u64) {
        self.now_ms.send_modify(|now| *now = now.saturating_add(by_ms));
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        *self.now_ms.borrow()
    }

    /// The clock's start is the beginning of 1970.
    fn unix_ms(&self) -> u64 {
        self.now_ms()
    }

    async fn sleep_until(&self, due_ms: u64) {
        let mut now = self.now_ms.subscribe();
        now.wait_for(|now| *now >= due_ms).await.expect("the clock keeps its own sender");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_who_is_due() {
        let clock = std::sync::Arc::new(ManualClock::default());
        let sleeper = std::sync::Arc::clone(&clock);
        let task = tokio::spawn(async move { sleeper.sleep_until(50).await });
        clock.advance(49);
        tokio::task::yield_now().await;
        assert!(!task.is_finished());
        clock.advance(1);
        task.await.expect("wakes");
        assert_eq!(clock.now_ms(), 50);
    }
}
