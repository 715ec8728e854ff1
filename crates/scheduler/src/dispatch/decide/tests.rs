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
    Plan { spec_digest: Digest::of(b""), name, seed: 1, engine: 1, writer: String::new(), stages }
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
    View { revision: 1, now_ms, is_stopped: false, stages }
}

fn failed(index: u64, attempts: u32, scope: Scope) -> FailedShard {
    let failure = Failure { scope, message: "broke".to_owned() };
    FailedShard { index, attempts, failed_ms: 100, failure }
}

fn shard(id: &str, index: u64) -> ShardId {
    ShardId { stage: StageId::new(id).expect("allowed"), index }
}

fn decide(plan: &Plan, view: &View) -> Next {
    next(&Situation { plan, view, silence: &Silence::default(), is_stopped: false, window: 4 })
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
    let given_up = GivenUp { shard: shard("a", 0), attempts: ATTEMPTS, message: "broke".to_owned() };
    assert_eq!(decide(&plan, &view(vec![over], 9_999_999)), Next::Failed(vec![given_up]));
}

#[test]
fn a_full_disk_ends_the_job_at_once() {
    let plan = plan(vec![stage("a", 9, &[])]);
    let full = StageView { leased: 1, failed: vec![failed(0, 1, Scope::Job)], ..seen("a", 9, 0) };
    assert_eq!(decide(&plan, &view(vec![full.clone()], 0)), Next::Act(vec![Action::StopJob]));
    let told = View { is_stopped: true, ..view(vec![full.clone()], 0) };
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
        StageView { waiting: vec![WaitingShard { index: 0, attempt: 2 }], is_released: true, ..seen("a", 1, 0) };
    let at = |now_ms| view(vec![waiting.clone()], now_ms);
    let mut silence = Silence::default();
    let mut decide_at = |now_ms: u64| {
        silence.update(&at(now_ms));
        let next = next(&Situation { plan: &plan, view: &at(now_ms), silence: &silence, is_stopped: false, window: 4 });
        if let Next::Act(actions) = &next {
            actions.iter().for_each(|action| silence.heard(action));
        }
        next
    };
    let repeat = Next::Act(vec![Action::Repeat { shard: shard("a", 0), attempt: 2 }]);
    assert_eq!(decide_at(500), Next::Wait);
    assert_eq!(decide_at(500 + LOST_MS - 1), Next::Wait);
    assert_eq!(decide_at(500 + LOST_MS), repeat);
    assert_eq!(decide_at(500 + LOST_MS), Next::Wait, "once per wait");
    assert_eq!(decide_at(500 + 2 * LOST_MS), repeat);
}

#[test]
fn a_stopped_job_waits_for_what_runs_and_starts_nothing() {
    let plan = plan(vec![stage("a", 9, &[])]);
    let stopped =
        |view: &View| next(&Situation { plan: &plan, view, silence: &Silence::default(), is_stopped: true, window: 4 });
    let running = StageView { leased: 1, ..seen("a", 9, 3) };
    assert_eq!(stopped(&view(vec![running], 0)), Next::Wait);
    assert_eq!(stopped(&view(vec![seen("a", 9, 3)], 0)), Next::Stopped);
    assert_eq!(stopped(&view(vec![seen("a", 9, 9)], 0)), Next::Committed, "all was done already");
}
