//! A limit that fills evenly, in whole nanoseconds: the generic cell rate algorithm with costs that differ. Pure.
//!
//! One number is kept: the moment at which all that was taken is paid for. Up to `depth_ns` of time may lie unused and be taken at
//! once; what costs more than that waits for all of it, and leaves a debt.

use std::num::NonZeroU64;

const MINUTE_NS: u64 = 60_000_000_000;

/// How fast a limit fills, and how much of it may be taken at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Units per minute.
    pub per_minute: NonZeroU64,
    /// The time whose units may be taken at once, in nanoseconds.
    pub depth_ns: u64,
}

impl Rate {
    /// The time in which so many units fill, rounded up, in nanoseconds.
    pub fn cost_ns(&self, units: u64) -> u64 {
        let ns = (u128::from(units) * u128::from(MINUTE_NS)).div_ceil(u128::from(self.per_minute.get()));
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// The units that fill in so much time, rounded down.
    pub fn units_in(&self, ns: u64) -> u64 {
        let units = u128::from(ns) * u128::from(self.per_minute.get()) / u128::from(MINUTE_NS);
        u64::try_from(units).unwrap_or(u64::MAX)
    }
}

/// What was taken from a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gcra {
    /// When all of it is paid for, in nanoseconds of the caller's clock.
    paid_ns: u64,
}

impl Gcra {
    /// A limit of which everything was just taken.
    pub fn empty(rate: &Rate, now_ns: u64) -> Self {
        Self { paid_ns: now_ns.saturating_add(rate.depth_ns) }
    }

    /// When so many units may be taken, if nobody takes any before: now or later.
    pub fn start_ns(&self, rate: &Rate, units: u64, now_ns: u64) -> u64 {
        let at_once = rate.cost_ns(units).min(rate.depth_ns);
        self.paid_ns.saturating_add(at_once).saturating_sub(rate.depth_ns).max(now_ns)
    }

    /// Takes units, whether or not they may be taken already.
    pub fn take(&mut self, rate: &Rate, units: u64, now_ns: u64) {
        self.paid_ns = self.paid_ns.max(now_ns).saturating_add(rate.cost_ns(units));
    }

    /// Takes back what was taken and not used.
    pub fn give_back(&mut self, rate: &Rate, units: u64) {
        self.paid_ns = self.paid_ns.saturating_sub(rate.cost_ns(units));
    }

    /// Leaves nothing until a moment: the limit begins to fill then.
    pub fn empty_until(&mut self, rate: &Rate, until_ns: u64) {
        self.paid_ns = self.paid_ns.max(until_ns.saturating_add(rate.depth_ns));
    }

    /// Leaves no more than so many units.
    pub fn lower_to(&mut self, rate: &Rate, units: u64, now_ns: u64) {
        let left_ns = rate.cost_ns(units).min(rate.depth_ns);
        self.paid_ns = self.paid_ns.max(now_ns.saturating_add(rate.depth_ns - left_ns));
    }

    /// Units that may be taken at once.
    pub fn room(&self, rate: &Rate, now_ns: u64) -> u64 {
        let taken_ns = self.paid_ns.saturating_sub(now_ns);
        rate.units_in(rate.depth_ns.saturating_sub(taken_ns))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn rate(per_minute: u64, depth_ns: u64) -> Rate {
        Rate { per_minute: NonZeroU64::new(per_minute).expect("not zero"), depth_ns }
    }

    #[test]
    fn an_empty_limit_fills_evenly_and_no_further_than_its_depth() {
        let rate = rate(6_000, SECOND_NS);
        let gcra = Gcra::empty(&rate, 5 * SECOND_NS);
        let rooms = [5_000, 5_010, 5_019, 5_500, 6_000, 9_000].map(|ms| gcra.room(&rate, ms * 1_000_000));
        assert_eq!(rooms, [0, 1, 1, 50, 100, 100]);
        assert_eq!(gcra.start_ns(&rate, 1, 5 * SECOND_NS), 5_010_000_000);
    }

    #[test]
    fn what_is_larger_than_the_depth_waits_for_all_of_it_and_leaves_a_debt() {
        let rate = rate(60, SECOND_NS);
        let mut gcra = Gcra::empty(&rate, 0);
        assert_eq!(gcra.start_ns(&rate, 20, 0), SECOND_NS);
        gcra.take(&rate, 20, SECOND_NS);
        assert_eq!(gcra.room(&rate, SECOND_NS), 0);
        assert_eq!(gcra.start_ns(&rate, 1, SECOND_NS), 21 * SECOND_NS);
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let rate = rate(6_000, SECOND_NS);
        let mut gcra = Gcra::empty(&rate, 0);
        gcra.take(&rate, 50, 0);
        gcra.give_back(&rate, 50);
        assert_eq!(gcra, Gcra::empty(&rate, 0));
        gcra.give_back(&rate, 1_000_000);
        assert_eq!(gcra.room(&rate, 0), 100, "never more than the depth");
    }

    #[test]
    fn nothing_is_left_until_a_moment() {
        let rate = rate(6_000, SECOND_NS);
        let mut gcra = Gcra::empty(&rate, 0);
        gcra.empty_until(&rate, 7 * SECOND_NS);
        assert_eq!(gcra.start_ns(&rate, 1, 3 * SECOND_NS), 7_010_000_000);
        gcra.lower_to(&rate, 30, 60 * SECOND_NS);
        assert_eq!(gcra.room(&rate, 60 * SECOND_NS), 30);
        gcra.lower_to(&rate, 90, 60 * SECOND_NS);
        assert_eq!(gcra.room(&rate, 60 * SECOND_NS), 30, "it only lowers");
    }

    proptest! {
        /// Whoever takes when it may has never taken more than a bucket that fills evenly gives.
        #[test]
        fn it_never_gives_more_than_a_bucket(
            per_minute in 1_u64..10_000_000,
            depth_ms in 1_u64..5_000,
            takes in prop::collection::vec((0_u64..2_000, 1_u64..500), 1..60),
        ) {
            let rate = rate(per_minute, depth_ms * 1_000_000);
            let (mut gcra, mut now_ns, mut taken) = (Gcra::empty(&rate, 0), 0, 0_u128);
            for (pause_ms, units) in takes {
                now_ns = gcra.start_ns(&rate, units, now_ns + pause_ms * 1_000_000);
                // What is larger than the depth leaves a debt that the next one waits for.
                let depth = u128::from(rate.cost_ns(units).saturating_sub(rate.depth_ns));
                gcra.take(&rate, units, now_ns);
                taken += u128::from(units);
                let filled = u128::from(now_ns) + depth;
                prop_assert!(taken * u128::from(MINUTE_NS) <= filled * u128::from(per_minute));
            }
        }

        /// Whoever always wants the next one at once gets all that fills, but for the rounding up of each.
        #[test]
        fn it_gives_all_that_a_bucket_gives(per_minute in 1_u64..10_000_000, units in 1_u64..500) {
            let rate = rate(per_minute, SECOND_NS);
            let (mut gcra, mut now_ns) = (Gcra::empty(&rate, 0), 0);
            for _ in 0..100 {
                now_ns = gcra.start_ns(&rate, units, now_ns);
                gcra.take(&rate, units, now_ns);
            }
            let exact = u128::from(units) * 100 * u128::from(MINUTE_NS) / u128::from(per_minute);
            prop_assert!(u128::from(now_ns) <= exact + 100 + u128::from(SECOND_NS));
        }
    }
}
