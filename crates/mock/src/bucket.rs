//! A bucket that refills evenly: how providers count what passes in a minute. Pure.

/// Parts of a unit: what one per minute refills in a millisecond is exactly one part.
const PARTS: i128 = 60_000;

/// A bucket that holds what may pass in a minute, and refills at that rate.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    per_minute: u64,
    /// In parts; below nothing where more was taken than was there.
    level: i128,
    at_ms: u64,
}

/// What a bucket shows to those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gauge {
    /// What may pass in a minute.
    pub(crate) limit: u64,
    /// What may pass now.
    pub(crate) remaining: u64,
    /// When it will be full, in milliseconds from now.
    pub(crate) full_in_ms: u64,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn full(per_minute: u64, now_ms: u64) -> Self {
        Self { per_minute, level: i128::from(per_minute) * PARTS, at_ms: now_ms }
    }

    /// Lets time pass. A clock that goes backwards refills nothing.
    pub(crate) fn refill(&mut self, now_ms: u64) {
        let elapsed = now_ms.saturating_sub(self.at_ms);
        let most = i128::from(self.per_minute) * PARTS;
        self.level = (self.level + i128::from(self.per_minute) * i128::from(elapsed)).min(most);
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// How long until `need` may pass, in milliseconds; nothing where it is more than ever fits.
    pub(crate) fn wait_ms(&self, need: u64) -> Option<u64> {
        if need == 0 {
            return Some(0);
        }
        let missing = i128::from(need) * PARTS - self.level;
        if need > self.per_minute {
            return None;
        }
        Some(self.time_for(missing))
    }

    /// Takes `amount`, also where less is there.
    pub(crate) fn take(&mut self, amount: u64) {
        self.level -= i128::from(amount) * PARTS;
    }

    /// Takes `amount`, or what is there.
    pub(crate) fn take_what_is_there(&mut self, amount: u64) {
        self.level -= (i128::from(amount) * PARTS).min(self.level.max(0));
    }

    /// Gives back what was taken and not used.
    pub(crate) fn give(&mut self, amount: u64) {
        self.level = (self.level + i128::from(amount) * PARTS).min(i128::from(self.per_minute) * PARTS);
    }

    /// What it shows.
    pub(crate) fn gauge(&self) -> Gauge {
        let remaining = u64::try_from(self.level.max(0) / PARTS).unwrap_or(u64::MAX);
        let full_in_ms = self.time_for(i128::from(self.per_minute) * PARTS - self.level);
        Gauge { limit: self.per_minute, remaining, full_in_ms }
    }

    /// How long `parts` take to refill, in milliseconds, rounded up.
    fn time_for(&self, parts: i128) -> u64 {
        let rate = i128::from(self.per_minute.max(1));
        u64::try_from((parts.max(0) + rate - 1) / rate).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_passes_and_then_evenly_more() {
        let mut bucket = Bucket::full(60, 0);
        assert_eq!(bucket.wait_ms(60), Some(0));
        bucket.take(60);
        assert_eq!((bucket.wait_ms(1), bucket.wait_ms(60), bucket.wait_ms(61)), (Some(1_000), Some(60_000), None));
        bucket.refill(999);
        assert_eq!(bucket.wait_ms(1), Some(1));
        bucket.refill(1_000);
        assert_eq!(bucket.wait_ms(1), Some(0));
        assert_eq!(bucket.gauge(), Gauge { limit: 60, remaining: 1, full_in_ms: 59_000 });
        bucket.refill(500);
        bucket.refill(1_000_000);
        assert_eq!(bucket.gauge(), Gauge { limit: 60, remaining: 60, full_in_ms: 0 }, "never more than full");
    }

    #[test]
    fn a_debt_is_paid_first() {
        let mut bucket = Bucket::full(600, 0);
        bucket.take(610);
        assert_eq!((bucket.wait_ms(1), bucket.wait_ms(0)), (Some(1_100), Some(0)));
        assert_eq!(bucket.gauge().remaining, 0);
        bucket.give(11);
        assert_eq!(bucket.wait_ms(1), Some(0));
        bucket.take_what_is_there(5);
        assert_eq!(bucket.wait_ms(1), Some(100), "no debt is made");
    }

    #[test]
    fn in_the_long_run_exactly_the_limit_passes() {
        let mut bucket = Bucket::full(7, 0);
        let mut passed = 0;
        for now_ms in 0..600_000 {
            bucket.refill(now_ms);
            if bucket.wait_ms(1) == Some(0) {
                bucket.take(1);
                passed += 1;
            }
        }
        assert_eq!(passed, 7 + 69, "a full bucket, and seven in each of ten minutes but what the last has not filled");
    }
}
