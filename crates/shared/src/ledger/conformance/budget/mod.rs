//! The law of budgets: what every adapter must do, run against each. It panics where the law is broken.

use std::sync::Arc;

use async_trait::async_trait;

use super::{job_id, shard};
use crate::job::{Name, NanoUsd};
use crate::ledger::budget::{
    BudgetView, Budgets, Declaration, Hold, Month, Noted, Open, Reserved, Restored, Scope, Settled, Ticket,
};
use crate::ledger::{Epoch, Fence, LEASE_MS, Lease};

mod holds;
mod lost;
mod model;

/// A ledger of money that the suite may wipe, and whose time it moves.
#[async_trait]
pub trait House: Send + Sync {
    /// The ledger, as one more process knows it.
    fn budgets(&self) -> Arc<dyn Budgets>;

    /// Lets so many milliseconds pass for the ledger. Less than a second may pass by itself.
    fn advance(&self, by_ms: u64);

    /// Loses everything.
    async fn wipe(&self);
}

/// Runs the whole suite, with so many random runs against plain arithmetic.
pub async fn all(house: &dyn House, runs: u64) {
    holds::a_hold_is_taken_from_all_budgets_or_none(house).await;
    holds::who_must_wait_is_told_from_who_cannot_be_paid(house).await;
    holds::a_repeated_request_is_given_its_hold_again(house).await;
    holds::two_who_want_one_answer_do_not_both_pay(house).await;
    holds::a_settle_counts_once(house).await;
    holds::a_price_above_its_hold_is_an_alarm(house).await;
    holds::a_cap_is_raised_and_not_lowered_below_what_is_gone(house).await;
    holds::a_budget_is_used_to_the_last_nano(house).await;
    lost::a_lease_that_ends_spends_its_holds_until_they_are_corrected(house).await;
    lost::a_budget_that_is_not_known_pays_nothing(house).await;
    lost::what_was_open_is_declared_to_lost_books(house).await;
    lost::an_allowance_stands_for_who_does_not_speak(house).await;
    lost::a_later_leader_corrects_until_the_budget_is_open(house).await;
    for seed in 0..runs {
        model::a_random_run_agrees_with_arithmetic(house, seed).await;
    }
}

const CAP: NanoUsd = NanoUsd::dollars(5);

fn cents(cents: u64) -> NanoUsd {
    NanoUsd(cents * 10_000_000)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("the suite's names are allowed")
}

fn lease(job: &str, index: u64, fence: u64) -> Lease {
    Lease { job: job_id(job), shard: shard(index), fence: Fence(fence) }
}

fn of_job(job: &str) -> Scope {
    Scope::Job(job_id(job))
}

fn of_tenant() -> Scope {
    Scope::Tenant(Month::of_unix_ms(0))
}

/// One tenant's desk: a test has a tenant of its own.
struct Desk {
    budgets: Arc<dyn Budgets>,
    tenant: Name,
}

impl Desk {
    fn new(house: &dyn House, tenant: &str) -> Self {
        Self { budgets: house.budgets(), tenant: name(tenant) }
    }

    async fn restore(&self, scope: &Scope, restored: Restored) {
        self.budgets.restore(Some(&self.tenant), scope, &restored).await.expect("restores");
    }

    /// Opens a new budget.
    async fn open(&self, scope: &Scope, cap: NanoUsd) {
        self.restore(scope, Restored { epoch: Epoch(1), cap, spent: NanoUsd::ZERO, closed_ms: 0 }).await;
    }

    async fn reserve(&self, hold: &Hold) -> Reserved {
        let answers = self.budgets.reserve(Some(&self.tenant), std::slice::from_ref(hold)).await.expect("answers");
        let [answer] = &answers[..] else { panic!("{answers:?}") };
        answer.clone()
    }

    async fn go(&self, hold: &Hold) -> Ticket {
        match self.reserve(hold).await {
            Reserved::Go(ticket) => ticket,
            other => panic!("expected a hold, got {other:?}"),
        }
    }

    async fn settle(&self, hold: &Hold, ticket: Ticket, actual: NanoUsd) -> Noted {
        let settled = Settled { hold: hold.clone(), ticket, actual };
        self.budgets.settle(Some(&self.tenant), &[settled]).await.expect("answers")[0]
    }

    async fn declare(&self, lease: &Lease, open: Open) -> Noted {
        let declaration = Declaration { lease: lease.clone(), open };
        self.budgets.declare(Some(&self.tenant), &[declaration]).await.expect("answers")[0]
    }

    async fn keep(&self, lease: &Lease) {
        self.budgets.keep(Some(&self.tenant), std::slice::from_ref(lease)).await.expect("keeps");
    }

    async fn view(&self, scope: &Scope) -> BudgetView {
        self.budgets.view_budget(Some(&self.tenant), scope).await.expect("sees").expect("is known")
    }

    /// What is spent and held.
    async fn figures(&self, scope: &Scope) -> (NanoUsd, NanoUsd) {
        let seen = self.view(scope).await;
        (seen.spent, seen.held)
    }
}

fn hold(id: &str, lease: &Lease, amount: NanoUsd, scopes: &[Scope]) -> Hold {
    Hold { id: name(id), request: name(&format!("r-{id}")), lease: lease.clone(), amount, scopes: scopes.into() }
}

/// A closed time as after a wipe.
fn after_a_wipe(epoch: u64, cap: NanoUsd, spent: NanoUsd) -> Restored {
    Restored { epoch: Epoch(epoch), cap, spent, closed_ms: LEASE_MS }
}
