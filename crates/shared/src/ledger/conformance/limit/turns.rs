//! Fair turns: what claimants that always want more are given in a minute.

use super::{Claimant, House, MS_NS, Model, ask, claimant, model, per_minute, want};

const STEP_MS: u64 = 10;
const MINUTE_MS: u64 = 60_000;

/// Calls that each claimant was given in a minute, who all ask again as soon as their slices are over.
async fn a_minute(house: &dyn House, model: &Model, greedy: &[(Claimant, u64)]) -> Vec<u64> {
    let mut given = vec![0; greedy.len()];
    let mut due_ms = vec![0; greedy.len()];
    let begun_ms = house.now_ms();
    // A first slice of everybody, so that all are known.
    while house.now_ms() < begun_ms + MINUTE_MS {
        for (at, (claimant, calls)) in greedy.iter().enumerate() {
            let now_ms = house.now_ms();
            if due_ms[at] > now_ms {
                continue;
            }
            let slice = ask(house, model, &want(claimant, per_minute(6_000), *calls)).await;
            given[at] += slice.calls;
            due_ms[at] = now_ms + ((slice.wait_ns + slice.length_ns) / MS_NS).max(1);
        }
        house.advance(STEP_MS);
    }
    given
}

fn crew(tenant: &str, job: &str, weight: u64, workers: u64) -> Vec<(Claimant, u64)> {
    (0..workers).map(|at| (claimant(tenant, job, weight, &format!("{job} {at}")), 100)).collect()
}

/// Asserts that the first `count` were given such a share of all, in percent, give or take so many.
fn assert_share(given: &[u64], count: usize, percent: u64) {
    let (own, all): (u64, u64) = (given[..count].iter().sum(), given.iter().sum());
    let share = own * 1_000 / all;
    assert!(share.abs_diff(percent * 10) <= 50, "{share} per mille where {percent} % are fair: {given:?}");
    assert!(all >= 5_800, "only {all} of 6 000 calls were given out");
}

pub(super) async fn jobs_share_by_weight_however_many_workers_they_have(house: &dyn House) {
    let mut greedy = crew("a", "few", 6, 1);
    greedy.extend(crew("a", "many", 2, 12));
    let given = a_minute(house, &model("weights"), &greedy).await;
    assert_share(&given, 1, 75);
}

pub(super) async fn tenants_share_alike(house: &dyn House) {
    let mut greedy = crew("a", "one", 1, 1);
    for job in ["two", "three", "four"] {
        greedy.extend(crew("b", job, 10, 4));
    }
    let given = a_minute(house, &model("tenants"), &greedy).await;
    assert_share(&given, 1, 50);
}

pub(super) async fn who_wants_nothing_holds_nobody_up(house: &dyn House) {
    let mut greedy = crew("a", "greedy", 1, 2);
    greedy.push((claimant("b", "modest", 10, "modest"), 1));
    let given = a_minute(house, &model("modest"), &greedy).await;
    assert!(given[0] + given[1] >= 4_000, "{given:?}");
    assert!(given.iter().sum::<u64>() >= 5_800, "{given:?}");
}
