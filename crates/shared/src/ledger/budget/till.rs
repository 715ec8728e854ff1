//! What a process wants of its tenant's books and has told them: the next round of a cashier, decided. Pure.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Declaration, Hold, Noted, Open, Reserved, Settled, Ticket, World};
use crate::job::NanoUsd;
use crate::ledger::Lease;

/// Wishes and prices of one round: no other process waits long for it.
const TOGETHER: usize = 256;
/// How often who must wait asks again, for what other processes gave back; in milliseconds.
const POLL_MS: u64 = 200;
/// Who polls without knowing that anything came back.
const POLLED: usize = 16;

/// The number of a wish, of one process.
pub(super) type Number = u64;

/// What waits, and what is open or could be told again.
#[derive(Debug, Default)]
pub(super) struct Till {
    numbers: Number,
    fresh: VecDeque<(Number, Hold)>,
    /// Told to wait, or that a budget is closed; in the order in which they came.
    waiting: VecDeque<(Number, Hold)>,
    open: HashMap<Ticket, Hold>,
    untold: VecDeque<Settled>,
    /// Of each lease that runs, what books that are lost would have to be told again.
    leases: HashMap<Lease, Vec<Settled>>,
    /// Prices that were told since who waits asked.
    returned: usize,
    poll_ms: u64,
    /// A budget was found closed, and nobody has looked yet whether the books are lost.
    is_closed: bool,
    world: Option<World>,
}

/// What is told and asked together.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) settled: Vec<Settled>,
    pub(super) wishes: Vec<(Number, Hold)>,
}

impl Till {
    /// Takes a wish.
    pub(super) fn wish(&mut self, hold: Hold) -> Number {
        self.numbers += 1;
        self.leases.entry(hold.lease.clone()).or_default();
        self.fresh.push_back((self.numbers, hold));
        self.numbers
    }

    /// Takes the price of an open hold; what was held for it.
    pub(super) fn settle(&mut self, ticket: Ticket, actual: NanoUsd) -> Option<NanoUsd> {
        let hold = self.open.remove(&ticket)?;
        let held = hold.amount;
        let settled = Settled { hold, ticket, actual };
        if let Some(told) = self.leases.get_mut(&settled.hold.lease) {
            told.push(settled.clone());
        }
        self.untold.push_back(settled);
        Some(held)
    }

    /// Whether something could be told or asked at once.
    pub(super) fn is_busy(&self) -> bool {
        !self.fresh.is_empty() || !self.untold.is_empty() || (self.returned > 0 && !self.waiting.is_empty())
    }

    /// When who waits asks again; nothing while nobody does.
    pub(super) fn poll_ms(&self) -> Option<u64> {
        (!self.waiting.is_empty()).then_some(self.poll_ms)
    }

    /// What is to be told and asked now; `is_wanted` says whether somebody still waits for a wish.
    pub(super) fn round(&mut self, now_ms: u64, is_wanted: impl Fn(Number) -> bool) -> Round {
        self.waiting.retain(|(number, _)| is_wanted(*number));
        self.fresh.retain(|(number, _)| is_wanted(*number));
        let settled: Vec<Settled> = self.untold.drain(..self.untold.len().min(TOGETHER)).collect();
        let may_ask = match now_ms >= self.poll_ms {
            true => POLLED.max(self.returned * 2),
            false => self.returned * 2,
        };
        let again = self.waiting.len().min(may_ask).min(TOGETHER);
        if again > 0 {
            (self.returned, self.poll_ms) = (0, now_ms + POLL_MS);
        }
        let mut wishes: Vec<(Number, Hold)> = self.waiting.drain(..again).collect();
        let fresh = self.fresh.len().min(TOGETHER - again);
        wishes.extend(self.fresh.drain(..fresh));
        Round { settled, wishes }
    }

    /// Puts back what could not be told or asked.
    pub(super) fn put_back(&mut self, round: Round) {
        for settled in round.settled.into_iter().rev() {
            self.untold.push_front(settled);
        }
        for wish in round.wishes.into_iter().rev() {
            self.fresh.push_front(wish);
        }
    }

    /// Notes what became of prices.
    pub(super) fn noted(&mut self, settled: Vec<Settled>, answers: &[Noted]) {
        for (settled, answer) in settled.into_iter().zip(answers) {
            match answer {
                Noted::Done => self.returned += 1,
                Noted::Closed => {
                    self.is_closed = true;
                    self.untold.push_back(settled);
                }
            }
        }
    }

    /// Notes what became of wishes; those that are final, with their amounts.
    pub(super) fn answered(
        &mut self,
        wishes: Vec<(Number, Hold)>,
        answers: Vec<Reserved>,
        now_ms: u64,
    ) -> Vec<(Number, NanoUsd, Reserved)> {
        let (mut last, mut waiting) = (Vec::new(), Vec::new());
        for ((number, hold), answer) in wishes.into_iter().zip(answers) {
            match answer {
                Reserved::Wait => waiting.push((number, hold)),
                Reserved::Closed => {
                    self.is_closed = true;
                    waiting.push((number, hold));
                }
                Reserved::Go(ticket) => {
                    last.push((number, hold.amount, Reserved::Go(ticket)));
                    self.open.insert(ticket, hold);
                }
                answer => last.push((number, hold.amount, answer)),
            }
        }
        if self.waiting.is_empty() && !waiting.is_empty() {
            self.poll_ms = now_ms + POLL_MS;
        }
        self.waiting.extend(waiting);
        self.waiting.make_contiguous().sort_by_key(|(number, _)| *number);
        last
    }

    /// Whether somebody should look which world this is.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The leases to keep.
    pub(super) fn leases(&self) -> Vec<Lease> {
        self.leases.keys().cloned().collect()
    }

    /// What to declare to a world that is not the one that was told everything; nothing if it is.
    pub(super) fn declarations(&mut self, world: World) -> Option<Vec<Declaration>> {
        self.is_closed = false;
        let known = *self.world.get_or_insert(world);
        (known != world).then(|| {
            let declaration = |lease: &Lease| {
                let its = self.open.iter().filter(|(_, hold)| hold.lease == *lease);
                let holds = its.map(|(ticket, hold)| (*ticket, hold.clone())).collect();
                Declaration { lease: lease.clone(), open: Open::Holds(holds) }
            };
            self.leases.keys().map(declaration).collect()
        })
    }

    /// A new world was told what is open: all prices of leases that run are told again.
    pub(super) fn declared(&mut self, world: World) {
        self.world = Some(world);
        let untold: HashSet<Ticket> = self.untold.iter().map(|settled| settled.ticket).collect();
        let again = self.leases.values().flatten().filter(|settled| !untold.contains(&settled.ticket));
        self.untold.extend(again.cloned().collect::<Vec<_>>());
    }

    /// Whether all prices of a lease are in the books.
    pub(super) fn is_told(&self, lease: &Lease) -> bool {
        self.untold.iter().all(|settled| settled.hold.lease != *lease)
    }

    /// Forgets a lease that is over.
    pub(super) fn end(&mut self, lease: &Lease) {
        self.leases.remove(lease);
    }
}
