//! The figures of one budget. Pure.

use super::{BudgetView, CAP_MAX, Restored, Scope};
use crate::job::NanoUsd;
use crate::ledger::{Epoch, LedgerError};

/// One budget.
#[derive(Debug)]
pub(super) struct Account {
    cap: NanoUsd,
    spent: NanoUsd,
    held: NanoUsd,
    holds: u64,
    alarms: u64,
    /// What the leader said was spent; part of `spent`.
    base: NanoUsd,
    epoch: Epoch,
    opens_ms: u64,
}

/// Whether an amount can be paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    /// Once open holds give back.
    Later,
    Never,
}

impl Account {
    pub(super) fn new(restored: &Restored, now_ms: u64) -> Self {
        let Restored { epoch, cap, spent, closed_ms } = *restored;
        let opens_ms = now_ms.saturating_add(closed_ms);
        Self { cap, spent, held: NanoUsd::ZERO, holds: 0, alarms: 0, base: spent, epoch, opens_ms }
    }

    /// A later leader's figures, until the budget is open. What was told by holders since stays.
    pub(super) fn correct(&mut self, restored: &Restored, now_ms: u64) {
        if self.is_open(now_ms) || restored.epoch <= self.epoch {
            return;
        }
        self.spent = self.spent.saturating_sub(self.base).saturating_add(restored.spent);
        (self.cap, self.base, self.epoch) = (restored.cap, restored.spent, restored.epoch);
        self.opens_ms = now_ms.saturating_add(restored.closed_ms);
    }

    pub(super) fn is_open(&self, now_ms: u64) -> bool {
        now_ms >= self.opens_ms
    }

    pub(super) fn room(&self, amount: NanoUsd) -> Room {
        let spent = self.spent.saturating_add(amount);
        if spent > self.cap {
            Room::Never
        } else if spent.saturating_add(self.held) > self.cap {
            Room::Later
        } else {
            Room::Enough
        }
    }

    pub(super) fn hold(&mut self, amount: NanoUsd) {
        self.held = self.held.saturating_add(amount);
        self.holds += 1;
    }

    pub(super) fn unhold(&mut self, amount: NanoUsd) {
        self.held = self.held.saturating_sub(amount);
        self.holds = self.holds.saturating_sub(1);
    }

    /// Takes back what was counted as spent, before the actual price is.
    pub(super) fn unspend(&mut self, amount: NanoUsd) {
        self.spent = self.spent.saturating_sub(amount);
    }

    /// Spends what a call cost for which `held` was held.
    pub(super) fn spend(&mut self, actual: NanoUsd, held: NanoUsd) {
        self.spent = self.spent.saturating_add(actual);
        self.alarms += u64::from(actual > held);
    }

    pub(super) fn set_cap(&mut self, scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
        let least = self.spent.saturating_add(self.held);
        if cap < least {
            return Err(too_low(scope, cap, least));
        }
        self.cap = cap;
        Ok(())
    }

    pub(super) fn view(&self, now_ms: u64) -> BudgetView {
        let Self { cap, spent, held, holds, alarms, .. } = *self;
        BudgetView { cap, spent, held, holds, alarms, is_open: self.is_open(now_ms) }
    }
}

/// Why a cap cannot be set below what is gone already.
pub(in crate::ledger) fn too_low(scope: &Scope, cap: NanoUsd, least: NanoUsd) -> LedgerError {
    let reason = format!(
        "{cap} dollars are too little for the budget `{scope}`, of which {least} are spent or held; set at least that"
    );
    LedgerError::Refused { reason }
}

/// Refuses a cap that cannot be counted with.
pub(in crate::ledger) fn check_cap(scope: &Scope, cap: NanoUsd) -> Result<(), LedgerError> {
    if cap <= CAP_MAX {
        return Ok(());
    }
    let reason = format!("{cap} dollars for the budget `{scope}` are more than the {CAP_MAX} that one may have");
    Err(LedgerError::Refused { reason })
}
