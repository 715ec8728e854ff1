//! Every combination that a user can meet.

use std::num::NonZeroU64;

use serde_json::json;
use shardmill_shared::job::{Name, Pool, Rows, Stage, StageId, Work};

use super::*;

fn spec(rows: u64) -> Spec {
    let value = json!({"name": "shop", "tables": {"users": {"rows": rows, "columns": ["id", "name"]}}});
    Spec { digest: Digest::of(value.to_string().as_bytes()), value }
}

fn plan(shard_rows: u64, writer: &str) -> Plan {
    let name = |text: &str| Name::new(text).expect("allowed");
    let stage = Stage {
        id: StageId::new("users").expect("allowed"),
        needs: Vec::new(),
        pool: Pool::Generate,
        work: Work::Table { table: name("users"), extension: name("csv") },
        rows: Rows::Exact(10),
        shard_rows: NonZeroU64::new(shard_rows).expect("not zero"),
        row_bytes: 0,
    };
    Plan {
        spec_digest: spec(10).digest,
        name: name("shop"),
        seed: 1,
        engine: 1,
        writer: writer.to_owned(),
        stages: vec![stage],
        budget: None,
    }
}

fn found(spec: Spec, plan: Plan, is_finished: bool) -> Found {
    let success = is_finished.then(|| Success { manifest: Digest::of(b"m"), spec: spec.digest });
    Found { success, spec: Some(spec), plan: Some(plan), foreign: None }
}

fn decide(found: &Found, existing: Existing) -> Admit {
    admit(found, &Wanted { spec: &spec(10), plan: &plan(5, "w1"), existing })
}

#[test]
fn an_empty_folder_is_fresh() {
    for existing in [Existing::Keep, Existing::Overwrite] {
        assert_eq!(decide(&Found::default(), existing), Admit::Fresh);
    }
}

#[test]
fn files_of_someone_else_are_never_touched() {
    let path = ObjectPath::new("holiday.jpg").expect("allowed");
    let found = Found { foreign: Some(path.clone()), ..Found::default() };
    for existing in [Existing::Keep, Existing::Overwrite] {
        assert_eq!(decide(&found, existing), Admit::Refuse(Refusal::Foreign(path.clone())));
    }
}

#[test]
fn the_same_job_goes_on_or_is_complete() {
    let finished = found(spec(10), plan(5, "w1"), true);
    for existing in [Existing::Keep, Existing::Overwrite] {
        assert!(matches!(decide(&finished, existing), Admit::AlreadyComplete(_)));
        assert_eq!(decide(&found(spec(10), plan(5, "w1"), false), existing), Admit::Resume);
        assert_eq!(
            decide(&found(spec(10), plan(5, "w0"), false), existing),
            Admit::Resume,
            "another writer may finish"
        );
        assert_eq!(decide(&Found { plan: None, success: None, ..finished.clone() }, existing), Admit::Resume);
    }
}

#[test]
fn another_spec_is_refused_with_the_difference() {
    for is_finished in [true, false] {
        let other = found(spec(20), plan(5, "w1"), is_finished);
        let Admit::Refuse(refusal) = decide(&other, Existing::Keep) else { panic!("not refused") };
        assert!(refusal.to_string().contains("tables.users.rows: 20 there, 10 wanted"), "{refusal}");
        assert_eq!(decide(&other, Existing::Overwrite), Admit::Overwrite);
    }
}

#[test]
fn another_plan_is_refused_until_overwritten_but_complete_is_complete() {
    let begun = found(spec(10), plan(7, "w1"), false);
    let Admit::Refuse(refusal) = decide(&begun, Existing::Keep) else { panic!("not refused") };
    assert!(refusal.to_string().contains("stages[0].shard_rows: 7 there, 5 wanted"), "{refusal}");
    assert_eq!(decide(&begun, Existing::Overwrite), Admit::Overwrite);
    let finished = found(spec(10), plan(7, "w1"), true);
    assert!(matches!(decide(&finished, Existing::Keep), Admit::AlreadyComplete(_)));
    assert_eq!(decide(&finished, Existing::Overwrite), Admit::Overwrite);
}

#[test]
fn a_version_without_its_spec_is_refused() {
    let lost = Found { spec: None, ..found(spec(10), plan(5, "w1"), true) };
    assert!(matches!(decide(&lost, Existing::Keep), Admit::Refuse(Refusal::OtherSpec(_))));
    assert_eq!(decide(&lost, Existing::Overwrite), Admit::Overwrite);
}

#[test]
fn differences_are_named_and_few() {
    let a = json!({"a": 1, "b": [1, 2], "c": {"d": "x"}, "gone": true});
    let b = json!({"a": 2, "b": [1, 3, 4], "c": {"d": "y".repeat(100)}, "new": null});
    let named = difference(&a, &b);
    assert_eq!(named.len(), DIFFERENCES);
    assert_eq!(named[0], "a: 1 there, 2 wanted");
    assert_eq!(named[1], "b[1]: 2 there, 3 wanted");
    assert_eq!(named[2], "b[2]: nothing there, 4 wanted");
    assert!(named[3].starts_with("c.d: \"x\" there, \"yyy") && named[3].len() < 80, "{}", named[3]);
    assert_eq!(named[4], "gone: true there, nothing wanted");
    assert_eq!(difference(&a, &a), Vec::<String>::new());
}
