//! The port to money, call by call.

use async_trait::async_trait;

use super::link::Call;
use super::reply::odd;
use super::{LedgerError, RedisLedger};
use crate::job::{Name, NanoUsd};
use crate::ledger::Lease;
use crate::ledger::budget::{
    BudgetView, Budgets, Declaration, Hold, Noted, Open, Reserved, Restored, Scope, Settled, Ticket, World, check_cap,
    too_low,
};

/// Holds of one script: no other caller waits long for it.
const TOGETHER: usize = 256;
/// How long a lease that waited may take to ask what was bought, in milliseconds.
const BOUGHT_MS: u64 = 3_600_000;
/// More than any cap: whoever asks for it has asked for too much.
const MOST: u64 = 4_000_000_000_000_000;

/// Cap, spent, held, open holds, alarms, whether it pays.
type ViewReply = (u64, u64, u64, u64, u64, bool);

fn amount(money: NanoUsd) -> u64 {
    money.0.min(MOST)
}

fn listed(scopes: &[Scope]) -> String {
    let names: Vec<String> = scopes.iter().map(Scope::to_string).collect();
    names.join(" ")
}

fn reserved(text: &str, hold: &Hold) -> Result<Reserved, LedgerError> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    let number = || rest.parse().map_err(|_| odd(text));
    match word {
        "go" => Ok(Reserved::Go(Ticket(number()?))),
        "wait" => Ok(Reserved::Wait),
        "known" => Ok(Reserved::Known(NanoUsd(number()?))),
        "closed" => Ok(Reserved::Closed),
        "exhausted" => {
            let scope = hold.scopes.iter().find(|scope| scope.to_string() == rest);
            scope.cloned().map(Reserved::Exhausted).ok_or_else(|| odd(text))
        }
        _ => Err(odd(text)),
    }
}

fn noted(word: &str) -> Result<Noted, LedgerError> {
    match word {
        "done" => Ok(Noted::Done),
        "closed" => Ok(Noted::Closed),
        other => Err(odd(other)),
    }
}

impl RedisLedger {
    fn declare_call(&self, tenant: Option<&Name>, declaration: &Declaration) -> Call<'_> {
        let call = self.on_money(&self.scripts.money.declare, tenant).arg(declaration.lease.text());
        match &declaration.open {
            Open::Allowance(most, scopes) => {
                call.arg("store").arg("-").arg("-").arg("-").arg(amount(*most)).arg(listed(scopes))
            }
            Open::Holds(holds) => holds.iter().fold(call.arg("holder"), |call, (ticket, hold)| {
                let call = call.arg(ticket.0).arg(&hold.id).arg(&hold.request);
                call.arg(amount(hold.amount)).arg(listed(&hold.scopes))
            }),
        }
    }
}

#[async_trait]
impl Budgets for RedisLedger {
    async fn reserve(&self, tenant: Option<&Name>, holds: &[Hold]) -> Result<Vec<Reserved>, LedgerError> {
        let mut answers = Vec::with_capacity(holds.len());
        for holds in holds.chunks(TOGETHER) {
            let call = holds.iter().fold(self.on_money(&self.scripts.money.reserve, tenant), |call, hold| {
                let call = call.arg(&hold.id).arg(&hold.request).arg(hold.lease.text());
                call.arg(amount(hold.amount)).arg(listed(&hold.scopes))
            });
            let told: Vec<String> = self.link.run(&call).await?;
            for (text, hold) in told.iter().zip(holds) {
                answers.push(reserved(text, hold)?);
            }
        }
        Ok(answers)
    }

    async fn settle(&self, tenant: Option<&Name>, settled: &[Settled]) -> Result<Vec<Noted>, LedgerError> {
        let mut answers = Vec::with_capacity(settled.len());
        for settled in settled.chunks(TOGETHER) {
            let call = self.on_money(&self.scripts.money.settle, tenant).arg(BOUGHT_MS);
            let call = settled.iter().fold(call, |call, Settled { hold, ticket, actual }| {
                let call = call.arg(&hold.id).arg(ticket.0).arg(amount(*actual));
                call.arg(amount(hold.amount)).arg(listed(&hold.scopes))
            });
            let told: Vec<String> = self.link.run(&call).await?;
            for word in &told {
                answers.push(noted(word)?);
            }
        }
        Ok(answers)
    }

    async fn declare(&self, tenant: Option<&Name>, open: &[Declaration]) -> Result<Vec<Noted>, LedgerError> {
        let mut answers = Vec::with_capacity(open.len());
        for declaration in open {
            answers.push(noted(&self.link.run::<String>(&self.declare_call(tenant, declaration)).await?)?);
        }
        Ok(answers)
    }

    async fn keep(&self, tenant: Option<&Name>, leases: &[Lease]) -> Result<World, LedgerError> {
        let call = self.on_money(&self.scripts.money.keep, tenant);
        let call = leases.iter().fold(call, |call, lease| call.arg(lease.text()));
        self.link.run(&call).await.map(World)
    }

    async fn end(&self, tenant: Option<&Name>, lease: &Lease) -> Result<(), LedgerError> {
        self.link.run(&self.on_money(&self.scripts.money.end, tenant).arg(lease.text())).await
    }

    async fn restore(&self, tenant: Option<&Name>, scope: &Scope, restored: &Restored) -> Result<(), LedgerError> {
        let Restored { epoch, cap, spent, closed_ms } = *restored;
        check_cap(scope, cap)?;
        let call = self.on_money(&self.scripts.money.restore, tenant).arg(scope).arg(epoch.0);
        self.link.run(&call.arg(cap.0).arg(amount(spent)).arg(closed_ms)).await
    }

    async fn set_cap(&self, tenant: Option<&Name>, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
        check_cap(scope, cap)?;
        let call = self.on_money(&self.scripts.money.set_cap, tenant).arg(scope).arg(cap.0);
        let least: Option<u64> = self.link.run(&call).await?;
        least.map_or(Ok(()), |least| Err(too_low(scope, cap, NanoUsd(least))))
    }

    async fn view_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<Option<BudgetView>, LedgerError> {
        let call = self.on_money(&self.scripts.money.view, tenant).arg(scope);
        let seen: Option<ViewReply> = self.link.run(&call).await?;
        Ok(seen.map(|(cap, spent, held, holds, alarms, is_open)| BudgetView {
            cap: NanoUsd(cap),
            spent: NanoUsd(spent),
            held: NanoUsd(held),
            holds,
            alarms,
            is_open,
        }))
    }

    async fn forget_budget(&self, tenant: Option<&Name>, scope: &Scope) -> Result<(), LedgerError> {
        self.link.run(&self.on_money(&self.scripts.money.forget, tenant).arg(scope)).await
    }
}
