//! What a run leaves in a folder is a dataset that verification finds good, counted tables and several files included.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use shardmill_cli::local::{LocalJob, Ports, Target};
use shardmill_engine::check::report::Report;
use shardmill_engine::compile;
use shardmill_scheduler::accept::Existing;
use shardmill_scheduler::plan::tables::{self, Writer};
use shardmill_shared::process::Stop;
use shardmill_shared::spec::{Report as Problems, Spec, document};
use shardmill_tests::engine::KNOWN;
use shardmill_tests::sandbox::{clock, folder, run};
use shardmill_worker::execute::ByWork;
use shardmill_worker::execute::tables::{CountTable, WriteTable};
use shardmill_worker::formats::{self, WriteOptions};
use shardmill_worker::verify::{VerifyOptions, verify};
use tempfile::TempDir;

const SPEC: &str = "
shardmill: 1
name: counted
timeframe: {start: 2024-01-01, end: 2024-12-31, freq: H}
output: {format: parquet, shard_rows: 1500}
tables:
  users:
    rows: 4000
    columns: {id: {uuid: 4}, joined_at: {datetime_series: {}}}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 2, iid: true}
    columns: {id: {sequence: 1}, user_id: {lookup: users.id}, tier: {choice: {choices: [free, pro]}}}
  items:
    parent: orders
    fanout: {distribution: uniform, min: 0, max: 2, iid: true}
    columns: {id: {sequence: 1}, order_id: {lookup: orders.id}, tier: {lookup: orders.tier}}
constraints: {enum: [{attr: items.tier, enum_ref: orders.tier}]}
";

async fn make(spec: &str, dir: &Path) {
    let problems = Problems::strict();
    let spec = document::parse(spec, &problems).unwrap();
    let spec = Spec::read(&spec, &KNOWN, &problems).unwrap();
    let compiled = Arc::new(compile(&spec, &problems).unwrap());
    let format = formats::format(&spec.output.format).unwrap();
    let options = WriteOptions::new(format.default_compression());
    let writer = Writer { id: "test".to_owned(), extension: format.extension().to_owned(), percent: 35 };
    let plan = tables::plan(&spec, &compiled, &writer).unwrap();
    let job = LocalJob {
        budget: None,
        spec: Bytes::from(spec.canonical()),
        plan,
        executor: Arc::new(ByWork {
            table: Arc::new(WriteTable { tables: Arc::clone(&compiled), format, options }),
            fill: None,
            count: Arc::new(CountTable { tables: compiled }),
        }),
        ports: Ports::local(Arc::new(folder(dir)), clock()),
        target: Target::Folder,
        existing: Existing::Keep,
        threads: 2,
        stop: Stop::default(),
    };
    run(job).await.unwrap();
}

/// Enough parents that the counts of orders and of items take several pages each.
const PAGES: &str = "
shardmill: 1
name: pages
output: {format: parquet, shard_rows: 700000}
tables:
  users:
    rows: 2200000
    columns: {id: {sequence: 1}}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 0.6, iid: true}
    columns: {id: {sequence: 1}, user_id: {lookup: users.id}}
  items:
    parent: orders
    fanout: {distribution: poisson, lambda: 0.01, iid: true}
    columns: {id: {sequence: 1}, order_id: {lookup: orders.id}, user_id: {lookup: users.id}}
  visits:
    rows: 5000
    columns: {item_id: {lookup: items.id}, order_id: {lookup: {from: items.order_id}}}
";

fn verified(dir: &Path) -> Report {
    let report = verify(dir, &VerifyOptions::new(NonZeroUsize::new(2).unwrap())).unwrap();
    let messages: Vec<String> = report.failures().map(|r| format!("{}: {}", r.name, r.message)).collect();
    assert_eq!(messages, Vec::<String>::new());
    assert!(report.is_good(100.0));
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_makes_verifies() {
    let dir = TempDir::new().unwrap();
    make(SPEC, dir.path()).await;
    let report = verified(dir.path());
    for name in ["foreign_key:items.order_id -> orders.id", "enum:items.tier -> orders.tier", "digests:items"] {
        assert!(report.results.iter().any(|result| result.name == name), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_of_several_pages_are_counted_in_parts_and_found_again() {
    let dir = TempDir::new().unwrap();
    make(PAGES, dir.path()).await;
    let pages = |stage: &str| std::fs::read_dir(dir.path().join("_shardmill/job/counts").join(stage)).unwrap().count();
    assert_eq!((pages("count-orders"), pages("count-items")), (3, 2));
    let report = verified(dir.path());
    assert!(report.results.iter().any(|result| result.name == "foreign_key:items.order_id -> orders.id"));
}
