//! The scripts, one per atomic change. Pure.

use redis::Script;

/// A script on a job: it begins with what they share.
macro_rules! on_job {
    ($file:literal) => {
        Script::new(concat!(include_str!("lua/common.lua"), "\n", include_str!($file)))
    };
}

/// A script on a tenant's money: it begins with what they share.
macro_rules! on_money {
    ($file:literal) => {
        Script::new(concat!(include_str!("lua/money/common.lua"), "\n", include_str!($file)))
    };
}

/// A script on a model's limits: it begins with what they share.
macro_rules! on_limit {
    ($file:literal) => {
        Script::new(concat!(include_str!("lua/limit/common.lua"), "\n", include_str!($file)))
    };
}

#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) open: Script,
    pub(super) mark_done: Script,
    pub(super) release: Script,
    pub(super) reopen: Script,
    pub(super) set_run_state: Script,
    pub(super) pin: Script,
    pub(super) forget: Script,
    pub(super) begin: Script,
    pub(super) heartbeat: Script,
    pub(super) report: Script,
    pub(super) view: Script,
    pub(super) progress: Script,
    pub(super) revision: Script,
    pub(super) present: Script,
    pub(super) gone: Script,
    pub(super) writers: Script,
    pub(super) lead: Script,
    pub(super) resign: Script,
    pub(super) money: MoneyScripts,
    pub(super) limit: LimitScripts,
}

/// The scripts on a tenant's money.
#[derive(Debug)]
pub(super) struct MoneyScripts {
    pub(super) reserve: Script,
    pub(super) settle: Script,
    pub(super) declare: Script,
    pub(super) keep: Script,
    pub(super) end: Script,
    pub(super) restore: Script,
    pub(super) set_cap: Script,
    pub(super) view: Script,
    pub(super) forget: Script,
}

impl Default for Scripts {
    fn default() -> Self {
        Self {
            open: on_job!("lua/open.lua"),
            mark_done: on_job!("lua/mark_done.lua"),
            release: on_job!("lua/release.lua"),
            reopen: on_job!("lua/reopen.lua"),
            set_run_state: on_job!("lua/set_run_state.lua"),
            pin: on_job!("lua/pin.lua"),
            forget: on_job!("lua/forget.lua"),
            begin: on_job!("lua/begin.lua"),
            heartbeat: on_job!("lua/heartbeat.lua"),
            report: on_job!("lua/report.lua"),
            view: on_job!("lua/view.lua"),
            progress: on_job!("lua/progress.lua"),
            revision: on_job!("lua/revision.lua"),
            present: Script::new(include_str!("lua/present.lua")),
            gone: Script::new(include_str!("lua/gone.lua")),
            writers: Script::new(include_str!("lua/writers.lua")),
            lead: Script::new(include_str!("lua/lead.lua")),
            resign: Script::new(include_str!("lua/resign.lua")),
            money: MoneyScripts::default(),
            limit: LimitScripts::default(),
        }
    }
}

impl Default for MoneyScripts {
    fn default() -> Self {
        Self {
            reserve: on_money!("lua/money/reserve.lua"),
            settle: on_money!("lua/money/settle.lua"),
            declare: on_money!("lua/money/declare.lua"),
            keep: on_money!("lua/money/keep.lua"),
            end: on_money!("lua/money/end.lua"),
            restore: on_money!("lua/money/restore.lua"),
            set_cap: on_money!("lua/money/set_cap.lua"),
            view: on_money!("lua/money/view.lua"),
            forget: on_money!("lua/money/forget.lua"),
        }
    }
}

/// The scripts on a model's limits.
#[derive(Debug)]
pub(super) struct LimitScripts {
    pub(super) want: Script,
    pub(super) correct: Script,
    pub(super) leave: Script,
    pub(super) set_quota: Script,
    pub(super) observed: Script,
    pub(super) pause: Script,
}

impl Default for LimitScripts {
    fn default() -> Self {
        Self {
            want: on_limit!("lua/limit/want.lua"),
            correct: on_limit!("lua/limit/correct.lua"),
            leave: on_limit!("lua/limit/leave.lua"),
            set_quota: on_limit!("lua/limit/set_quota.lua"),
            observed: on_limit!("lua/limit/observed.lua"),
            pause: on_limit!("lua/limit/pause.lua"),
        }
    }
}
