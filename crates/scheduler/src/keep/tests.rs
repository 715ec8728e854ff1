//! Versions go whole, oldest first, and whoever dies half-way is followed by another.

use bytes::Bytes;
use shardmill_shared::job::{Control, Digest, PRIORITY_USUAL, Placed, Submission};
use shardmill_shared::schedule::Afterwards;
use shardmill_shared::store::MemoryStore;

use super::*;

fn name(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

fn job(version: u64) -> JobId {
    JobId::new(&format!("job{version}")).expect("allowed")
}

fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).expect("allowed")
}

struct World {
    root: Arc<dyn Store>,
    records: JobRecords,
}

impl World {
    fn new() -> Self {
        let root: Arc<dyn Store> = Arc::new(MemoryStore::default());
        let records = JobRecords::of(&root, &name("acme"));
        Self { root, records }
    }

    /// A job with a version that has data, and no `_SUCCESS`.
    async fn build(&self, version: u64) -> Place {
        let submission = Submission {
            job: job(version),
            tenant: name("acme"),
            dataset: name("shop"),
            spec: "{}".to_owned(),
            priority: PRIORITY_USUAL,
            submitted_ms: version,
            by: "test".to_owned(),
            afterwards: Afterwards::default(),
            trace: None,
        };
        self.records.submit(&submission).await.expect("submits");
        self.records.settle_place(&job(version), &Placed { dataset: name("shop"), version }).await.expect("places");
        let place = self.records.place(&job(version)).await.expect("reads").expect("is placed");
        let claim = Claim { job: job(version), spec: Digest::of(b"") };
        place.put(&Key::Version(name("shop"), version), &claim).await.expect("claims");
        for file in ["users/part-00000.csv", "users/part-00001.csv", "_shardmill/manifest.json"] {
            place.store.put(&place.layout.file(&path(file)), Bytes::from_static(b"x")).await.expect("puts");
        }
        place
    }

    async fn publish(&self, version: u64) {
        let place = self.build(version).await;
        let success = Success { manifest: Digest::of(b""), spec: Digest::of(b"") };
        place.settle(&Key::Success, &success).await.expect("publishes");
        self.end(version, 0, JobState::Succeeded).await;
    }

    async fn end(&self, version: u64, retries: u32, state: JobState) {
        let ended_ms = 1_000 * u64::from(retries + 1);
        let ending = Ending { state, message: None, ended_ms, made: Made::default(), manifest: None, spent: None };
        self.records.end(&job(version), retries, &ending).await.expect("ends");
        if state != JobState::Succeeded {
            mark(&self.root, &name("acme"), (&job(version), ended_ms)).await.expect("marks");
        }
    }

    async fn retry(&self, version: u64) {
        self.records.command(&job(version), &Control::Retry).await.expect("commands");
    }

    /// How many objects each of the versions has.
    async fn objects(&self, versions: std::ops::RangeInclusive<u64>) -> Vec<usize> {
        let mut counts = Vec::new();
        for version in versions {
            let folder = path(&format!("acme/datasets/shop/{version}"));
            counts.push(self.root.list(Some(&folder)).await.expect("lists").next_page().await.expect("lists").len());
        }
        counts
    }

    async fn marks(&self) -> usize {
        let folder = Layout::Folder.path(&Key::Leftovers);
        self.root.list(Some(&folder)).await.expect("lists").next_page().await.expect("lists").len()
    }

    async fn retain(&self, keep: u32) -> u64 {
        let keep = NonZeroU32::new(keep).expect("not zero");
        retain(&self.root, &name("acme"), (&name("shop"), keep)).await.expect("retains")
    }
}

#[tokio::test]
async fn the_newest_versions_stay_and_only_published_ones_count() {
    let world = World::new();
    for version in [1, 2, 4, 6] {
        world.publish(version).await;
    }
    world.build(3).await;
    world.build(5).await;
    assert_eq!(world.retain(2).await, 2);
    assert_eq!(world.objects(1..=6).await, [0, 0, 3, 4, 3, 4], "those under way are left alone");
    assert_eq!(world.retain(2).await, 0);
    assert_eq!(world.marks().await, 0);
    assert_eq!(world.retain(1).await, 1);
    assert_eq!(world.objects(6..=6).await, [4], "the newest always stays");
    let left = claimed(world.records.store(), &name("shop")).await.expect("lists");
    assert_eq!(left.into_iter().max(), Some(6), "no number is given away again");
}

#[tokio::test]
async fn a_removal_that_was_cut_off_is_ended_by_the_next_sweep() {
    let world = World::new();
    world.publish(1).await;
    world.publish(2).await;
    mark(&world.root, &name("acme"), (&job(1), 0)).await.expect("marks");
    assert_eq!(sweep(&world.root, 5).await, Ok(0));
    assert_eq!(world.objects(1..=2).await, [4, 4], "what is published is no leftover");
    mark(&world.root, &name("acme"), (&job(1), 0)).await.expect("marks");
    world.root.delete(&path("acme/datasets/shop/1/_SUCCESS")).await.expect("deletes");
    assert_eq!(sweep(&world.root, 5).await, Ok(1));
    assert_eq!((world.objects(1..=2).await, world.marks().await), (vec![0, 4], 0));
}

#[tokio::test]
async fn what_failed_and_cancelled_jobs_left_goes_after_its_time() {
    let world = World::new();
    for (version, state) in [(1, JobState::Failed), (2, JobState::Cancelled)] {
        world.build(version).await;
        world.end(version, 0, state).await;
    }
    assert_eq!(sweep(&world.root, 1_000).await, Ok(0));
    assert_eq!((world.objects(1..=2).await, world.marks().await), (vec![3, 3], 2));
    assert_eq!(sweep(&world.root, 1_001).await, Ok(2));
    assert_eq!((world.objects(1..=2).await, world.marks().await), (vec![0, 0], 0));
    assert!(world.records.submission(&job(1)).await.expect("reads").is_some(), "records stay");
    let next = world.records.ending(&job(1), 1).await.expect("reads").expect("a retry has ended before it begins");
    assert!(next.message.expect("says why").contains("submit its spec again"));
    assert_eq!(world.records.ending(&job(2), 1).await.expect("reads"), None);
}

#[tokio::test]
async fn a_job_that_was_tried_again_keeps_its_files() {
    let world = World::new();
    world.build(1).await;
    world.end(1, 0, JobState::Failed).await;
    world.retry(1).await;
    assert_eq!(sweep(&world.root, 1_500).await, Ok(0));
    assert_eq!(world.objects(1..=1).await, [3], "it runs");
    world.end(1, 1, JobState::Failed).await;
    mark(&world.root, &name("acme"), (&job(1), 1_000)).await.expect("marks");
    assert_eq!(sweep(&world.root, 1_500).await, Ok(0));
    assert_eq!(world.objects(1..=1).await, [3], "it has failed again, and later");
    assert_eq!(sweep(&world.root, 2_500).await, Ok(1));
    assert_eq!(world.objects(1..=1).await, [0]);
}
