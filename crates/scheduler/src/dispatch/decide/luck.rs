//! Any job of any luck comes to its end: messages are lost and repeated, workers fail and die, and the loop still commits
//! every shard or gives it up after its attempts.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::sync::Arc;

use proptest::prelude::*;
use shardmill_shared::job::{Digest, Failure, JobId, Made, Name, Outcome, Rows, Work};
use shardmill_shared::ledger::{Begin, Company, Lease, Ledger, MemoryLedger, Runner, WorkerId};
use shardmill_shared::process::ManualClock;

use super::*;

/// What becomes of a message that is taken.
#[derive(Clone, Copy, Debug)]
enum Luck {
    Committed,
    Failed,
    Died,
    Lost,
    Twice,
}

struct World {
    plan: Plan,
    job: JobId,
    clock: Arc<ManualClock>,
    ledger: MemoryLedger,
    messages: VecDeque<ShardId>,
    luck: VecDeque<Luck>,
    workers: u64,
}

impl World {
    fn new(shards: [u64; 2], luck: Vec<Luck>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let name = |text: &str| Name::new(text).expect("allowed");
        let id = |text: &str| StageId::new(text).expect("allowed");
        let stage = |text: &str, shards: u64, needs: Vec<StageId>| Stage {
            id: id(text),
            needs,
            pool: Pool::Generate,
            work: Work::Table { table: name(text), extension: name("csv") },
            rows: Rows::Exact(shards),
            shard_rows: NonZeroU64::MIN,
            row_bytes: 0,
        };
        let stages = vec![stage("a", shards[0], vec![]), stage("b", shards[1], vec![id("a")])];
        let spec_digest = Digest::of(b"");
        Self {
            plan: Plan {
                spec_digest,
                name: name("shop"),
                seed: 1,
                engine: 1,
                writer: String::new(),
                stages,
                budget: None,
            },
            job: JobId::new("job").expect("allowed"),
            ledger: MemoryLedger::new(Arc::<ManualClock>::clone(&clock)),
            clock,
            messages: VecDeque::new(),
            luck: luck.into(),
            workers: 0,
        }
    }

    async fn act(&mut self, action: &Action) {
        match action {
            Action::Open(stage) => {
                let shards = self.plan.stage(stage).expect("planned").shards().most();
                self.ledger.open(&self.job, stage, shards).await.expect("opens");
            }
            Action::Release { stage, most } => {
                let released = self.ledger.release(&self.job, stage, *most).await.expect("releases");
                self.messages.extend(released.into_iter().map(|index| ShardId { stage: stage.clone(), index }));
            }
            Action::Retry { shard, .. } => {
                self.ledger.reopen(&self.job, shard).await.expect("reopens");
                self.messages.push_back(shard.clone());
            }
            Action::Repeat { shard, .. } => self.messages.push_back(shard.clone()),
            Action::StopJob => self.ledger.stop(&self.job).await.expect("stops"),
            Action::PauseJob => panic!("nothing here is paid for"),
        }
    }

    /// A worker takes a message; without one, time passes.
    async fn work(&mut self) {
        let Some(shard) = self.messages.pop_front() else { return self.clock.advance(1_000) };
        let luck = self.luck.pop_front().unwrap_or(Luck::Committed);
        if let Luck::Lost = luck {
            return;
        }
        if let Luck::Twice = luck {
            self.messages.push_back(shard.clone());
        }
        self.workers += 1;
        let worker = WorkerId(self.workers.to_string());
        let runner = Runner { worker, writer: String::new(), company: Company::None };
        let begun = self.ledger.begin(&self.job, &shard, &runner).await.expect("begins");
        let Begin::Go(fence) = begun else { return };
        let lease = Lease { job: self.job.clone(), shard, fence };
        let failure = Failure::new(Scope::Shard, "bad luck");
        let outcome = match luck {
            Luck::Died => return,
            Luck::Failed => Outcome::Failed(failure),
            Luck::Committed | Luck::Lost | Luck::Twice => Outcome::Committed(Made::default()),
        };
        self.ledger.report(&lease, &outcome).await.expect("reports");
    }

    async fn run(&mut self) -> Next {
        let mut silence = Silence::default();
        for _ in 0..100_000 {
            let nothing = View { revision: 0, now_ms: 0, run_state: RunState::Running, stages: Vec::new() };
            let view = self.ledger.view(&self.job).await.unwrap_or(nothing);
            silence.update(&view);
            let situation = Situation {
                plan: &self.plan,
                view: &view,
                silence: &silence,
                is_stopped: false,
                room: &super::tests::room(&self.plan, &view),
            };
            match next(&situation) {
                Next::Wait => self.work().await,
                Next::Act(actions) => {
                    assert!(!actions.is_empty(), "an idle loop");
                    for action in &actions {
                        self.act(action).await;
                        silence.heard(action);
                    }
                }
                end => return end,
            }
        }
        panic!("the job does not end");
    }
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        6 => Just(Luck::Committed),
        2 => Just(Luck::Failed),
        1 => Just(Luck::Died),
        1 => Just(Luck::Lost),
        1 => Just(Luck::Twice),
    ]
}

proptest! {
    #[test]
    fn any_job_of_any_luck_comes_to_its_end(
        shards in [1_u64..12, 1_u64..12],
        luck in prop::collection::vec(luck(), 0..80),
    ) {
        let bad = luck.iter().filter(|luck| matches!(luck, Luck::Failed | Luck::Died)).count();
        let mut world = World::new(shards, luck);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("builds");
        match runtime.block_on(world.run()) {
            Next::Committed => {}
            Next::Failed(given_up) => {
                prop_assert!(!given_up.is_empty());
                prop_assert!(given_up.iter().all(|shard| shard.attempts + shard.deaths >= ATTEMPTS));
                prop_assert!(bad >= given_up.len() * ATTEMPTS as usize);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
