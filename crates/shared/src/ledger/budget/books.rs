//! The budgets of one tenant and the holds against them: what a ledger of money decides, as plain arithmetic. Pure.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::account::{Account, Room};
use super::{BudgetView, Declaration, Hold, Noted, Open, Reserved, Restored, Scope, Settled, Ticket, World};
use crate::job::{Name, NanoUsd};
use crate::ledger::{LEASE_MS, Lease, LedgerError};

/// One tenant's books.
#[derive(Debug)]
pub(in crate::ledger) struct Books {
    world: World,
    last: Ticket,
    accounts: HashMap<Scope, Account>,
    open: HashMap<Ticket, Held>,
    ids: HashMap<Name, Sought>,
    leases: HashMap<String, Alive>,
    ended: HashMap<Ticket, Ended>,
    /// What leases that waited for an answer are to be told of it, and which request was told.
    bought: HashMap<(String, Name), (NanoUsd, Option<Name>)>,
}

/// An open hold. An allowance is one without an answer.
#[derive(Clone, Debug)]
struct Held {
    wish: Option<(Name, Name)>,
    lease: String,
    amount: NanoUsd,
    scopes: Arc<[Scope]>,
}

/// An answer that is being bought, and who else wants it.
#[derive(Debug)]
struct Sought {
    ticket: Ticket,
    waiting: BTreeSet<String>,
}

#[derive(Debug)]
struct Alive {
    until_ms: u64,
    tickets: BTreeSet<Ticket>,
}

/// A hold that is gone and could be told of again.
#[derive(Debug)]
struct Ended {
    /// What was counted as spent for it when its lease ended; nothing once its price is known.
    worst: Option<NanoUsd>,
    scopes: Arc<[Scope]>,
}

impl Held {
    fn of(hold: &Hold) -> Self {
        let wish = Some((hold.id.clone(), hold.request.clone()));
        Self { wish, lease: hold.lease.text(), amount: hold.amount, scopes: Arc::clone(&hold.scopes) }
    }
}

impl Books {
    /// Empty books. No earlier books of the tenant may have had a number as high as `world`.
    pub(in crate::ledger) fn new(world: World) -> Self {
        Self {
            world,
            last: Ticket(world.0),
            accounts: HashMap::new(),
            open: HashMap::new(),
            ids: HashMap::new(),
            leases: HashMap::new(),
            ended: HashMap::new(),
            bought: HashMap::new(),
        }
    }

    /// Closes what belonged to leases that are over. To be called before anything else is asked.
    pub(super) fn pass(&mut self, now_ms: u64) {
        let over = self.leases.iter().filter(|(_, alive)| alive.until_ms <= now_ms);
        let over: Vec<String> = over.map(|(lease, _)| lease.clone()).collect();
        for lease in over {
            self.end(&lease);
        }
    }

    pub(super) fn reserve(&mut self, hold: &Hold, now_ms: u64) -> Reserved {
        let is_open = |scope| self.accounts.get(scope).is_some_and(|account| account.is_open(now_ms));
        if !hold.scopes.iter().all(is_open) {
            return Reserved::Closed;
        }
        if let Some(answer) = self.sought(hold, now_ms).or_else(|| self.bought(hold)) {
            return answer;
        }
        let mut is_full = false;
        for scope in &*hold.scopes {
            match self.accounts.get(scope).map_or(Room::Never, |account| account.room(hold.amount)) {
                Room::Enough => {}
                Room::Later => is_full = true,
                Room::Never => return Reserved::Exhausted(scope.clone()),
            }
        }
        if is_full {
            return Reserved::Wait;
        }
        self.last.0 += 1;
        let ticket = self.last;
        self.take(ticket, Held::of(hold), now_ms);
        Reserved::Go(ticket)
    }

    /// The answer to who wants what is being bought.
    fn sought(&mut self, hold: &Hold, now_ms: u64) -> Option<Reserved> {
        let sought = self.ids.get_mut(&hold.id)?;
        let wish = self.open.get(&sought.ticket).and_then(|held| held.wish.as_ref());
        if wish.is_some_and(|(_, request)| *request == hold.request) {
            return Some(Reserved::Go(sought.ticket));
        }
        let lease = hold.lease.text();
        sought.waiting.insert(lease.clone());
        self.alive(&lease, now_ms);
        Some(Reserved::Wait)
    }

    /// The answer to who waited for what was bought meanwhile.
    fn bought(&mut self, hold: &Hold) -> Option<Reserved> {
        let key = (hold.lease.text(), hold.id.clone());
        let (actual, told) = self.bought.get_mut(&key)?;
        if told.as_ref().is_none_or(|told| *told == hold.request) {
            *told = Some(hold.request.clone());
            return Some(Reserved::Known(*actual));
        }
        self.bought.remove(&key);
        None
    }

    fn take(&mut self, ticket: Ticket, held: Held, now_ms: u64) {
        for account in held.scopes.iter() {
            if let Some(account) = self.accounts.get_mut(account) {
                account.hold(held.amount);
            }
        }
        if let Some((id, _)) = &held.wish {
            self.ids.entry(id.clone()).or_insert_with(|| Sought { ticket, waiting: BTreeSet::new() });
        }
        self.alive(&held.lease, now_ms).tickets.insert(ticket);
        self.open.insert(ticket, held);
    }

    fn alive(&mut self, lease: &str, now_ms: u64) -> &mut Alive {
        let alive = self.leases.entry(lease.to_owned());
        let alive = alive.or_insert_with(|| Alive { until_ms: 0, tickets: BTreeSet::new() });
        alive.until_ms = now_ms.saturating_add(LEASE_MS);
        alive
    }

    /// Takes a hold out of the books; the leases that waited for its answer.
    fn release(&mut self, ticket: Ticket) -> Option<(Held, BTreeSet<String>)> {
        let held = self.open.remove(&ticket)?;
        self.each(&held.scopes, |account| account.unhold(held.amount));
        if let Some(alive) = self.leases.get_mut(&held.lease) {
            alive.tickets.remove(&ticket);
        }
        let is_its = |id: &&Name| self.ids.get(*id).is_some_and(|sought| sought.ticket == ticket);
        let id = held.wish.as_ref().map(|(id, _)| id).filter(is_its).cloned();
        let waiting = id.and_then(|id| self.ids.remove(&id)).map(|sought| sought.waiting).unwrap_or_default();
        Some((held, waiting))
    }

    fn each(&mut self, scopes: &[Scope], act: impl Fn(&mut Account)) {
        for scope in scopes {
            if let Some(account) = self.accounts.get_mut(scope) {
                act(account);
            }
        }
    }

    pub(super) fn settle(&mut self, settled: &Settled) -> Noted {
        let Settled { hold, ticket, actual } = settled;
        let is_of_lost_books = ticket.0 < self.world.0;
        if let Some((held, waiting)) = self.release(*ticket) {
            self.each(&held.scopes, |account| account.spend(*actual, held.amount));
            for lease in waiting.into_iter().filter(|lease| self.leases.contains_key(lease)) {
                self.bought.insert((lease, hold.id.clone()), (*actual, None));
            }
        } else if let Some(ended) = self.ended.remove(ticket) {
            if let Some(worst) = ended.worst {
                self.each(&ended.scopes, |account| {
                    account.unspend(worst);
                    account.spend(*actual, worst);
                });
            }
        } else if is_of_lost_books {
            if !self.knows(&hold.scopes) {
                return Noted::Closed;
            }
            self.each(&hold.scopes, |account| account.spend(*actual, hold.amount));
        }
        if is_of_lost_books {
            // It may be told by a journal, too.
            self.ended.insert(*ticket, Ended { worst: None, scopes: Arc::clone(&hold.scopes) });
        }
        Noted::Done
    }

    fn knows(&self, scopes: &[Scope]) -> bool {
        scopes.iter().all(|scope| self.accounts.contains_key(scope))
    }

    pub(super) fn declare(&mut self, declaration: &Declaration, now_ms: u64) -> Noted {
        let lease = declaration.lease.text();
        match &declaration.open {
            Open::Holds(holds) => {
                if !holds.iter().all(|(_, hold)| self.knows(&hold.scopes)) {
                    return Noted::Closed;
                }
                self.give_back_allowance(&lease);
                self.alive(&lease, now_ms);
                for (ticket, hold) in holds {
                    let is_known = self.open.contains_key(ticket) || self.ended.contains_key(ticket);
                    if ticket.0 < self.world.0 && !is_known {
                        self.take(*ticket, Held::of(hold), now_ms);
                    }
                }
            }
            Open::Allowance(amount, scopes) => {
                if !self.knows(scopes) {
                    return Noted::Closed;
                }
                if !self.leases.contains_key(&lease) {
                    self.last.0 += 1;
                    let held = Held { wish: None, lease, amount: *amount, scopes: Arc::clone(scopes) };
                    self.take(self.last, held, now_ms);
                }
            }
        }
        Noted::Done
    }

    fn give_back_allowance(&mut self, lease: &str) {
        let tickets = self.leases.get(lease).map(|alive| alive.tickets.clone()).unwrap_or_default();
        for ticket in tickets {
            if self.open.get(&ticket).is_some_and(|held| held.wish.is_none()) {
                self.release(ticket);
            }
        }
    }

    pub(super) fn keep(&mut self, leases: &[Lease], now_ms: u64) -> World {
        for lease in leases {
            if let Some(alive) = self.leases.get_mut(&lease.text()) {
                alive.until_ms = now_ms.saturating_add(LEASE_MS);
            }
        }
        self.world
    }

    /// Counts what is open of a lease as spent.
    pub(super) fn end(&mut self, lease: &str) {
        let tickets = self.leases.get(lease).map(|alive| alive.tickets.clone()).unwrap_or_default();
        for ticket in tickets {
            if let Some((held, _)) = self.release(ticket) {
                self.each(&held.scopes, |account| account.spend(held.amount, held.amount));
                self.ended.insert(ticket, Ended { worst: Some(held.amount), scopes: held.scopes });
            }
        }
        self.leases.remove(lease);
        self.bought.retain(|(waiting, _), _| waiting != lease);
    }

    pub(super) fn restore(&mut self, scope: &Scope, restored: &Restored, now_ms: u64) {
        match self.accounts.get_mut(scope) {
            Some(account) => account.correct(restored, now_ms),
            None => drop(self.accounts.insert(scope.clone(), Account::new(restored, now_ms))),
        }
    }

    pub(super) fn set_cap(&mut self, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
        let account = self.accounts.get_mut(scope).ok_or_else(|| LedgerError::Unknown(scope.to_string()))?;
        account.set_cap(scope, cap)
    }

    pub(super) fn view(&self, scope: &Scope, now_ms: u64) -> Option<BudgetView> {
        self.accounts.get(scope).map(|account| account.view(now_ms))
    }

    pub(super) fn forget(&mut self, scope: &Scope) {
        self.accounts.remove(scope);
        self.ended.retain(|_, ended| !ended.scopes.contains(scope));
    }
}
