//! Holds and settles while nothing goes wrong.

use super::{CAP, Desk, House, NanoUsd, Noted, Reserved, cents, hold, lease, of_job, of_tenant};
use crate::ledger::LedgerError;

pub(super) async fn a_hold_is_taken_from_all_budgets_or_none(house: &dyn House) {
    let desk = Desk::new(house, "nested");
    let (job, tenant, lease) = (of_job("a"), of_tenant(), lease("a", 0, 1));
    desk.open(&job, CAP).await;
    desk.open(&tenant, cents(100)).await;
    let both = [job.clone(), tenant.clone()];
    let first = desk.go(&hold("x", &lease, cents(60), &both)).await;
    assert_eq!(desk.reserve(&hold("y", &lease, cents(60), &both)).await, Reserved::Wait);
    let exhausted = desk.reserve(&hold("z", &lease, cents(101), &both)).await;
    assert_eq!(exhausted, Reserved::Exhausted(tenant.clone()), "it names the budget that cannot pay");
    for scope in &both {
        assert_eq!(desk.figures(scope).await, (NanoUsd::ZERO, cents(60)));
    }
    desk.go(&hold("free", &lease, cents(9_999), &[])).await;
    desk.settle(&hold("x", &lease, cents(60), &both), first, cents(10)).await;
    for scope in &both {
        assert_eq!(desk.figures(scope).await, (cents(10), NanoUsd::ZERO));
    }
    let seen = desk.view(&job).await;
    assert_eq!((seen.cap, seen.holds, seen.alarms, seen.is_open), (CAP, 0, 0, true));
    desk.budgets.forget_budget(Some(&desk.tenant), &job).await.expect("forgets");
    assert_eq!(desk.budgets.view_budget(Some(&desk.tenant), &job).await, Ok(None));
    assert_eq!(desk.reserve(&hold("w", &lease, cents(1), &both)).await, Reserved::Closed);
}

pub(super) async fn who_must_wait_is_told_from_who_cannot_be_paid(house: &dyn House) {
    let desk = Desk::new(house, "wait");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.open(&job[0], cents(100)).await;
    let (large, small) = (hold("large", &lease, cents(90), &job), hold("small", &lease, cents(20), &job));
    let ticket = desk.go(&large).await;
    assert_eq!(desk.reserve(&small).await, Reserved::Wait);
    desk.settle(&large, ticket, cents(80)).await;
    let ticket = desk.go(&small).await;
    let least = hold("least", &lease, NanoUsd(1), &job);
    assert_eq!(desk.reserve(&least).await, Reserved::Wait);
    desk.settle(&small, ticket, cents(20)).await;
    assert_eq!(desk.reserve(&least).await, Reserved::Exhausted(of_job("a")));
    desk.go(&hold("nothing", &lease, NanoUsd::ZERO, &job)).await;
}

pub(super) async fn a_repeated_request_is_given_its_hold_again(house: &dyn House) {
    let desk = Desk::new(house, "repeat");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.open(&job[0], CAP).await;
    let wish = hold("x", &lease, cents(10), &job);
    let ticket = desk.go(&wish).await;
    assert_eq!(desk.reserve(&wish).await, Reserved::Go(ticket));
    assert_eq!(desk.figures(&job[0]).await, (NanoUsd::ZERO, cents(10)));
    let other = super::Hold { request: super::name("another"), ..wish.clone() };
    assert_eq!(desk.reserve(&other).await, Reserved::Wait, "the same answer, wished for twice by one lease");
    desk.settle(&wish, ticket, cents(7)).await;
    assert_eq!(desk.reserve(&other).await, Reserved::Known(cents(7)));
    assert_ne!(desk.go(&wish).await, ticket, "a retry is a new hold");
}

pub(super) async fn two_who_want_one_answer_do_not_both_pay(house: &dyn House) {
    let desk = Desk::new(house, "contested");
    let job = [of_job("a")];
    desk.open(&job[0], CAP).await;
    let wish = |index| super::Hold {
        request: super::name(&format!("r-{index}")),
        ..hold("same", &lease("a", index, 1), cents(10), &job)
    };
    let ticket = desk.go(&wish(0)).await;
    assert_eq!(desk.reserve(&wish(1)).await, Reserved::Wait);
    assert_eq!(desk.reserve(&wish(2)).await, Reserved::Wait);
    desk.settle(&wish(0), ticket, cents(9)).await;
    for index in 1..3 {
        for _ in 0..2 {
            assert_eq!(desk.reserve(&wish(index)).await, Reserved::Known(cents(9)), "a lost answer is told again");
        }
    }
    let again = super::Hold { request: super::name("again"), ..wish(1) };
    desk.go(&again).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(9), cents(10)));
}

pub(super) async fn a_settle_counts_once(house: &dyn House) {
    let desk = Desk::new(house, "once");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.open(&job[0], CAP).await;
    let wish = hold("x", &lease, cents(10), &job);
    let first = desk.go(&wish).await;
    for _ in 0..2 {
        assert_eq!(desk.settle(&wish, first, cents(4)).await, Noted::Done);
    }
    let retry = super::Hold { request: super::name("retry"), ..wish.clone() };
    let second = desk.go(&retry).await;
    desk.settle(&wish, first, cents(4)).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(4), cents(10)), "a late repetition is not the retry's price");
    desk.settle(&retry, second, cents(5)).await;
    assert_eq!(desk.figures(&job[0]).await, (cents(9), NanoUsd::ZERO));
}

pub(super) async fn a_price_above_its_hold_is_an_alarm(house: &dyn House) {
    let desk = Desk::new(house, "alarm");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.open(&job[0], cents(10)).await;
    let wish = hold("x", &lease, cents(10), &job);
    let ticket = desk.go(&wish).await;
    desk.settle(&wish, ticket, cents(11)).await;
    let seen = desk.view(&job[0]).await;
    assert_eq!((seen.spent, seen.held, seen.alarms), (cents(11), NanoUsd::ZERO, 1));
    let nothing = hold("y", &lease, NanoUsd::ZERO, &job);
    assert_eq!(desk.reserve(&nothing).await, Reserved::Exhausted(of_job("a")));
}

pub(super) async fn a_cap_is_raised_and_not_lowered_below_what_is_gone(house: &dyn House) {
    let desk = Desk::new(house, "caps");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    let set = async |cap| desk.budgets.set_cap(Some(&desk.tenant), &job[0], cap).await;
    assert_eq!(set(CAP).await, Err(LedgerError::Unknown("job:a".to_owned())));
    desk.open(&job[0], cents(20)).await;
    let wish = hold("x", &lease, cents(10), &job);
    let ticket = desk.go(&wish).await;
    desk.settle(&wish, ticket, cents(8)).await;
    let held = hold("y", &lease, cents(12), &job);
    desk.go(&held).await;
    let more = hold("z", &lease, cents(30), &job);
    assert_eq!(desk.reserve(&more).await, Reserved::Exhausted(of_job("a")));
    let Err(LedgerError::Refused { reason }) = set(NanoUsd(199_999_999)).await else { panic!("may be lowered") };
    assert!(reason.contains("0.199999999") && reason.contains(" 0.20 "), "{reason}");
    set(cents(50)).await.expect("raises");
    desk.go(&more).await;
    set(cents(50)).await.expect("may be repeated");
    let Err(LedgerError::Refused { reason }) = set(NanoUsd(u64::MAX)).await else { panic!("no end") };
    assert!(reason.contains("2000000.00"), "{reason}");
}

pub(super) async fn a_budget_is_used_to_the_last_nano(house: &dyn House) {
    let desk = Desk::new(house, "used");
    let (job, lease) = ([of_job("a")], lease("a", 0, 1));
    desk.open(&job[0], CAP).await;
    let wishes: Vec<_> = (0..60).map(|at| hold(&format!("x{at}"), &lease, cents(10), &job)).collect();
    let answers = desk.budgets.reserve(Some(&desk.tenant), &wishes).await.expect("answers");
    let granted: Vec<_> = answers.iter().filter(|answer| matches!(answer, Reserved::Go(_))).collect();
    assert_eq!(granted.len(), 50);
    assert!(answers[50..].iter().all(|answer| *answer == Reserved::Wait));
    for (wish, answer) in wishes.iter().zip(&answers) {
        if let Reserved::Go(ticket) = answer {
            desk.settle(wish, *ticket, cents(10)).await;
        }
    }
    assert_eq!(desk.figures(&job[0]).await, (CAP, NanoUsd::ZERO));
    assert_eq!(desk.reserve(&wishes[59]).await, Reserved::Exhausted(of_job("a")));
}
