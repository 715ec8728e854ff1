//! One rule of the loop per test.

use std::num::NonZeroU64;

use shardmill_shared::job::{Digest, Failure, Name, Rows, Work};
use shardmill_shared::ledger::WaitingShard;

use super::*;

fn stage(id: &str, shards: u64, needs: &[&str]) -> Stage {
    let id_of = |text: &str| StageId::new(text).expect("allowed");
    let name = |text: &str| Name::new(text).expect("allowed");
    Stage {
        id: id_of(id),
        needs: needs.iter().map(|need| id_of(need)).collect(),
        pool: Pool::Generate,
        work: Work::Table { table: name(id), extension: name("csv") },
        rows: Rows::Exact(shards),
        shard_rows: NonZeroU64::MIN,
        row_bytes: 0,
    }
}

fn plan(stages: Vec<Stage>) -> Plan {
    let name = Name::new("shop").expect("allowed");
    Plan { spec_digest: Digest::of(b""), name, seed: 1, engine: 1, writer: String::new(), stages, budget: None }
}

fn seen(id: &str, shards: u64, done: u64) -> StageView {
    StageView {
        stage: StageId::new(id).expect("allowed"),
        shards,
        done,
        leased: 0,
        is_released: done == shards,
        waiting: Vec::new(),
        failed: Vec::new(),
    }
}

fn view(stages: Vec<StageView>, now_ms: u64) -> View {
    View { revision: 1, now_ms, run_state: RunState::Running, stages }
}

/// What a window of four leaves free.
pub(super) fn room(plan: &Plan, view: &View) -> BTreeMap<Pool, u64> {
    claims(plan, view).into_iter().map(|(pool, claim)| (pool, 4_u64.saturating_sub(claim.outstanding))).collect()
}

fn failed(index: u64, attempts: u32, scope: Scope) -> FailedShard {
    let failure = Failure::new(scope, "broke");
    FailedShard { index, attempts, deaths: 0, failed_ms: 100, failure }
}

fn shard(id: &str, index: u64) -> ShardId {
    ShardId { stage: StageId::new(id).expect("allowed"), index }
}

fn decide(plan: &Plan, view: &View) -> Next {
    next(&Situation { plan, view, silence: &Silence::default(), is_stopped: false, room: &room(plan, view) })
}

fn open(id: &str) -> Action {
    Action::Open(StageId::new(id).expect("allowed"))
}

fn release(id: &str, most: u64) -> Action {
    Action::Release { stage: StageId::new(id).expect("allowed"), most }
}

#[test]
fn a_stage_opens_when_what_it_needs_is_committed() {
    let plan = plan(vec![stage("a", 2, &[]), stage("b", 1, &["a"]), stage("c", 1, &[])]);
    assert_eq!(decide(&plan, &view(vec![], 0)), Next::Act(vec![open("a"), open("c")]));
    let half = StageView { leased: 1, is_released: true, ..seen("a", 2, 1) };
    assert_eq!(decide(&plan, &view(vec![half, seen("c", 1, 1)], 0)), Next::Wait);
    assert_eq!(decide(&plan, &view(vec![seen("a", 2, 2), seen("c", 1, 1)], 0)), Next::Act(vec![open("b")]));
}

#[test]
fn the_window_bounds_what_is_released_in_the_plans_order() {
    let plan = plan(vec![stage("a", 3, &[]), stage("b", 9, &[])]);
    let fresh = view(vec![seen("b", 9, 0), seen("a", 3, 0)], 0);
    assert_eq!(decide(&plan, &fresh), Next::Act(vec![release("a", 3), release("b", 1)]));
    let waiting = vec![WaitingShard { index: 0, attempt: 1 }];
    let busy = StageView { leased: 2, waiting, is_released: true, ..seen("a", 3, 0) };
    assert_eq!(decide(&plan, &view(vec![busy, seen("b", 9, 0)], 0)), Next::Act(vec![release("b", 1)]));
    let full = StageView { leased: 4, ..seen("b", 9, 0) };
    assert_eq!(decide(&plan, &view(vec![seen("a", 3, 3), full], 0)), Next::Wait);
}

#[test]
fn a_job_without_room_waits_for_others() {
    let plan = plan(vec![stage("a", 9, &[])]);
    let full = BTreeMap::from([(Pool::Generate, 0)]);
    let view = view(vec![seen("a", 9, 0)], 0);
    let silence = Silence::default();
    let situation = Situation { plan: &plan, view: &view, silence: &silence, is_stopped: false, room: &full };
    assert_eq!(next(&situation), Next::Wait);
}

#[test]
fn a_failed_shard_is_tried_again_after_its_wait() {
    let plan = plan(vec![stage("a", 1, &[])]);
    let resting =
        |attempts| StageView { is_released: true, failed: vec![failed(0, attempts, Scope::Shard)], ..seen("a", 1, 0) };
    assert_eq!(decide(&plan, &view(vec![resting(1)], 100 + BACKOFF_MS - 1)), Next::Wait);
    let retry = |attempt| Next::Act(vec![Action::Retry { shard: shard("a", 0), attempt }]);
    assert_eq!(decide(&plan, &view(vec![resting(1)], 100 + BACKOFF_MS)), retry(2));
    assert_eq!(decide(&plan, &view(vec![resting(2)], 100 + BACKOFF_MS)), Next::Wait);
    assert_eq!(decide(&plan, &view(vec![resting(2)], 100 + 4 * BACKOFF_MS)), retry(3));
}

#[test]
fn a_shard_that_always_fails_does_not_keep_the_others() {
    let plan = plan(vec![stage("a", 2, &[]), stage("b", 1, &["a"])]);
    let lost = StageView { failed: vec![failed(0, ATTEMPTS, Scope::Shard)], ..seen("a", 2, 0) };
    assert_eq!(decide(&plan, &view(vec![lost.clone()], 9_999_999)), Next::Act(vec![release("a", 2)]));
    let running = StageView { leased: 1, is_released: true, ..lost.clone() };
    assert_eq!(decide(&plan, &view(vec![running], 9_999_999)), Next::Wait);
    let over = StageView { done: 1, is_released: true, ..lost };
    let given_up =
        GivenUp { shard: shard("a", 0), attempts: ATTEMPTS, deaths: 0, failure: Failure::new(Scope::Shard, "broke") };
    assert_eq!(decide(&plan, &view(vec![over], 9_999_999)), Next::Failed(vec![given_up]));
}

#[test]
fn what_no_attempt_can_make_is_tried_once() {
    let plan = plan(vec![stage("a", 2, &[])]);
    let never = StageView { failed: vec![failed(0, 1, Scope::Final)], ..seen("a", 2, 0) };
    assert_eq!(decide(&plan, &view(vec![never.clone()], 9_999_999)), Next::Act(vec![release("a", 2)]));
    let over = StageView { done: 1, is_released: true, ..never };
    let given_up =
        GivenUp { shard: shard("a", 0), attempts: 1, deaths: 0, failure: Failure::new(Scope::Final, "broke") };
    assert_eq!(decide(&plan, &view(vec![over], 9_999_999)), Next::Failed(vec![given_up]));
}

#[test]
fn what_fails_as_the_store_is_away_is_tried_for_ever() {
    let plan = plan(vec![stage("a", 2, &[])]);
    let away = StageView { is_released: true, failed: vec![failed(0, ATTEMPTS + 9, Scope::Later)], ..seen("a", 2, 1) };
    assert_eq!(decide(&plan, &view(vec![away.clone()], 100)), Next::Wait);
    let much_later = view(vec![away], u64::MAX);
    assert!(matches!(decide(&plan, &much_later), Next::Act(actions) if matches!(actions[..], [Action::Retry { .. }])));
}

#[test]
fn what_waits_in_a_job_that_does_not_run_takes_no_room() {
    let plan = plan(vec![stage("a", 9, &[])]);
    let waiting = (0..4).map(|index| WaitingShard { index, attempt: 1 }).collect();
    let stage = StageView { leased: 1, waiting, ..seen("a", 9, 0) };
    for (run_state, outstanding) in [(RunState::Running, 5), (RunState::Paused, 1), (RunState::Stopped, 1)] {
        let view = View { run_state, ..view(vec![stage.clone()], 0) };
        assert_eq!(claims(&plan, &view)[&Pool::Generate].outstanding, outstanding, "{run_state:?}");
    }
}

#[test]
fn a_full_disk_ends_the_job_at_once() {
    let plan = plan(vec![stage("a", 9, &[])]);
    let full = StageView { leased: 1, failed: vec![failed(0, 1, Scope::Job)], ..seen("a", 9, 0) };
    assert_eq!(decide(&plan, &view(vec![full.clone()], 0)), Next::Act(vec![Action::StopJob]));
    let told = View { run_state: RunState::Stopped, ..view(vec![full.clone()], 0) };
    assert_eq!(decide(&plan, &told), Next::Wait);
    let over = StageView { leased: 0, ..full };
    assert!(matches!(decide(&plan, &view(vec![over], 0)), Next::Failed(given_up) if given_up.len() == 1));
}

#[test]
fn when_too_many_fail_the_rest_is_not_tried() {
    let plan = plan(vec![stage("a", 5_000, &[])]);
    let failures = |count| (0..count).map(|index| failed(index, ATTEMPTS, Scope::Shard)).collect();
    let some = StageView { failed: failures(FAILED_SHARDS), ..seen("a", 5_000, 0) };
    assert_eq!(decide(&plan, &view(vec![some], 0)), Next::Act(vec![release("a", 4)]));
    let many = StageView { failed: failures(FAILED_SHARDS + 1), ..seen("a", 5_000, 0) };
    assert!(matches!(decide(&plan, &view(vec![many], 0)), Next::Failed(_)));
}

#[test]
fn a_silent_message_is_published_again() {
    let plan = plan(vec![stage("a", 1, &[])]);
    let waiting =
        StageView { waiting: vec![WaitingShard { index: 0, attempt: 1 }], is_released: true, ..seen("a", 1, 0) };
    let at = |now_ms| view(vec![waiting.clone()], now_ms);
    let mut silence = Silence::default();
    silence.update(&view(Vec::new(), 0));
    let mut decide_at = |now_ms: u64| {
        silence.update(&at(now_ms));
        let next = next(&Situation {
            plan: &plan,
            view: &at(now_ms),
            silence: &silence,
            is_stopped: false,
            room: &room(&plan, &at(now_ms)),
        });
        if let Next::Act(actions) = &next {
            actions.iter().for_each(|action| silence.heard(action));
        }
        next
    };
    let repeat = Next::Act(vec![Action::Repeat { shard: shard("a", 0), attempt: 1 }]);
    assert_eq!(decide_at(500), Next::Wait);
    assert_eq!(decide_at(500 + LOST_MS - 1), Next::Wait);
    assert_eq!(decide_at(500 + LOST_MS), repeat);
    assert_eq!(decide_at(500 + LOST_MS), Next::Wait, "once per wait");
    assert_eq!(decide_at(500 + 2 * LOST_MS), repeat);
}

#[test]
fn what_no_worker_was_told_is_published_at_once() {
    let waits =
        |attempt| StageView { waiting: vec![WaitingShard { index: 0, attempt }], is_released: true, ..seen("a", 1, 0) };
    let mut silence = Silence::default();
    let mut waited = |view: &View| {
        silence.update(view);
        silence.of(&shard("a", 0).stage, 0)
    };
    assert_eq!(waited(&view(vec![waits(1)], 400)), u64::MAX, "the scheduler before may have died over it");
    assert_eq!(waited(&view(Vec::new(), 450)), 0);
    assert_eq!(waited(&view(vec![waits(1)], 500)), 0);
    assert_eq!(waited(&view(vec![waits(2)], 500)), u64::MAX, "its worker died");
    let paused = View { run_state: RunState::Paused, ..view(vec![waits(2)], 600) };
    silence.heard(&Action::Repeat { shard: shard("a", 0), attempt: 2 });
    let mut waited = |view: &View| {
        silence.update(view);
        silence.of(&shard("a", 0).stage, 0)
    };
    assert_eq!(waited(&view(vec![waits(2)], 500)), 0);
    assert_eq!(waited(&paused), 100);
    assert_eq!(waited(&view(vec![waits(2)], 700)), u64::MAX, "workers forgot its message while it was paused");
}

#[test]
fn what_a_ledger_without_its_last_seconds_lets_wait_is_published_at_once() {
    let waits = |done| StageView { waiting: vec![WaitingShard { index: 0, attempt: 1 }], ..seen("a", 9, done) };
    let mut silence = Silence::default();
    silence.update(&view(vec![seen("a", 9, 3)], 100));
    for (done, now_ms, waited) in
        [(3, 200, 0), (4, 300, 100), (2, 400, u64::MAX), (2, 500, u64::MAX), (3, 600, u64::MAX)]
    {
        silence.update(&view(vec![waits(done)], now_ms));
        assert_eq!(silence.of(&shard("a", 0).stage, 0), waited, "at {now_ms}");
    }
    silence.heard(&Action::Repeat { shard: shard("a", 0), attempt: 1 });
    silence.update(&view(vec![waits(3)], 700));
    assert_eq!(silence.of(&shard("a", 0).stage, 0), 100);
}

#[test]
fn a_stopped_job_waits_for_what_runs_and_starts_nothing() {
    let plan = plan(vec![stage("a", 9, &[])]);
    let stopped = |view: &View| {
        next(&Situation { plan: &plan, view, silence: &Silence::default(), is_stopped: true, room: &room(&plan, view) })
    };
    let running = StageView { leased: 1, ..seen("a", 9, 3) };
    assert_eq!(stopped(&view(vec![running], 0)), Next::Wait);
    assert_eq!(stopped(&view(vec![seen("a", 9, 3)], 0)), Next::Stopped);
    assert_eq!(stopped(&view(vec![seen("a", 9, 9)], 0)), Next::Committed, "all was done already");
}

#[test]
fn a_spent_budget_lets_what_runs_end_and_then_waits_for_more() {
    let plan = plan(vec![stage("users", 9, &[])]);
    let broke = |index| {
        let mut failed = failed(index, 1, Scope::Job);
        failed.failure.class = FailureClass::Budget;
        failed
    };
    let mut view = view(vec![StageView { leased: 2, failed: vec![broke(3)], ..seen("users", 9, 1) }], 5_000);
    assert_eq!(decide(&plan, &view), Next::Act(vec![Action::PauseJob]));
    view.run_state = RunState::Paused;
    assert_eq!(decide(&plan, &view), Next::Wait, "answers under way are paid for");
    view.stages[0].leased = 0;
    assert_eq!(decide(&plan, &view), Next::Broke("broke".to_owned()));
    view.stages[0].failed.push(failed(4, 1, Scope::Job));
    assert!(matches!(decide(&plan, &view), Next::Failed(_)), "more money would not help");
}

#[test]
fn a_paused_job_shows_what_is_committed() {
    let plan = plan(vec![stage("users", 9, &[])]);
    let view = View { run_state: RunState::Paused, ..view(Vec::new(), 5_000) };
    assert_eq!(decide(&plan, &view), Next::Act(vec![Action::Open(StageId::new("users").expect("allowed"))]));
}
