//! A small job, what runs it, and ports that fail on purpose.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use shardmill_scheduler::accept::Existing;
use shardmill_shared::job::{Digest, Name, Plan, Pool, Progress, Rows, Stage, StageId, Work, encode};
use shardmill_shared::process::{Clock, MonotonicClock, Stop};
use shardmill_shared::store::{Durability, FolderStore, Store};

use shardmill_cli::local::{self, Finished, LocalJob, Ports, ProgressListener, RunError, Target};

mod executor;
mod store;
mod queue;
mod ledger;
mod release;
mod luck;

pub use executor::{Scripted, orders_of};
pub use ledger::Wiped;
pub use luck::Luck;
pub use queue::{Doubling, Forgetful};
pub use release::{Gate, Meeting, Release, SHARD_ROWS, submission};
pub use store::{Fault, FaultyStore};

/// Users of the small job.
pub const USERS: u64 = 25;

fn name(text: &str) -> Name {
    Name::new(text).expect("allowed")
}

fn stage(id: &str, needs: &[&str], work: Work, rows: (Rows, u64)) -> Stage {
    Stage {
        id: StageId::new(id).expect("allowed"),
        needs: needs.iter().map(|need| StageId::new(need).expect("allowed")).collect(),
        pool: Pool::Generate,
        work,
        rows: rows.0,
        shard_rows: NonZeroU64::new(rows.1).expect("not zero"),
        row_bytes: 12,
    }
}

fn table(text: &str) -> Work {
    Work::Table { table: name(text), extension: name("csv") }
}

/// The spec of the small job.
pub fn spec(seed: u64) -> Bytes {
    encode(&json!({"name": "shop", "seed": seed, "tables": {"users": {"rows": USERS}, "orders": {"per": "users"}}}))
        .into()
}

/// The small job: users, a count of their orders, and the orders, whose number only the count knows.
pub fn plan(seed: u64) -> Plan {
    let stages = vec![
        stage("users", &[], table("users"), (Rows::Exact(USERS), 10)),
        stage(
            "orders-count",
            &[],
            Work::Count { table: name("orders"), parents: name("users"), parents_per_row: NonZeroU64::MIN },
            (Rows::Exact(USERS), 10),
        ),
        stage("orders", &["orders-count"], table("orders"), (Rows::Between { least: 0, most: USERS * 2 }, 7)),
    ];
    let spec_digest = Digest::of(&spec(seed));
    Plan { spec_digest, name: name("shop"), seed, engine: 1, writer: "test".to_owned(), stages, budget: None }
}

/// Nobody listens.
pub struct Silent;

impl ProgressListener for Silent {
    fn progress(&self, _: &Progress) {}
}

/// The clock of the runtime: paused where the test pauses it.
pub fn clock() -> Arc<dyn Clock> {
    Arc::new(MonotonicClock::start())
}

/// The small job over `store`, with the local twins, in a folder.
pub fn job(store: Arc<dyn Store>, executor: Scripted) -> LocalJob {
    LocalJob {
        budget: None,
        spec: spec(1),
        plan: plan(1),
        executor: Arc::new(executor),
        ports: Ports::local(store, clock()),
        target: Target::Folder,
        existing: Existing::Keep,
        threads: 2,
        stop: Stop::default(),
    }
}

/// Runs a job that nobody watches.
///
/// # Errors
/// As the run.
pub async fn run(job: LocalJob) -> Result<Finished, RunError> {
    local::run(job, &Silent).await
}

/// A folder store that does not wait for the disk.
pub fn folder(root: &Path) -> FolderStore {
    FolderStore::at(root).with_durability(Durability::Unsynced)
}

/// Every file below `root`, hidden ones too.
pub fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("reads") {
            let path = entry.expect("reads").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let key = path.strip_prefix(root).expect("is below").display().to_string();
                files.insert(key, std::fs::read(&path).expect("reads"));
            }
        }
    }
    files
}

/// The files of an undisturbed run of the small job.
pub async fn undisturbed(executor: Scripted) -> BTreeMap<String, Vec<u8>> {
    let root = tempfile::tempdir().expect("makes");
    run(job(Arc::new(folder(root.path())), executor)).await.expect("an undisturbed run succeeds");
    tree(root.path())
}
