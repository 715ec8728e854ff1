//! The limits of one model and what was taken of them: what a ledger of limits decides, as plain arithmetic. Pure.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use super::turns::Turns;
use super::{
    AHEAD_NS, Claimant, Correction, DEPTH_NS, Dimension, Observed, Quota, SLICE_CALLS, SLOTS_MS, Slice, TURN_MS, Want,
};
use crate::pacing::{Gcra, Rate};

const MS_NS: u64 = 1_000_000;
/// How long a rate that a provider told is believed, in nanoseconds.
const TOLD_NS: u64 = 60_000 * MS_NS;

/// The limits of one model.
#[derive(Debug)]
pub(in crate::ledger) struct Limit {
    begun_ns: u64,
    taken: BTreeMap<usize, Gcra>,
    /// Rates that the provider told, and until when they are believed.
    told: BTreeMap<usize, (NonZeroU64, u64)>,
    told_quota: Quota,
    set_quota: Option<Quota>,
    paused_ns: u64,
    turns: Turns,
    /// Slots of each claimant, and until when they live.
    slots: BTreeMap<String, (u64, u64)>,
}

fn holder(claimant: &Claimant) -> String {
    format!("{}:{}", claimant.job, claimant.worker.0)
}

impl Limit {
    /// Limits of which everything was just used.
    pub(in crate::ledger) fn empty(now_ns: u64) -> Self {
        Self {
            begun_ns: now_ns,
            taken: BTreeMap::new(),
            told: BTreeMap::new(),
            told_quota: Quota::default(),
            set_quota: None,
            paused_ns: 0,
            turns: Turns::default(),
            slots: BTreeMap::new(),
        }
    }

    fn quota(&self) -> Quota {
        self.set_quota.unwrap_or(self.told_quota)
    }

    /// The limits that there are, by their place among the dimensions.
    fn rates(&self, now_ns: u64) -> Vec<(usize, Dimension, Rate)> {
        let quota = self.quota();
        let rate = |(place, dimension): (usize, Dimension)| {
            let told =
                self.told.get(&place).filter(|(_, until_ns)| *until_ns > now_ns).map(|(per_minute, _)| *per_minute);
            let set = quota.per_minute(dimension);
            let per_minute = set.map(|set| told.map_or(set, |told| told.min(set))).or(told)?;
            Some((place, dimension, Rate { per_minute, depth_ns: DEPTH_NS }))
        };
        Dimension::ALL.into_iter().enumerate().filter_map(rate).collect()
    }

    fn gcra(&mut self, place: usize, rate: &Rate) -> &mut Gcra {
        let (begun_ns, paused_ns) = (self.begun_ns, self.paused_ns);
        self.taken.entry(place).or_insert_with(|| {
            let mut gcra = Gcra::empty(rate, begun_ns);
            if paused_ns > 0 {
                gcra.empty_until(rate, paused_ns);
            }
            gcra
        })
    }

    pub(super) fn want(&mut self, want: &Want, now_ns: u64) -> Slice {
        self.told_quota = want.quota;
        let part = self.turns.arrive(&want.claimant, now_ns);
        let slots = self.give_slots(want, |whole| part.of(whole), now_ns);
        let later = |wait_ns: u64| Slice { calls: 0, wait_ns, length_ns: 0, slots };
        if want.calls == 0 {
            return later(0);
        }
        if slots == 0 || self.turns.is_ahead(&want.claimant, now_ns) {
            self.turns.wait(&want.claimant, now_ns.saturating_add(TURN_MS * MS_NS));
            return later(TURN_MS * MS_NS);
        }
        let rates = self.rates(now_ns);
        let most_ns = part.of(AHEAD_NS);
        let fits = rates.iter().map(|(_, dimension, rate)| rate.units_in(most_ns) / want.each.of(*dimension).max(1));
        let calls = fits.min().unwrap_or(SLICE_CALLS).clamp(1, SLICE_CALLS).min(want.calls);
        let take = want.each.times(calls);
        let mut start_ns = now_ns.max(self.paused_ns);
        for (place, dimension, rate) in &rates {
            start_ns = start_ns.max(self.gcra(*place, rate).start_ns(rate, take.of(*dimension), now_ns));
        }
        if start_ns > now_ns.saturating_add(AHEAD_NS) {
            let wait_ns = start_ns - now_ns - AHEAD_NS;
            self.turns.wait(&want.claimant, now_ns.saturating_add(wait_ns));
            return later(wait_ns);
        }
        for (place, dimension, rate) in &rates {
            self.gcra(*place, rate).take(rate, take.of(*dimension), now_ns);
        }
        let length_ns = rates.iter().map(|(_, dimension, rate)| rate.cost_ns(take.of(*dimension))).max().unwrap_or(0);
        self.turns.serve(&want.claimant, length_ns);
        if calls < want.calls {
            self.turns.wait(&want.claimant, start_ns.saturating_add(length_ns));
        }
        Slice { calls, wait_ns: start_ns - now_ns, length_ns, slots }
    }

    /// Gives slots for [`SLOTS_MS`]. Where there are not enough, nobody has more than its part, but for calls that run.
    fn give_slots(&mut self, want: &Want, part: impl Fn(u64) -> u64, now_ns: u64) -> u64 {
        let wanted = want.slots.max(want.running);
        let Some(all) = self.quota().concurrency.map(NonZeroU64::get) else { return wanted };
        let holder = holder(&want.claimant);
        self.slots.retain(|_, (_, until_ns)| *until_ns > now_ns);
        self.slots.remove(&holder);
        let others: u64 = self.slots.values().map(|(slots, _)| slots).sum();
        let free = all.saturating_sub(others);
        let given = if wanted <= free { wanted } else { wanted.min(free).min(part(all).max(1)) };
        let given = given.max(want.running);
        if given > 0 {
            self.slots.insert(holder, (given, now_ns.saturating_add(SLOTS_MS * MS_NS)));
        }
        given
    }

    pub(super) fn correct(&mut self, claimant: &Claimant, correction: &Correction, now_ns: u64) {
        let Correction { unused, overrun } = correction;
        let mut refund_ns = 0;
        for (place, dimension, rate) in self.rates(now_ns) {
            let gcra = self.gcra(place, &rate);
            gcra.give_back(&rate, unused.of(dimension));
            if overrun.of(dimension) > 0 {
                gcra.take(&rate, overrun.of(dimension), now_ns);
            }
            refund_ns = refund_ns.max(rate.cost_ns(unused.of(dimension)));
        }
        self.turns.refund(claimant, refund_ns);
    }

    pub(super) fn leave(&mut self, claimant: &Claimant) {
        self.slots.remove(&holder(claimant));
        self.turns.leave(claimant);
    }

    pub(super) fn set_quota(&mut self, quota: Option<&Quota>) {
        self.set_quota = quota.copied();
    }

    pub(super) fn observed(&mut self, dimension: Dimension, observed: &Observed, now_ns: u64) {
        let is_its = |(_, known): &(usize, Dimension)| *known == dimension;
        let Some((place, _)) = Dimension::ALL.into_iter().enumerate().find(is_its) else { return };
        if let Some(per_minute) = observed.per_minute {
            self.told.insert(place, (per_minute, now_ns.saturating_add(TOLD_NS)));
        }
        if let Some(remaining) = observed.remaining {
            let rate = self.rates(now_ns).into_iter().find(|(known, ..)| *known == place);
            if let Some((_, _, rate)) = rate {
                self.gcra(place, &rate).lower_to(&rate, remaining, now_ns);
            }
        }
    }

    pub(super) fn pause(&mut self, for_ms: u64, now_ns: u64) {
        let until_ns = now_ns.saturating_add(for_ms.saturating_mul(MS_NS));
        self.paused_ns = self.paused_ns.max(until_ns);
        for (place, _, rate) in self.rates(now_ns) {
            self.gcra(place, &rate).empty_until(&rate, until_ns);
        }
    }
}
