//! A leader over the local twins: what it does about jobs that do not end well.

use async_trait::async_trait;
use shardmill_shared::job::{
    Control, Digest, JobId, Key, Layout, Name, PRIORITY_USUAL, Placed, Rows, Stage, StageId, Submission, Work,
};
use shardmill_shared::ledger::MemoryLedger;
use shardmill_shared::metrics::Metrics;
use shardmill_shared::process::MonotonicClock;
use shardmill_shared::queue::MemoryQueue;
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::store::{JobRecords, MemoryStore};
use tokio::sync::mpsc;
use url::Url;

use super::*;
use crate::herald::{Courier, Letter, SigningKey, Webhook};

fn name(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

/// Plans every spec but `bad`.
#[derive(Debug)]
struct Scripted;

impl Planner for Scripted {
    fn plan(&self, spec: &[u8]) -> Result<Plan, String> {
        if spec == b"bad" {
            return Err("nobody can make that".to_owned());
        }
        let stage = Stage {
            id: StageId::new("users").expect("allowed"),
            needs: Vec::new(),
            pool: Pool::Generate,
            work: Work::Table { table: name("users"), extension: name("csv") },
            rows: Rows::Exact(10),
            shard_rows: 5.try_into().expect("not zero"),
            row_bytes: 1,
        };
        let (spec_digest, writer) = (Digest::of(spec), "test".to_owned());
        Ok(Plan { spec_digest, name: name("shop"), seed: 1, engine: 1, writer, stages: vec![stage], budget: None })
    }
}

/// Hands letters over to the test.
#[derive(Debug)]
struct Post(mpsc::UnboundedSender<Letter>);

#[async_trait]
impl Courier for Post {
    async fn hand_over(&self, _: &Url, letter: &Letter) -> Result<(), String> {
        self.0.send(letter.clone()).map_err(|error| error.to_string())
    }
}

fn scheduler(root: &Arc<dyn Store>, post: Post) -> Scheduler {
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
    let team = Webhook {
        url: Url::parse("https://example.com").expect("a URL"),
        key: SigningKey::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret"),
        tenants: [name("acme")].into(),
    };
    let ledger = Arc::new(MemoryLedger::new(Arc::clone(&clock)));
    Scheduler {
        id: WorkerId("s1".to_owned()),
        root: Arc::clone(root),
        queue: Arc::new(MemoryQueue::default()),
        ledger: Arc::<MemoryLedger>::clone(&ledger),
        budgets: ledger,
        planner: Arc::new(Scripted),
        clock,
        stop: Stop::default(),
        leads: Arc::default(),
        metrics: Metrics::default(),
        failed_ms: 3_600_000,
        webhooks: Webhooks { known: [(name("team"), team)].into(), courier: Arc::new(post) },
    }
}

fn submission(job: &str, spec: &str) -> Submission {
    Submission {
        job: JobId::new(job).expect("allowed"),
        tenant: name("acme"),
        dataset: name("shop"),
        spec: spec.to_owned(),
        priority: PRIORITY_USUAL,
        submitted_ms: 1,
        by: "test".to_owned(),
        afterwards: Afterwards { notify: vec![name("team")], ..Afterwards::default() },
        trace: None,
    }
}

#[tokio::test]
async fn webhooks_hear_of_failures_and_of_each_pause_once_and_leftovers_are_marked() {
    let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
    let records = JobRecords::of(&root, &name("acme"));
    let (post, mut letters) = mpsc::unbounded_channel();
    let (bad, good) = (submission("bad", "bad"), submission("good", "good"));
    records.settle_place(&bad.job, &Placed { dataset: name("shop"), version: 7 }).await.expect("places");
    records.submit(&bad).await.expect("submits");
    let leader = scheduler(&root, Post(post.clone()));
    let stop = leader.stop.clone();
    let reign = tokio::spawn(async move { leader.run().await });
    let letter = letters.recv().await.expect("is told");
    for part in [r#""type":"job.failed""#, r#""message":"nobody can make that""#, r#""version":7"#] {
        assert!(letter.body.contains(part), "{}", letter.body);
    }
    records.submit(&good).await.expect("submits");
    records.command(&good.job, &Control::Pause).await.expect("commands");
    let letter = letters.recv().await.expect("is told");
    assert!(letter.body.contains(r#""type":"job.paused""#), "{}", letter.body);
    stop.set();
    reign.await.expect("ends");
    let folder = Layout::Folder.path(&Key::Leftovers);
    let marks = root.list(Some(&folder)).await.expect("lists").next_page().await.expect("lists");
    assert!(marks.len() == 1 && marks[0].path.file_name() == "bad", "{marks:?}");

    // The next leader finds the job paused still, and tells nobody again: what comes next is its end.
    records.command(&good.job, &Control::Cancel).await.expect("commands");
    let leader = scheduler(&root, Post(post));
    let stop = leader.stop.clone();
    let reign = tokio::spawn(async move { leader.run().await });
    let letter = letters.recv().await.expect("is told");
    assert!(letter.body.contains(r#""type":"job.cancelled""#), "{}", letter.body);
    stop.set();
    reign.await.expect("ends");
}
