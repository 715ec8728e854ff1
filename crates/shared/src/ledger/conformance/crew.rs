//! Workers that live, and who leads.

use super::worker;
use crate::job::Pool;
use crate::ledger::{Epoch, LEAD_MS, Ledger, PRESENT_MS};

pub(super) async fn slots_are_those_of_living_workers(ledger: &dyn Ledger) {
    for (name, pool, slots) in [("a", Pool::Sql, 2), ("a", Pool::Llm, 5), ("b a", Pool::Sql, 7), ("a", Pool::Sql, 3)] {
        ledger.present(&worker(name), "w 1", pool, slots).await.expect("is noted");
    }
    assert_eq!(ledger.slots(Pool::Sql).await, Ok(10));
    assert_eq!(ledger.slots(Pool::Llm).await, Ok(5));
    ledger.gone(&worker("a")).await.expect("is noted");
    assert_eq!(ledger.slots(Pool::Sql).await, Ok(7));
    assert_eq!(ledger.slots(Pool::Llm).await, Ok(0));
    ledger.gone(&worker("b a")).await.expect("is noted");
}

pub(super) async fn slots_are_counted_by_writer(ledger: &dyn Ledger) {
    assert_eq!(ledger.writers(Pool::Sql).await.expect("answers").len(), 0);
    for (name, writer, slots) in [("a", "w 1", 2), ("b", "w 2", 3), ("c", "w 1", 4)] {
        ledger.present(&worker(name), writer, Pool::Sql, slots).await.expect("is noted");
    }
    let counted = ledger.writers(Pool::Sql).await.expect("answers");
    assert_eq!(counted, [("w 1".to_owned(), 6), ("w 2".to_owned(), 3)].into());
    for name in ["a", "b", "c"] {
        ledger.gone(&worker(name)).await.expect("is noted");
    }
}

pub(super) async fn a_silent_worker_does_not_count(ledger: &dyn Ledger, advance: &(dyn Fn(u64) + Sync)) {
    ledger.present(&worker("silent"), "w 1", Pool::Llm, 2).await.expect("is noted");
    advance(PRESENT_MS - 1_000);
    ledger.present(&worker("alive"), "w 1", Pool::Llm, 3).await.expect("is noted");
    assert_eq!(ledger.slots(Pool::Llm).await, Ok(5));
    advance(1_000);
    assert_eq!(ledger.slots(Pool::Llm).await, Ok(3));
    ledger.gone(&worker("alive")).await.expect("is noted");
}

async fn lead(ledger: &dyn Ledger, holder: &str) -> Option<Epoch> {
    ledger.lead("scheduler", &worker(holder)).await.expect("answers")
}

pub(super) async fn one_leads(ledger: &dyn Ledger) {
    let first = lead(ledger, "a").await.expect("nobody leads");
    assert_eq!(lead(ledger, "a").await, Some(first));
    assert_eq!(lead(ledger, "b").await, None);
    assert!(ledger.lead("schedules", &worker("b")).await.expect("answers").is_some(), "another name is another thing");
    ledger.resign("scheduler", &worker("b")).await.expect("has no effect");
    assert_eq!(lead(ledger, "b").await, None);
    ledger.resign("scheduler", &worker("a")).await.expect("resigns");
    let second = lead(ledger, "b").await.expect("nobody leads");
    assert!(second > first);
    ledger.resign("scheduler", &worker("b")).await.expect("resigns");
    assert!(lead(ledger, "b").await.expect("nobody leads") > second);
    ledger.resign("scheduler", &worker("b")).await.expect("resigns");
}

pub(super) async fn a_silent_leader_is_replaced(ledger: &dyn Ledger, advance: &(dyn Fn(u64) + Sync)) {
    let first = lead(ledger, "a").await.expect("nobody leads");
    for _ in 0..2 {
        advance(LEAD_MS - 1_000);
        assert_eq!(lead(ledger, "b").await, None);
        assert_eq!(lead(ledger, "a").await, Some(first), "who keeps it keeps its epoch");
    }
    advance(LEAD_MS);
    assert!(lead(ledger, "b").await.expect("the other is silent") > first);
    assert_eq!(lead(ledger, "a").await, None);
}
