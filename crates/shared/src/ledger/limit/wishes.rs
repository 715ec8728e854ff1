//! The calls of one process that wait for a model's limits, and the slice that they are made from. Pure.

use std::collections::VecDeque;

use super::{Correction, Need, SLICE_CALLS, SLOTS_MS, Slice};

const MS_NS: u64 = 1_000_000;
/// How long after its end a slice may be used, in nanoseconds.
const LATE_NS: u64 = 1_000 * MS_NS;
/// Slots are kept when so much of their life is over, in nanoseconds.
const KEEP_NS: u64 = SLOTS_MS / 3 * MS_NS;

/// The number of a wish, of one process.
pub(in crate::ledger) type Number = u64;

/// What is left of a slice.
#[derive(Debug)]
struct Left {
    calls: u64,
    each: Need,
    next_ns: u64,
    step_ns: u64,
    expires_ns: u64,
}

/// What is asked of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Ask {
    pub(in crate::ledger) calls: u64,
    pub(in crate::ledger) each: Need,
    pub(in crate::ledger) slots: u64,
    pub(in crate::ledger) running: u64,
}

/// Who waits, what runs, and what may be made.
#[derive(Debug, Default)]
pub(in crate::ledger) struct Wishes {
    waiting: VecDeque<(Number, Need)>,
    running: u64,
    slots: u64,
    keep_ns: u64,
    left: Option<Left>,
    retry_ns: u64,
    correction: Correction,
}

impl Wishes {
    pub(in crate::ledger) fn wish(&mut self, number: Number, need: Need) {
        self.waiting.push_back((number, need));
    }

    /// The calls that may be made now, with what they were estimated at.
    pub(in crate::ledger) fn go(&mut self, now_ns: u64) -> Vec<(Number, Need)> {
        self.expire(now_ns);
        let mut gone = Vec::new();
        let Some(left) = &mut self.left else { return gone };
        while left.calls > 0 && left.next_ns <= now_ns && self.running < self.slots {
            let Some((number, need)) = self.waiting.pop_front() else { break };
            left.calls -= 1;
            left.next_ns = left.next_ns.saturating_add(left.step_ns);
            self.running += 1;
            gone.push((number, need));
        }
        let each = left.each;
        for (_, need) in &gone {
            self.correct(each, *need);
        }
        gone
    }

    /// Gives back what is left of a slice whose time is over.
    fn expire(&mut self, now_ns: u64) {
        if let Some(left) = self.left.take_if(|left| left.calls == 0 || left.expires_ns <= now_ns) {
            self.correct(left.each.times(left.calls), Need::default());
        }
    }

    /// Notes that so much was taken and so much was used.
    fn correct(&mut self, taken: Need, used: Need) {
        let Correction { unused, overrun } = self.correction;
        let (unused, overrun) = (unused.plus(taken.beyond(used)), overrun.plus(used.beyond(taken)));
        self.correction = Correction { unused: unused.beyond(overrun), overrun: overrun.beyond(unused) };
    }

    /// Notes that a call ended that was estimated at `need` and took `used`.
    pub(in crate::ledger) fn ended(&mut self, need: Need, used: Need) {
        self.running = self.running.saturating_sub(1);
        self.correct(need, used);
    }

    /// What is to be corrected, once.
    pub(in crate::ledger) fn correction(&mut self) -> Option<Correction> {
        let correction = std::mem::take(&mut self.correction);
        (correction != Correction::default()).then_some(correction)
    }

    /// What to ask the ledger for now.
    pub(in crate::ledger) fn ask(&self, now_ns: u64) -> Option<Ask> {
        let wants_more = self.left.is_none() && !self.waiting.is_empty() && self.retry_ns <= now_ns;
        let keeps_slots = self.keep_ns <= now_ns && self.running > 0;
        if !wants_more && !keeps_slots {
            return None;
        }
        let waiting = self.waiting.len() as u64;
        let calls = if wants_more { waiting.min(SLICE_CALLS) } else { 0 };
        let total = self.waiting.iter().take(usize::try_from(calls).unwrap_or(usize::MAX));
        let total = total.fold(Need::default(), |sum, (_, need)| sum.plus(*need));
        let mean = |units: u64| units.div_ceil(calls.max(1));
        let each = Need {
            requests: mean(total.requests),
            input_tokens: mean(total.input_tokens),
            output_tokens: mean(total.output_tokens),
        };
        Some(Ask { calls, each, slots: self.running + waiting, running: self.running })
    }

    /// Notes what the ledger gave.
    pub(in crate::ledger) fn given(&mut self, ask: &Ask, slice: &Slice, now_ns: u64) {
        (self.slots, self.keep_ns) = (slice.slots, now_ns.saturating_add(KEEP_NS));
        if ask.calls == 0 {
            return;
        }
        let begins_ns = now_ns.saturating_add(slice.wait_ns);
        if slice.calls == 0 {
            self.retry_ns = begins_ns;
            return;
        }
        self.left = Some(Left {
            calls: slice.calls,
            each: ask.each,
            next_ns: begins_ns,
            step_ns: slice.length_ns / slice.calls,
            expires_ns: begins_ns.saturating_add(slice.length_ns).saturating_add(LATE_NS),
        });
    }

    /// Asks nothing before a moment.
    pub(in crate::ledger) fn pause(&mut self, until_ns: u64) {
        (self.retry_ns, self.keep_ns) = (self.retry_ns.max(until_ns), self.keep_ns.max(until_ns));
    }

    /// Makes no call before a moment: the provider said so.
    pub(in crate::ledger) fn hold_back(&mut self, until_ns: u64) {
        if let Some(left) = &mut self.left {
            left.next_ns = left.next_ns.max(until_ns);
        }
    }

    /// When there is something to do; nothing while nobody waits and nothing runs or is left.
    pub(in crate::ledger) fn due_ns(&self) -> Option<u64> {
        let left = self.left.as_ref().map(|left| {
            let may_go = !self.waiting.is_empty() && self.running < self.slots && left.calls > 0;
            if may_go {
                left.next_ns
            } else if left.calls == 0 {
                0
            } else {
                left.expires_ns
            }
        });
        let wants = (self.left.is_none() && !self.waiting.is_empty()).then_some(self.retry_ns);
        let keeps = (self.running > 0).then_some(self.keep_ns);
        [left, wants, keeps].into_iter().flatten().min()
    }

    /// Whether nothing waits, runs or is left.
    pub(in crate::ledger) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running == 0 && self.left.is_none()
    }
}
