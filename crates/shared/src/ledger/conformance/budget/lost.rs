//! Leases that die and books that are lost.

use super::{
    CAP, Desk, House, NanoUsd, Noted, Open, Reserved, Restored, after_a_wipe, cents, hold, lease, of_job, of_tenant,
};
use crate::ledger::{Epoch, LEASE_MS};

pub(super) async fn a_lease_that_ends_spends_its_holds_until_they_are_corrected(house: &dyn House) {
    let desk = Desk::new(house, "dead");
    let (job, dead, alive) = ([of_job("a")], lease("a", 0, 1), lease("a", 1, 2));
    desk.open(&job[0], cents(100)).await;
    let (lost, kept) = (hold("lost", &dead, cents(60), &job), hold("kept", &alive, cents(30), &job));
    let (lost_ticket, kept_ticket) = (desk.go(&lost).await, desk.go(&kept).await);
    house.advance(LEASE_MS - 1_000);
    desk.keep(&alive).await;
    assert_eq!(desk.figures(&job[0]).await, (NanoUsd::ZERO, cents(90)));
    house.advance(1_000);
    assert_eq!(desk.figures(&job[0]).await, (cents(60), cents(30)), "the dead one's call may have been made");
    let more = hold("more", &alive, cents(20), &job);
    assert_eq!(desk.reserve(&more).await, Reserved::Wait);
    for _ in 0..2 {
        assert_eq!(desk.settle(&lost, lost_ticket, cents(15)).await, Noted::Done);
        assert_eq!(desk.figures(&job[0]).await, (cents(15), cents(30)));
    }
    desk.budgets.end(Some(&desk.tenant), &alive).await.expect("ends");
    assert_eq!(desk.figures(&job[0]).await, (cents(45), NanoUsd::ZERO), "a lease may end by word");
    desk.settle(&kept, kept_ticket, NanoUsd::ZERO).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(15), NanoUsd::ZERO));
    assert_eq!(desk.view(&job[0]).await.alarms, 0);
}

pub(super) async fn a_budget_that_is_not_known_pays_nothing(house: &dyn House) {
    let desk = Desk::new(house, "unknown");
    let (both, lease) = ([of_job("a"), of_tenant()], lease("a", 0, 1));
    let wish = hold("x", &lease, NanoUsd::ZERO, &both);
    assert_eq!(desk.reserve(&wish).await, Reserved::Closed);
    desk.open(&both[0], CAP).await;
    assert_eq!(desk.reserve(&wish).await, Reserved::Closed, "one of two is not known");
    desk.restore(&both[1], after_a_wipe(2, CAP, NanoUsd::ZERO)).await;
    assert_eq!(desk.reserve(&wish).await, Reserved::Closed, "one of two is being rebuilt");
    house.advance(LEASE_MS - 1_000);
    assert!(!desk.view(&both[1]).await.is_open);
    assert_eq!(desk.reserve(&wish).await, Reserved::Closed);
    house.advance(1_000);
    desk.go(&wish).await;
}

pub(super) async fn what_was_open_is_declared_to_lost_books(house: &dyn House) {
    let desk = Desk::new(house, "declared");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.open(&job[0], CAP).await;
    let wishes: Vec<_> = (0..4).map(|at| hold(&format!("x{at}"), &lease, cents(100), &job)).collect();
    let mut tickets = Vec::new();
    for wish in &wishes {
        tickets.push(desk.go(wish).await);
    }
    desk.settle(&wishes[0], tickets[0], cents(10)).await;
    house.wipe().await;
    let desk = Desk::new(house, "declared");
    assert_eq!(desk.reserve(&wishes[0]).await, Reserved::Closed);
    assert_eq!(desk.settle(&wishes[0], tickets[0], cents(10)).await, Noted::Closed);
    let open = Open::Holds(vec![(tickets[1], wishes[1].clone()), (tickets[2], wishes[2].clone())]);
    assert_eq!(desk.declare(&lease, open.clone()).await, Noted::Closed);
    desk.restore(&job[0], after_a_wipe(2, CAP, cents(1))).await;
    for _ in 0..2 {
        assert_eq!(desk.declare(&lease, open.clone()).await, Noted::Done);
        assert_eq!(desk.settle(&wishes[0], tickets[0], cents(10)).await, Noted::Done);
        assert_eq!(desk.settle(&wishes[1], tickets[1], cents(20)).await, Noted::Done);
        assert_eq!(desk.settle(&wishes[3], tickets[3], cents(40)).await, Noted::Done, "nobody declared it");
        assert_eq!(desk.figures(&job[0]).await, (cents(71), cents(100)));
    }
    house.advance(LEASE_MS);
    assert_eq!(desk.figures(&job[0]).await, (cents(171), NanoUsd::ZERO), "nobody kept the lease");
    desk.settle(&wishes[2], tickets[2], cents(30)).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(101), NanoUsd::ZERO));
    let retry = super::Hold { request: super::name("retry"), ..wishes[0].clone() };
    assert!(desk.go(&retry).await > tickets[3]);
}

pub(super) async fn an_allowance_stands_for_who_does_not_speak(house: &dyn House) {
    let desk = Desk::new(house, "allowance");
    let (job, speaks, silent) = ([of_job("a")], lease("a", 0, 1), lease("a", 1, 1));
    desk.open(&job[0], CAP).await;
    let wish = hold("x", &speaks, cents(10), &job);
    let ticket = desk.go(&wish).await;
    house.wipe().await;
    let desk = Desk::new(house, "allowance");
    desk.restore(&job[0], after_a_wipe(2, CAP, NanoUsd::ZERO)).await;
    for lease in [&speaks, &silent, &speaks, &silent] {
        assert_eq!(desk.declare(lease, Open::Allowance(cents(100), job[..].into())).await, Noted::Done);
    }
    assert_eq!(desk.figures(&job[0]).await, (NanoUsd::ZERO, cents(200)));
    desk.declare(&speaks, Open::Holds(vec![(ticket, wish)])).await;
    assert_eq!(desk.figures(&job[0]).await, (NanoUsd::ZERO, cents(110)));
    desk.declare(&speaks, Open::Allowance(cents(100), job[..].into())).await;
    assert_eq!(desk.figures(&job[0]).await, (NanoUsd::ZERO, cents(110)), "the holder has spoken");
    house.advance(LEASE_MS - 1_000);
    desk.keep(&speaks).await;
    house.advance(1_000);
    assert_eq!(desk.figures(&job[0]).await, (cents(100), cents(10)));
}

pub(super) async fn a_later_leader_corrects_until_the_budget_is_open(house: &dyn House) {
    let desk = Desk::new(house, "leaders");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.restore(&job[0], after_a_wipe(5, CAP, cents(10))).await;
    desk.restore(&job[0], after_a_wipe(4, cents(1), cents(99))).await;
    desk.restore(&job[0], after_a_wipe(5, cents(1), cents(99))).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(10), NanoUsd::ZERO));
    house.advance(LEASE_MS - 5_000);
    desk.restore(&job[0], after_a_wipe(6, cents(400), cents(30))).await;
    house.advance(5_000);
    let seen = desk.view(&job[0]).await;
    assert_eq!((seen.cap, seen.spent, seen.is_open), (cents(400), cents(30), false), "it is closed for a lease again");
    house.advance(LEASE_MS);
    desk.go(&hold("x", &lease, cents(10), &job)).await;
    desk.restore(&job[0], Restored { epoch: Epoch(7), cap: CAP, spent: CAP, closed_ms: LEASE_MS }).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(30), cents(10)), "what is open knows better");
}
