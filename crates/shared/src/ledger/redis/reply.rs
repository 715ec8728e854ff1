//! What the scripts answer, as the port's types. Pure.

use std::collections::HashMap;

use super::LedgerError;
use crate::job::{Failure, Made, Scope, StageId, StageProgress};
use crate::ledger::{Beat, Begin, FailedShard, Fence, RunState, StageView, View, WaitingShard};

/// Revision, time, run state, stages.
pub(super) type ViewReply = (u64, u64, String, Vec<StageReply>);
/// Name, shards, done, leased, cursor, waiting, tries, failed.
pub(super) type StageReply = (String, u64, u64, u64, u64, String, HashMap<u64, String>, HashMap<u64, String>);
/// Name, done, shards, failed, rows, bytes, and rows and bytes of each running attempt.
pub(super) type ProgressReply = (String, u64, u64, u64, u64, u64, Vec<u64>);

pub(super) fn odd(what: &str) -> LedgerError {
    let reason = format!("it holds `{what}`, which this release cannot read; do all processes run the same release?");
    LedgerError::Refused { reason }
}

pub(super) fn begin((word, fence): &(String, u64)) -> Result<Begin, LedgerError> {
    match word.as_str() {
        "go" => Ok(Begin::Go(Fence(*fence))),
        "alone" => Ok(Begin::Alone),
        "other writer" => Ok(Begin::OtherWriter),
        "mine" => Ok(Begin::Mine(Fence(*fence))),
        "busy" => Ok(Begin::Busy),
        "done" => Ok(Begin::Done),
        "stopped" => Ok(Begin::Stopped),
        other => Err(odd(other)),
    }
}

pub(super) fn beat(word: &str) -> Result<Beat, LedgerError> {
    match word {
        "continue" => Ok(Beat::Continue),
        "stop" => Ok(Beat::Stop),
        other => Err(odd(other)),
    }
}

pub(super) fn run_state_word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "running",
        RunState::Paused => "paused",
        RunState::Stopped => "stopped",
    }
}

fn run_state(word: &str) -> Result<RunState, LedgerError> {
    let states = [RunState::Running, RunState::Paused, RunState::Stopped];
    states.into_iter().find(|state| run_state_word(*state) == word).ok_or_else(|| odd(word))
}

/// Indexes parted by spaces.
pub(super) fn indexes(text: &str) -> Result<Vec<u64>, LedgerError> {
    text.split_ascii_whitespace().map(|index| index.parse().map_err(|_| odd(index))).collect()
}

pub(super) fn view((revision, now_ms, state, stages): ViewReply) -> Result<View, LedgerError> {
    let stages = stages.into_iter().map(stage_view).collect::<Result<_, _>>()?;
    Ok(View { revision, now_ms, run_state: run_state(&state)?, stages })
}

fn stage_view(reply: StageReply) -> Result<StageView, LedgerError> {
    let (name, shards, done, leased, cursor, waiting, tries, failed) = reply;
    let tries = tries.into_iter().map(|(index, text)| Ok((index, tries_of(&text)?)));
    let tries = tries.collect::<Result<HashMap<_, _>, LedgerError>>()?;
    let tries_of = |index: u64| tries.get(&index).copied().unwrap_or_default();
    let waiting_shard = |index| {
        let (attempts, deaths): (u32, u32) = tries_of(index);
        WaitingShard { index, attempt: attempts.saturating_add(deaths).saturating_add(1) }
    };
    let failed_shard = |(index, text): (u64, String)| {
        let (attempts, deaths) = tries_of(index);
        let (failed_ms, failure) = failure_of(&text)?;
        Ok(FailedShard { index, attempts, deaths, failed_ms, failure })
    };
    let mut failed = failed.into_iter().map(failed_shard).collect::<Result<Vec<_>, LedgerError>>()?;
    failed.sort_by_key(|failed| failed.index);
    Ok(StageView {
        stage: stage_id(&name)?,
        shards,
        done,
        leased,
        is_released: cursor >= shards,
        waiting: indexes(&waiting)?.into_iter().map(waiting_shard).collect(),
        failed,
    })
}

fn stage_id(name: &str) -> Result<StageId, LedgerError> {
    StageId::new(name).map_err(|_| odd(name))
}

/// Attempts and deaths.
fn tries_of(text: &str) -> Result<(u32, u32), LedgerError> {
    let parts =
        text.split_once(' ').and_then(|(attempts, deaths)| Some((attempts.parse().ok()?, deaths.parse().ok()?)));
    parts.ok_or_else(|| odd(text))
}

/// When a shard failed, and why. A failure that a later release wrote differently is told as it stands.
fn failure_of(text: &str) -> Result<(u64, Failure), LedgerError> {
    let (at_ms, failure) = text.split_once(' ').ok_or_else(|| odd(text))?;
    let told = |_| Failure::new(Scope::Shard, failure);
    let at_ms = at_ms.parse().map_err(|_| odd(text))?;
    Ok((at_ms, serde_json::from_str(failure).unwrap_or_else(told)))
}

pub(super) fn stage_progress(reply: &ProgressReply) -> Result<StageProgress, LedgerError> {
    let (name, done, shards, failed, rows, bytes, running) = reply;
    let running = running.chunks_exact(2).map(|made| Made { rows: made[0], bytes: made[1] });
    Ok(StageProgress {
        stage: stage_id(name)?,
        shards_done: *done,
        shards_total: Some(*shards),
        shards_failed: *failed,
        made: running.fold(Made { rows: *rows, bytes: *bytes }, Made::plus),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_a_later_release_is_told_as_it_stands() {
        let known = r#"7 {"scope":"job","message":"full"}"#;
        assert_eq!(failure_of(known), Ok((7, Failure::new(Scope::Job, "full"))));
        let later = r#"7 {"scope":"tenant"}"#;
        let told = Failure::new(Scope::Shard, r#"{"scope":"tenant"}"#);
        assert_eq!(failure_of(later), Ok((7, told)));
        assert!(matches!(failure_of("seven"), Err(LedgerError::Refused { .. })));
    }

    #[test]
    fn words_of_a_later_release_are_refused() {
        assert!(matches!(begin(&("perhaps".to_owned(), 1)), Err(LedgerError::Refused { .. })));
        assert!(matches!(run_state("resting"), Err(LedgerError::Refused { .. })));
        assert_eq!(indexes("1 20"), Ok(vec![1, 20]));
        assert!(indexes("1,20").is_err());
    }
}
