//! Messages are delivered at least once, signed, and given up after a day.

use std::sync::Mutex;

use async_trait::async_trait;
use shardmill_shared::job::{Ending, JobId, JobState, Made, PRIORITY_USUAL};
use shardmill_shared::process::ManualClock;
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::store::MemoryStore;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn name(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

/// Takes letters, after refusing some.
#[derive(Debug, Default)]
struct Scripted {
    refusals: Mutex<u32>,
    letters: Mutex<Vec<Letter>>,
}

#[async_trait]
impl Courier for Scripted {
    async fn hand_over(&self, _: &Url, letter: &Letter) -> Result<(), String> {
        let mut refusals = self.refusals.lock().expect("no holder panics");
        if *refusals > 0 {
            *refusals -= 1;
            return Err("it answered with HTTP status 500".to_owned());
        }
        self.letters.lock().expect("no holder panics").push(letter.clone());
        Ok(())
    }
}

struct World {
    root: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    courier: Arc<Scripted>,
}

impl World {
    fn new(refusals: u32) -> Self {
        let courier = Arc::new(Scripted { refusals: Mutex::new(refusals), ..Scripted::default() });
        Self { root: Arc::new(MemoryStore::default()), clock: Arc::default(), courier }
    }

    fn herald(&self, tenant: &str) -> Herald {
        let webhook = Webhook {
            url: Url::parse("https://example.com/hook").expect("a URL"),
            key: SigningKey::new(SECRET).expect("a secret"),
            tenants: [name(tenant)].into(),
        };
        let courier = Arc::<Scripted>::clone(&self.courier);
        let webhooks = Webhooks { known: [(name("team"), webhook)].into(), courier };
        let (root, clock) = (Arc::clone(&self.root), Arc::<ManualClock>::clone(&self.clock));
        Herald { root, clock, webhooks, bell: Arc::default(), tries: HashMap::new() }
    }

    fn records(&self) -> JobRecords {
        JobRecords::of(&self.root, &name("acme"))
    }

    async fn announce(&self) {
        let submission = Submission {
            job: JobId::new("j1").expect("allowed"),
            tenant: name("acme"),
            dataset: name("shop"),
            spec: "{}".to_owned(),
            priority: PRIORITY_USUAL,
            submitted_ms: 1,
            by: "test".to_owned(),
            afterwards: Afterwards { notify: vec![name("team")], ..Afterwards::default() },
            trace: None,
        };
        let made = Made::default();
        let ending = Ending { state: JobState::Failed, message: None, ended_ms: 0, made, manifest: None, spent: None };
        let event = (Event::Ended(0, &ending), None);
        announce(&self.records(), &self.root, &submission, event).await.expect("announces");
    }

    fn letters(&self) -> Vec<Letter> {
        self.courier.letters.lock().expect("no holder panics").clone()
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        let store = Arc::clone(self.records().store());
        let folder = ObjectPath::new("jobs/j1/deliveries").expect("a path");
        let page = store.list(Some(&folder)).await.expect("lists").next_page().await.expect("lists");
        let mut deliveries = Vec::new();
        for entry in page {
            let bytes = store.read(&entry.path).await.expect("reads");
            deliveries.push(serde_json::from_slice(&bytes).expect("a delivery"));
        }
        deliveries
    }
}

#[tokio::test]
async fn a_refused_message_comes_again_with_the_same_id_and_body() {
    let world = World::new(2);
    world.announce().await;
    let mut herald = world.herald("acme");
    let waits = [DELIVERY_BACKOFF_MS, 4 * DELIVERY_BACKOFF_MS, DELIVERY_ROUND_MS];
    for wait_ms in waits {
        assert_eq!(herald.round().await.expect("goes round"), wait_ms);
        world.clock.advance(wait_ms - 1);
        let before = world.letters().len();
        herald.round().await.expect("goes round");
        assert_eq!(world.letters().len(), before, "it is not due yet");
        world.clock.advance(1);
    }
    let letters = world.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].timestamp, 25);
    let key = SigningKey::new(SECRET).expect("a secret");
    assert_eq!(letters[0].signature, key.sign(&letters[0].id, 25, &letters[0].body));
    assert!(letters[0].body.contains(r#""type":"job.failed""#), "{}", letters[0].body);
    // What is delivered stays so, although a leader that died in between announces it again.
    world.announce().await;
    world.herald("acme").round().await.expect("goes round");
    assert_eq!(world.letters().len(), 1);
    assert!(world.deliveries().await[0].is_delivered);
}

#[tokio::test]
async fn the_next_leader_delivers_what_the_last_could_not() {
    let world = World::new(1);
    world.announce().await;
    world.herald("acme").round().await.expect("goes round");
    assert!(world.letters().is_empty());
    world.herald("acme").round().await.expect("goes round");
    assert_eq!(world.letters().len(), 1);
}

#[tokio::test]
async fn after_a_day_a_message_is_given_up() {
    let world = World::new(u32::MAX);
    world.announce().await;
    let mut herald = world.herald("acme");
    let mut rounds = 0;
    while !herald.waiting().await.expect("lists").is_empty() {
        let wait_ms = herald.round().await.expect("goes round");
        world.clock.advance(wait_ms);
        rounds += 1;
        assert!(rounds < 5_000, "it is never given up");
    }
    let delivery = world.deliveries().await.pop().expect("is recorded");
    assert!(!delivery.is_delivered && delivery.at_ms >= DELIVERY_MS, "{delivery:?}");
    assert_eq!(delivery.message.as_deref(), Some("it answered with HTTP status 500"));
}

#[tokio::test]
async fn another_tenants_webhook_is_told_nothing() {
    let world = World::new(0);
    world.announce().await;
    world.herald("other").round().await.expect("goes round");
    assert!(world.letters().is_empty());
    assert!(!world.deliveries().await[0].is_delivered);
}
