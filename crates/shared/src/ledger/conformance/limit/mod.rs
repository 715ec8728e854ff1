//! The law of limits: what every adapter must do, run against each. It panics where the law is broken.

use std::num::NonZeroU64;
use std::sync::Arc;

use async_trait::async_trait;

use super::{job_id, worker};
use crate::job::Name;
use crate::ledger::limit::{
    Claimant, Correction, Dimension, Limits, Model, Need, Observed, Quota, SLOTS_MS, Slice, Want,
};

mod provider;
mod turns;

/// A ledger of limits that the suite may wipe, and whose time it moves.
#[async_trait]
pub trait House: Send + Sync {
    /// The ledger, as one more process knows it.
    fn limits(&self) -> Arc<dyn Limits>;

    /// Lets so many milliseconds pass for the ledger. Little more may pass by itself, and be taken back.
    fn advance(&self, by_ms: u64);

    /// What the ledger takes for the time, in milliseconds since some moment.
    fn now_ms(&self) -> u64;

    /// Loses everything.
    async fn wipe(&self);
}

/// Runs the whole suite; a provider is simulated for so many seconds.
pub async fn all(house: &dyn House, seconds: u64) {
    a_limit_begins_empty_and_again_after_a_wipe(house).await;
    what_is_not_used_is_given_back(house).await;
    a_pause_is_for_everybody(house).await;
    what_the_provider_says_lowers_a_limit(house).await;
    limits_may_be_changed_while_running(house).await;
    slots_are_shared_and_end_by_themselves(house).await;
    turns::jobs_share_by_weight_however_many_workers_they_have(house).await;
    turns::tenants_share_alike(house).await;
    turns::who_wants_nothing_holds_nobody_up(house).await;
    provider::a_providers_limits_are_used_and_not_hit(house, seconds).await;
}

const MS_NS: u64 = 1_000_000;

fn model(name: &str) -> Model {
    Model::new(&Name::new("cloud").expect("the suite's names are allowed"), name)
}

fn claimant(tenant: &str, job: &str, weight: u64, name: &str) -> Claimant {
    let tenant = Some(Name::new(tenant).expect("the suite's names are allowed"));
    Claimant { tenant, job: job_id(job), weight, worker: worker(name) }
}

fn per_minute(requests: u64) -> Quota {
    Quota { requests: NonZeroU64::new(requests), ..Quota::default() }
}

const CALL: Need = Need { requests: 1, input_tokens: 0, output_tokens: 0 };

fn want(claimant: &Claimant, quota: Quota, calls: u64) -> Want {
    Want { claimant: claimant.clone(), quota, calls, each: CALL, slots: calls, running: 0 }
}

async fn ask(house: &dyn House, model: &Model, want: &Want) -> Slice {
    house.limits().want(model, want).await.expect("answers")
}

/// In how many milliseconds a slice ends, the first that is given.
async fn end_ms(house: &dyn House, model: &Model, want: &Want) -> u64 {
    let slice = ask(house, model, want).await;
    assert!(slice.calls > 0, "{slice:?}");
    (slice.wait_ns + slice.length_ns) / MS_NS
}

async fn a_limit_begins_empty_and_again_after_a_wipe(house: &dyn House) {
    let (model, one) = (model("empty"), claimant("a", "a", 5, "w"));
    let wish = want(&one, per_minute(6_000), 200);
    for _ in 0..2 {
        let slice = ask(house, &model, &wish).await;
        assert_eq!((slice.calls, slice.length_ns), (100, 1_000 * MS_NS), "a second of it, and no more than a hundred");
        assert!(slice.wait_ns > 0, "the half second that may be taken at once is not there yet");
        house.advance(10_000);
        let slice = ask(house, &model, &wish).await;
        assert!(slice.wait_ns <= 600 * MS_NS, "{slice:?}");
        house.wipe().await;
    }
}

async fn what_is_not_used_is_given_back(house: &dyn House) {
    let (model, one) = (model("back"), claimant("a", "a", 5, "w"));
    let quota = Quota { input_tokens: NonZeroU64::new(60_000), ..Quota::default() };
    let wish = Want { each: Need { input_tokens: 100, ..CALL }, ..want(&one, quota, 100) };
    let first = ask(house, &model, &wish).await;
    assert_eq!((first.calls, first.length_ns), (10, 1_000 * MS_NS));
    house.advance(1_000);
    let late = ask(house, &model, &wish).await;
    assert!(late.calls == 10 && late.wait_ns <= 600 * MS_NS, "{late:?}");
    let unused = Need { requests: 10, input_tokens: 1_000, output_tokens: 0 };
    let overrun = Need { requests: 0, input_tokens: 10, output_tokens: 0 };
    let correction = Correction { unused, overrun };
    house.limits().correct(&model, &one, &correction).await.expect("corrects");
    let again = ask(house, &model, &wish).await;
    let gained_ms = (late.wait_ns + late.length_ns).saturating_sub(again.wait_ns) / MS_NS;
    assert!((985..1_990).contains(&gained_ms), "{late:?}, then {again:?}");
}

async fn a_pause_is_for_everybody(house: &dyn House) {
    let model = model("pause");
    let (one, other) = (claimant("a", "a", 5, "w 1"), claimant("b", "b", 5, "w 2"));
    ask(house, &model, &want(&one, per_minute(6_000), 1)).await;
    house.limits().pause(&model, 30_000).await.expect("pauses");
    let refused = ask(house, &model, &want(&other, per_minute(6_000), 1)).await;
    assert_eq!(refused.calls, 0);
    assert!((28_000..=29_100).contains(&(refused.wait_ns / MS_NS)), "{refused:?}");
    house.advance(29_500);
    let given = ask(house, &model, &want(&other, per_minute(6_000), 1)).await;
    assert!(given.calls == 1 && given.wait_ns <= 600 * MS_NS, "{given:?}");
    let unlimited = Model::new(&Name::new("local").expect("allowed"), "pause");
    ask(house, &unlimited, &want(&one, Quota::default(), 1)).await;
    house.limits().pause(&unlimited, 30_000).await.expect("pauses");
    let refused = ask(house, &unlimited, &want(&other, Quota::default(), 1)).await;
    assert_eq!(refused.calls, 0, "a model without limits may be busy, too");
}

async fn what_the_provider_says_lowers_a_limit(house: &dyn House) {
    let (model, one) = (model("told"), claimant("a", "a", 5, "w"));
    let wish = want(&one, per_minute(6_000), 100);
    ask(house, &model, &wish).await;
    house.advance(20_000);
    let tell = async |per_minute: Option<u64>, remaining| {
        let observed = Observed { per_minute: per_minute.and_then(NonZeroU64::new), remaining };
        house.limits().observed(&model, Dimension::Requests, &observed).await.expect("notes");
    };
    tell(None, Some(0)).await;
    let slice = ask(house, &model, &wish).await;
    assert!(slice.wait_ns > 0, "nothing is left: {slice:?}");
    house.advance(20_000);
    tell(Some(600), Some(500)).await;
    let slice = ask(house, &model, &wish).await;
    assert_eq!((slice.calls, slice.length_ns), (10, 1_000 * MS_NS));
    house.advance(61_000);
    assert_eq!(ask(house, &model, &wish).await.calls, 100, "it is not believed for ever");
    house.advance(2_000);
    tell(Some(60_000), None).await;
    assert_eq!(ask(house, &model, &wish).await.length_ns, 1_000 * MS_NS, "it only lowers");
}

async fn limits_may_be_changed_while_running(house: &dyn House) {
    let (model, one) = (model("changed"), claimant("a", "a", 5, "w"));
    let wish = want(&one, per_minute(6_000), 100);
    assert_eq!(ask(house, &model, &wish).await.calls, 100);
    house.advance(10_000);
    house.limits().set_quota(&model, Some(&per_minute(1_200))).await.expect("sets");
    assert_eq!(ask(house, &model, &wish).await.calls, 20);
    house.advance(10_000);
    house.limits().set_quota(&model, None).await.expect("sets");
    assert_eq!(ask(house, &model, &wish).await.calls, 100);
    house.advance(10_000);
    let free = Quota::default();
    assert_eq!(end_ms(house, &model, &want(&one, free, 500)).await, 0, "without limits nobody waits");
}

async fn slots_are_shared_and_end_by_themselves(house: &dyn House) {
    let model = model("slots");
    let quota = Quota { concurrency: NonZeroU64::new(10), ..Quota::default() };
    let (one, other) = (claimant("a", "a", 5, "w 1"), claimant("a", "a", 5, "w 2"));
    let wish = |of: &Claimant, slots, running| Want { slots, running, ..want(of, quota, 50) };
    assert_eq!(ask(house, &model, &wish(&one, 50, 0)).await.slots, 10);
    let none = ask(house, &model, &wish(&other, 4, 0)).await;
    assert_eq!((none.slots, none.calls), (0, 0));
    assert_eq!(ask(house, &model, &wish(&one, 50, 7)).await.slots, 7, "calls that run keep their slots");
    assert_eq!(ask(house, &model, &wish(&other, 4, 0)).await.slots, 3);
    assert_eq!(ask(house, &model, &wish(&one, 50, 2)).await.slots, 5, "its part");
    assert_eq!(ask(house, &model, &wish(&other, 4, 3)).await.slots, 4);
    let keep = Want { calls: 0, ..wish(&one, 1, 1) };
    assert_eq!(ask(house, &model, &keep).await.slots, 1);
    house.advance(SLOTS_MS - 1_000);
    ask(house, &model, &keep).await;
    house.advance(1_500);
    assert_eq!(ask(house, &model, &wish(&one, 50, 1)).await.slots, 10, "the other is dead");
    house.limits().leave(&model, &one).await.expect("leaves");
    assert_eq!(ask(house, &model, &wish(&other, 50, 0)).await.slots, 10);
}
