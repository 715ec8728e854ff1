//! How often each key may ask: a bucket per key that empties evenly. Pure.

use std::collections::HashMap;

use crate::Limits;

/// When each key's bucket is empty again, in microseconds of the caller's clock.
#[derive(Debug)]
pub(crate) struct Rates {
    interval_us: u64,
    depth_us: u64,
    empty_us: HashMap<String, u64>,
}

impl Rates {
    /// Full allowance for everybody.
    pub(crate) fn new(limits: Limits) -> Self {
        let interval_us = (1_000_000 / u64::from(limits.requests_per_second.max(1))).max(1);
        let depth_us = interval_us.saturating_mul(u64::from(limits.burst.max(1)));
        Self { interval_us, depth_us, empty_us: HashMap::new() }
    }

    /// How many seconds a request of `key` would have to wait now; nothing if none.
    pub(crate) fn wait(&self, key: &str, now_ms: u64) -> Option<u64> {
        let now_us = now_ms.saturating_mul(1_000);
        let full_us = self.empty_us.get(key)?.saturating_add(self.interval_us);
        let over_us = full_us.saturating_sub(now_us).saturating_sub(self.depth_us);
        (over_us > 0).then(|| over_us.div_ceil(1_000_000))
    }

    /// Lets a request of `key` pass, or says how many seconds it is to wait.
    pub(crate) fn admit(&mut self, key: &str, now_ms: u64) -> Result<(), u64> {
        let now_us = now_ms.saturating_mul(1_000);
        // Keys whose bucket is empty are as good as unknown: the map holds only those that asked lately.
        if self.empty_us.len() >= crate::limits::KEYS_REMEMBERED {
            self.empty_us.retain(|_, empty_us| *empty_us > now_us);
        }
        let empty_us = self.empty_us.get(key).copied().unwrap_or(0).max(now_us).saturating_add(self.interval_us);
        let over_us = (empty_us - now_us).saturating_sub(self.depth_us);
        if over_us > 0 {
            return Err(over_us.div_ceil(1_000_000));
        }
        self.empty_us.insert(key.to_owned(), empty_us);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_the_rate_holds() {
        let mut rates = Rates::new(Limits { requests_per_second: 2, burst: 3 });
        for _ in 0..3 {
            assert_eq!(rates.admit("a", 1_000), Ok(()));
        }
        assert_eq!((rates.wait("a", 1_000), rates.wait("b", 1_000)), (Some(1), None));
        assert_eq!(rates.admit("a", 1_000), Err(1));
        assert_eq!(rates.admit("b", 1_000), Ok(()), "another key has its own allowance");
        assert_eq!(rates.admit("a", 1_500), Ok(()));
        assert_eq!(rates.admit("a", 1_500), Err(1));
    }

    #[test]
    fn over_a_minute_no_more_pass_than_the_rate_allows() {
        let mut rates = Rates::new(Limits { requests_per_second: 10, burst: 5 });
        let passed = (0..60_000).filter(|now_ms| rates.admit("a", *now_ms).is_ok()).count();
        assert!((600..=605).contains(&passed), "{passed} passed");
    }
}
