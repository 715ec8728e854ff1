//! Random runs of several workers that crash, with a ledger that is wiped, against sums over a list of calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{CAP, Desk, House, NanoUsd, Noted, Open, Reserved, Scope, Ticket, after_a_wipe, cents, hold, lease};
use super::{of_job, of_tenant};
use crate::ledger::budget::Hold;
use crate::ledger::{Fence, LEASE_MS, Lease};

const STEPS: u32 = 120;
const WORKERS: usize = 3;
/// A third of a lease: what is left of every lease is far more than the time that a step takes by itself.
const STEP_MS: u64 = 5_000;

/// Where the ledger has an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Settled,
    /// Its lease died: it counts in full.
    Closed,
    /// The ledger was wiped.
    Lost,
}

/// A call that was paid, or an allowance, which has no ticket.
#[derive(Debug)]
struct Call {
    hold: Hold,
    ticket: Option<Ticket>,
    actual: NanoUsd,
    state: State,
    is_committed: bool,
}

/// What pays for the calls of a worker.
fn scopes_of(worker: usize) -> Vec<Scope> {
    match worker {
        0 => vec![of_job("a"), of_tenant()],
        1 => vec![of_job("b"), of_tenant()],
        _ => vec![of_job("b")],
    }
}

/// Numbers that look random and are the same in every run of a seed.
struct Luck(u64);

impl Luck {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn pick(&mut self, among: &[usize]) -> Option<usize> {
        (!among.is_empty()).then(|| among[self.below(among.len() as u64) as usize])
    }
}

struct Run<'a> {
    house: &'a dyn House,
    desk: Desk,
    luck: Luck,
    scopes: Vec<Scope>,
    caps: BTreeMap<Scope, NanoUsd>,
    /// What the store knew at the last wipe.
    bases: BTreeMap<Scope, NanoUsd>,
    calls: Vec<Call>,
    /// The lease that each holds.
    workers: Vec<Lease>,
    until_ms: BTreeMap<Fence, u64>,
    now_ms: u64,
    fences: u64,
    epoch: u64,
    wishes: u64,
}

pub(super) async fn a_random_run_agrees_with_arithmetic(house: &dyn House, seed: u64) {
    let mut run = Run::begin(house, seed).await;
    for step in 0..STEPS {
        run.step().await;
        run.agree(&format!("seed {seed}, step {step}")).await;
    }
    run.end().await;
    run.agree(&format!("seed {seed}, end")).await;
    for scope in &run.scopes {
        let allowed: u64 = run.of(scope).filter(|call| call.ticket.is_none()).map(|call| call.hold.amount.0).sum();
        let untold = run.of(scope).filter(|call| call.state == State::Lost && !call.is_committed);
        let untold: u64 = untold.map(|call| call.actual.0).sum();
        let seen = run.desk.view(scope).await;
        let expected = run.bill(scope) - untold + allowed;
        assert_eq!((seen.spent.0, seen.held.0), (expected, 0), "seed {seed}: money was lost");
    }
}

impl<'a> Run<'a> {
    async fn begin(house: &'a dyn House, seed: u64) -> Self {
        let scopes = vec![of_job("a"), of_job("b"), of_tenant()];
        let desk = Desk::new(house, &format!("run-{seed}"));
        for scope in &scopes {
            desk.open(scope, CAP).await;
        }
        let caps = scopes.iter().map(|scope| (scope.clone(), CAP)).collect();
        let mut run = Self {
            house,
            desk,
            luck: Luck(seed),
            scopes,
            caps,
            bases: BTreeMap::new(),
            calls: Vec::new(),
            workers: Vec::new(),
            until_ms: BTreeMap::new(),
            now_ms: 0,
            fences: 0,
            epoch: 1,
            wishes: 0,
        };
        run.workers = (0..WORKERS).map(|at| run.attempt(at)).collect();
        run
    }

    /// A new attempt of a worker's shard.
    fn attempt(&mut self, at: usize) -> Lease {
        self.fences += 1;
        lease(if at == 0 { "a" } else { "b" }, at as u64, self.fences)
    }

    fn refresh(&mut self, lease: &Lease) {
        self.until_ms.insert(lease.fence, self.now_ms + LEASE_MS);
    }

    async fn step(&mut self) {
        match self.luck.below(100) {
            0..50 => self.reserve().await,
            50..72 => self.settle(State::Open).await,
            72..76 => self.settle(State::Settled).await,
            76..80 => self.settle(State::Closed).await,
            80..88 => self.pass().await,
            88..92 => self.crash(),
            92..96 => self.commit(),
            96..98 => self.raise().await,
            _ => self.wipe().await,
        }
    }

    fn of<'s>(&'s self, scope: &'s Scope) -> impl Iterator<Item = &'s Call> {
        self.calls.iter().filter(move |call| call.hold.scopes.contains(scope))
    }

    /// What the calls have cost, whoever knows of it.
    fn bill(&self, scope: &Scope) -> u64 {
        self.of(scope).map(|call| call.actual.0).sum()
    }

    /// What must be spent and held.
    fn figures(&self, scope: &Scope) -> (u64, u64) {
        let (mut spent, mut held) = (self.bases.get(scope).map_or(0, |base| base.0), 0);
        for call in self.of(scope) {
            match call.state {
                State::Open => held += call.hold.amount.0,
                State::Settled => spent += call.actual.0,
                State::Closed => spent += call.hold.amount.0,
                State::Lost => {}
            }
        }
        (spent, held)
    }

    async fn agree(&self, at: &str) {
        for scope in &self.scopes {
            let (seen, cap) = (self.desk.view(scope).await, self.caps[scope]);
            assert_eq!((seen.spent.0, seen.held.0), self.figures(scope), "{at}: {scope}");
            let gone = seen.spent.0 + seen.held.0;
            assert!(seen.cap == cap && gone <= cap.0, "{at}: {scope} has {seen:?}");
            assert!(self.bill(scope) <= gone, "{at}: {scope} does not know of all that was paid");
        }
    }

    async fn reserve(&mut self) {
        let at = self.luck.below(WORKERS as u64) as usize;
        let (lease, scopes) = (self.workers[at].clone(), scopes_of(at));
        self.wishes += 1;
        let wish = hold(&format!("x{}", self.wishes), &lease, cents(1 + self.luck.below(60)), &scopes);
        let answer = self.desk.reserve(&wish).await;
        let room = |scope: &Scope| {
            let (spent, held) = self.figures(scope);
            (spent + wish.amount.0 > self.caps[scope].0, spent + held + wish.amount.0 > self.caps[scope].0)
        };
        let expected = match scopes.iter().find(|scope| room(scope).0) {
            Some(scope) => Reserved::Exhausted(scope.clone()),
            None if scopes.iter().any(|scope| room(scope).1) => Reserved::Wait,
            None => {
                let Reserved::Go(ticket) = answer else { panic!("{wish:?} fits and is answered {answer:?}") };
                let actual = NanoUsd(self.luck.below(wish.amount.0 + 1));
                self.refresh(&lease);
                let (ticket, state) = (Some(ticket), State::Open);
                self.calls.push(Call { hold: wish, ticket, actual, state, is_committed: false });
                return;
            }
        };
        assert_eq!(answer, expected, "{wish:?}");
    }

    /// Tells the price of some call in that state; of a settled one again.
    async fn settle(&mut self, state: State) {
        let is_told = |call: &Call| call.state == state && call.ticket.is_some() && !call.is_committed;
        let among = self.at(is_told);
        if let Some(at) = self.luck.pick(&among) {
            self.tell(at).await;
        }
    }

    async fn tell(&mut self, at: usize) {
        let call = &mut self.calls[at];
        let Some(ticket) = call.ticket else { return };
        assert_eq!(self.desk.settle(&call.hold, ticket, call.actual).await, Noted::Done);
        call.state = State::Settled;
    }

    /// Time passes; who lives keeps its lease.
    async fn pass(&mut self) {
        self.house.advance(STEP_MS);
        self.now_ms += STEP_MS;
        for at in 0..WORKERS {
            let lease = self.workers[at].clone();
            self.desk.keep(&lease).await;
            self.refresh(&lease);
        }
        for call in &mut self.calls {
            if call.state == State::Open && self.until_ms[&call.hold.lease.fence] <= self.now_ms {
                call.state = State::Closed;
            }
        }
    }

    fn crash(&mut self) {
        let at = self.luck.below(WORKERS as u64) as usize;
        self.workers[at] = self.attempt(at);
    }

    /// A shard whose calls are all settled is committed.
    fn commit(&mut self) {
        let at = self.luck.below(WORKERS as u64) as usize;
        let lease = self.workers[at].clone();
        let its = |call: &Call| call.hold.lease == lease;
        if self.calls.iter().any(|call| its(call) && call.state == State::Open) {
            return;
        }
        for call in self.calls.iter_mut().filter(|call| its(call)) {
            call.is_committed = true;
        }
        self.workers[at] = self.attempt(at);
    }

    async fn raise(&mut self) {
        let at = self.luck.below(self.scopes.len() as u64) as usize;
        let scope = self.scopes[at].clone();
        let cap = NanoUsd(self.caps[&scope].0 + cents(self.luck.below(300)).0);
        self.desk.budgets.set_cap(Some(&self.desk.tenant), &scope, cap).await.expect("raises");
        self.caps.insert(scope, cap);
    }

    /// Everything is lost, and told again: commits by the leader, the rest by who lives, or by what the store allowed the dead.
    async fn wipe(&mut self) {
        self.house.wipe().await;
        let tenant = self.desk.tenant.to_string();
        self.desk = Desk::new(self.house, &tenant);
        self.epoch += 1;
        let settled: Vec<usize> = self.at(|call| call.state == State::Settled && !call.is_committed);
        let open: Vec<usize> = self.at(|call| call.state == State::Open);
        self.calls.iter_mut().for_each(|call| call.state = State::Lost);
        self.assert_closed().await;
        for scope in self.scopes.clone() {
            let base = NanoUsd(self.of(&scope).filter(|call| call.is_committed).map(|call| call.actual.0).sum());
            self.desk.restore(&scope, after_a_wipe(self.epoch, self.caps[&scope], base)).await;
            self.bases.insert(scope, base);
        }
        for lease in self.workers.clone() {
            self.speak(&lease, &open).await;
        }
        for at in settled {
            self.tell(at).await;
        }
        self.allow().await;
        self.assert_closed().await;
        for _ in 0..LEASE_MS / STEP_MS {
            self.pass().await;
        }
    }

    fn at(&self, is_meant: impl Fn(&Call) -> bool) -> Vec<usize> {
        (0..self.calls.len()).filter(|at| is_meant(&self.calls[*at])).collect()
    }

    async fn assert_closed(&self) {
        let wish = hold("closed", &self.workers[0], NanoUsd::ZERO, &scopes_of(0));
        assert_eq!(self.desk.reserve(&wish).await, Reserved::Closed);
    }

    /// A living lease declares what is open.
    async fn speak(&mut self, lease: &Lease, open: &[usize]) {
        let its: Vec<usize> = open.iter().copied().filter(|at| self.calls[*at].hold.lease == *lease).collect();
        let holds = its.iter().filter_map(|at| Some((self.calls[*at].ticket?, self.calls[*at].hold.clone())));
        assert_eq!(self.desk.declare(lease, Open::Holds(holds.collect())).await, Noted::Done);
        self.refresh(lease);
        its.into_iter().for_each(|at| self.calls[at].state = State::Open);
    }

    /// What the store knows of the dead: the most that they may have spent.
    async fn allow(&mut self) {
        self.calls.retain(|call| call.ticket.is_some());
        let mut allowances: BTreeMap<Fence, (Hold, u64)> = BTreeMap::new();
        for call in self.calls.iter().filter(|call| call.state == State::Lost && !call.is_committed) {
            allowances.entry(call.hold.lease.fence).or_insert_with(|| (call.hold.clone(), 0)).1 += call.hold.amount.0;
        }
        for (mut hold, amount) in allowances.into_values() {
            hold.amount = NanoUsd(amount);
            let open = Open::Allowance(hold.amount, Arc::clone(&hold.scopes));
            assert_eq!(self.desk.declare(&hold.lease, open).await, Noted::Done);
            self.refresh(&hold.lease);
            let actual = NanoUsd::ZERO;
            self.calls.push(Call { hold, ticket: None, actual, state: State::Open, is_committed: false });
        }
    }

    /// All who live settle, and journals tell of the dead.
    async fn end(&mut self) {
        for at in self.at(|call| call.state == State::Open) {
            self.tell(at).await;
        }
        for _ in 0..LEASE_MS / STEP_MS {
            self.pass().await;
        }
        for at in self.at(|call| call.state == State::Closed) {
            self.tell(at).await;
        }
    }
}
