//! A provider that enforces its limits to the last token, and sixty-four workers that use them.

use std::num::NonZeroU64;

use super::{CALL, Claimant, House, MS_NS, Model, claimant, model};
use crate::ledger::limit::{Need, Quota, Want, Wishes};

const WORKERS: usize = 64;
const STEP_MS: u64 = 10;
/// Calls that wait at each worker.
const WAITING: usize = 4;
/// The time after which all are busy.
const BEGUN_MS: u64 = 3_000;
const MINUTE_MS: u64 = 60_000;
/// What a call usually produces.
const USUAL_OUTPUT: u64 = 300;

/// A bucket that holds what fills in a second, in parts of a unit that fill in a millisecond.
struct Bucket {
    per_minute: u64,
    level: i128,
    now_ms: u64,
}

impl Bucket {
    fn full(per_minute: u64, now_ms: u64) -> Self {
        Self { per_minute, level: i128::from(per_minute) * 1_000, now_ms }
    }

    fn fill(&mut self, now_ms: u64) {
        let filled = i128::from(self.per_minute) * i128::from(now_ms - self.now_ms);
        self.level = (self.level + filled).min(i128::from(self.per_minute) * 1_000);
        self.now_ms = now_ms;
    }

    fn has(&self, units: u64) -> bool {
        self.level >= i128::from(units) * i128::from(MINUTE_MS)
    }

    fn take(&mut self, units: u64) {
        self.level -= i128::from(units) * i128::from(MINUTE_MS);
    }
}

struct Provider {
    requests: Bucket,
    input: Bucket,
    output: Bucket,
    served: u64,
    served_input: u64,
    refused: u64,
}

impl Provider {
    fn new(quota: &Quota, now_ms: u64) -> Self {
        let bucket = |per_minute: Option<NonZeroU64>| Bucket::full(per_minute.map_or(0, NonZeroU64::get), now_ms);
        Self {
            requests: bucket(quota.requests),
            input: bucket(quota.input_tokens),
            output: bucket(quota.output_tokens),
            served: 0,
            served_input: 0,
            refused: 0,
        }
    }

    /// Begins a call, unless a limit forbids it.
    fn serve(&mut self, input: u64, now_ms: u64) -> bool {
        for bucket in [&mut self.requests, &mut self.input, &mut self.output] {
            bucket.fill(now_ms);
        }
        if !self.requests.has(1) || !self.input.has(input) || !self.output.has(1) {
            self.refused += 1;
            return false;
        }
        self.requests.take(1);
        self.input.take(input);
        self.served += 1;
        self.served_input += input;
        true
    }
}

/// One worker: its calls that wait, and those that run with when they end and what they produce.
struct Worker {
    claimant: Claimant,
    wishes: Wishes,
    waiting: usize,
    running: Vec<(u64, Need, u64)>,
}

/// Numbers that look random and are the same in every run.
struct Luck(u64);

impl Luck {
    fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        least + (self.0 >> 33) % (most - least + 1)
    }
}

struct World<'a> {
    house: &'a dyn House,
    model: Model,
    quota: Quota,
    provider: Provider,
    workers: Vec<Worker>,
    luck: Luck,
}

pub(super) async fn a_providers_limits_are_used_and_not_hit(house: &dyn House, seconds: u64) {
    let quota = |requests, input, output| Quota {
        requests: NonZeroU64::new(requests),
        input_tokens: NonZeroU64::new(input),
        output_tokens: NonZeroU64::new(output),
        ..Quota::default()
    };
    let by_requests = used(house, "requests", quota(6_000, 6_600_000, 2_100_000), seconds).await;
    assert!(by_requests.0 >= 980, "{} per mille of the calls were made", by_requests.0);
    let by_input = used(house, "input", quota(6_000, 3_000_000, 2_100_000), seconds).await;
    assert!(by_input.1 >= 980, "{} per mille of the input tokens were used", by_input.1);
}

/// Per mille of the calls and input tokens that were used once all were busy.
async fn used(house: &dyn House, name: &str, quota: Quota, seconds: u64) -> (u64, u64) {
    let begun_ms = house.now_ms();
    let worker = |at: usize| Worker {
        claimant: claimant("a", if at.is_multiple_of(2) { "a" } else { "b" }, 5, &format!("w {at}")),
        wishes: Wishes::default(),
        waiting: 0,
        running: Vec::new(),
    };
    let mut world = World {
        house,
        model: model(name),
        quota,
        provider: Provider::new(&quota, begun_ms),
        workers: (0..WORKERS).map(worker).collect(),
        luck: Luck(7),
    };
    let (mut before, mut since_ms) = ((0, 0), begun_ms);
    while house.now_ms() < begun_ms + seconds * 1_000 {
        for at in 0..WORKERS {
            world.step(at).await;
        }
        house.advance(STEP_MS);
        if since_ms == begun_ms && house.now_ms() >= begun_ms + BEGUN_MS {
            since_ms = house.now_ms();
            before = (world.provider.served, world.provider.served_input);
        }
    }
    let (took_ms, Provider { served, served_input, refused, .. }) = (house.now_ms() - since_ms, world.provider);
    assert!(refused * 1_000 <= served, "{name}: {refused} calls were refused, {served} served");
    let per_mille = |units: u64, limit: Option<NonZeroU64>| {
        u128::from(units) * 1_000 * u128::from(MINUTE_MS)
            / (u128::from(limit.map_or(1, NonZeroU64::get)) * u128::from(took_ms))
    };
    let calls = per_mille(served - before.0, quota.requests);
    let input = per_mille(served_input - before.1, quota.input_tokens);
    (u64::try_from(calls).unwrap_or(u64::MAX), u64::try_from(input).unwrap_or(u64::MAX))
}

impl World<'_> {
    async fn step(&mut self, at: usize) {
        let (now_ms, worker) = (self.house.now_ms(), &mut self.workers[at]);
        let now_ns = now_ms * MS_NS;
        let (over, running): (Vec<_>, Vec<_>) = worker.running.drain(..).partition(|(end_ms, ..)| *end_ms <= now_ms);
        worker.running = running;
        for (_, need, output) in over {
            self.provider.output.fill(now_ms);
            self.provider.output.take(output);
            worker.wishes.ended(need, Need { output_tokens: output, ..need });
        }
        while worker.waiting < WAITING {
            let input_tokens = self.luck.between(500, 1_500);
            worker.wishes.wish(0, Need { input_tokens, output_tokens: USUAL_OUTPUT, ..CALL });
            worker.waiting += 1;
        }
        for (_, need) in worker.wishes.go(now_ns) {
            worker.waiting -= 1;
            match self.provider.serve(need.input_tokens, now_ms) {
                true => {
                    let end_ms = now_ms + self.luck.between(300, 900);
                    worker.running.push((end_ms, need, self.luck.between(100, 2 * USUAL_OUTPUT - 100)));
                }
                false => worker.wishes.ended(need, Need::default()),
            }
        }
        self.ask(at, now_ns).await;
    }

    async fn ask(&mut self, at: usize, now_ns: u64) {
        let worker = &mut self.workers[at];
        let Some(ask) = worker.wishes.ask(now_ns) else { return };
        let limits = self.house.limits();
        if let Some(correction) = worker.wishes.correction() {
            limits.correct(&self.model, &worker.claimant, &correction).await.expect("corrects");
        }
        let claimant = worker.claimant.clone();
        let (quota, calls, each) = (self.quota, ask.calls, ask.each);
        let want = Want { claimant, quota, calls, each, slots: ask.slots, running: ask.running };
        let slice = limits.want(&self.model, &want).await.expect("answers");
        worker.wishes.given(&ask, &slice, self.house.now_ms() * MS_NS);
    }
}
