//! Every example compiles without a word of complaint, shows its first rows, and runs to its end, and
//! verifies, when it is made small.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use shardmill_cli::local::{LocalJob, Ports, Target};
use shardmill_engine::{Tables, compile};
use shardmill_scheduler::accept::Existing;
use shardmill_scheduler::plan::tables::{Writer, plan};
use shardmill_shared::process::Stop;
use shardmill_shared::spec::{Report, Spec, document, set};
use shardmill_shared::store::Store;
use shardmill_tests::engine::{KNOWN, all, batch, column, rows};
use shardmill_tests::sandbox::{clock, folder, run};
use shardmill_worker::execute::ByWork;
use shardmill_worker::execute::tables::{CountTable, WriteTable};
use shardmill_worker::formats::{self, WriteOptions};
use shardmill_worker::verify::{VerifyOptions, verify};

/// The examples, and what makes each small enough for a test.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("shop.yaml", &["tables.users.rows=600", "tables.products.rows=300"]),
    ("saas.yaml", &["tables.accounts.rows=60"]),
    ("iot.yaml", &["tables.sites.rows=3", "tables.readings.fanout=100"]),
    (
        "tpch.yaml",
        &[
            "tables.supplier.rows=100",
            "tables.customer.rows=1500",
            "tables.part.rows=2000",
            "tables.orders.rows=3000",
            "tables.partsupp.columns.ps_suppkey.sequence.cycle=100",
            "tables.partsupp.columns.ps_suppkey.sequence.step=26",
        ],
    ),
    ("bank.s0.json", &["nodes.client.rows=300"]),
    ("school.s0.json", &["nodes.student.rows=200"]),
    ("retail.s0.yaml", &["nodes.shop.rows=6"]),
];

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// An example with some values set; the test fails at any problem or warning.
fn compiled(file: &str, assignments: &[&str]) -> (Spec, Tables) {
    let text = std::fs::read_to_string(examples().join(file)).unwrap();
    let report = Report::strict();
    let mut tree = document::parse(&text, &report).unwrap();
    for assignment in assignments {
        set::set(&mut tree, assignment).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let spec = Spec::read(&tree, &KNOWN, &report);
    let tables = spec.as_ref().and_then(|spec| compile(spec, &report));
    let problems: Vec<String> = report.into_problems().iter().map(|p| format!("{file}:{}: {p}", p.line)).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    (spec.unwrap(), tables.unwrap())
}

/// Runs a small build into a folder, as the command does; the rows that each table got.
fn build(spec: &Spec, tables: &Arc<Tables>, root: &Path) -> Vec<(String, u64)> {
    let format = formats::format(&spec.output.format).unwrap();
    let options = WriteOptions::new(format.default_compression());
    let writer = Writer { id: "test".to_owned(), extension: format.extension().to_owned(), percent: 100 };
    let executor = ByWork {
        table: Arc::new(WriteTable { tables: Arc::clone(tables), format, options }),
        fill: None,
        count: Arc::new(CountTable { tables: Arc::clone(tables) }),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap();
    let finished = runtime.block_on(async {
        let store = folder(root);
        let job = LocalJob {
            budget: None,
            spec: Bytes::from(spec.canonical()),
            plan: plan(spec, tables, &writer).unwrap(),
            executor: Arc::new(executor),
            ports: Ports::local(Arc::new(store) as Arc<dyn Store>, clock()),
            target: Target::Folder,
            existing: Existing::Keep,
            threads: 2,
            stop: Stop::default(),
        };
        run(job).await.unwrap()
    });
    finished.manifest.tables.iter().map(|table| (table.table.to_string(), table.account.written)).collect()
}

#[test]
fn every_file_is_an_example_of_this_test() {
    let mut files: Vec<String> = std::fs::read_dir(examples())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let mut known: Vec<String> = EXAMPLES.iter().map(|(file, _)| (*file).to_owned()).collect();
    files.sort_unstable();
    known.sort_unstable();
    assert_eq!(files, known);
}

#[test]
fn every_example_compiles_and_shows_its_first_rows() {
    for (file, _) in EXAMPLES {
        let (_, made) = compiled(file, &[]);
        made.count_all().unwrap();
        for (at, table) in made.list.iter().enumerate() {
            let count = made.rows(at).unwrap();
            assert_eq!(rows(&batch(&made, &table.name, 0..count.min(10))).len() as u64, count.min(10), "{file}");
        }
    }
}

#[test]
fn every_example_runs_small() {
    for (file, assignments) in EXAMPLES {
        let root = tempfile::tempdir().unwrap();
        let (spec, made) = compiled(file, assignments);
        let made = Arc::new(made);
        let written = build(&spec, &made, root.path());
        for (table, count) in &written {
            assert_eq!(made.rows(made.find(table).unwrap()).unwrap(), *count, "{file}: {table}");
        }
        assert_eq!(written.len(), made.list.len(), "{file}");
        let report = verify(root.path(), &VerifyOptions::new(NonZeroUsize::MIN)).unwrap();
        let wrong: Vec<String> = report.failures().map(|r| format!("{file}: {}: {}", r.name, r.message)).collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn a_part_is_had_from_four_suppliers_and_lines_from_one_of_them() {
    let (_, made) = compiled("tpch.yaml", EXAMPLES[3].1);
    let pairs = |table: &str, part: &str, supplier: &str| -> Vec<(String, String)> {
        let batch = all(&made, table);
        column(&batch, part).into_iter().zip(column(&batch, supplier)).collect()
    };
    let offered = pairs("partsupp", "ps_partkey", "ps_suppkey");
    let known: HashSet<&(String, String)> = offered.iter().collect();
    assert_eq!((known.len(), offered.len()), (8_000, 8_000));
    assert!(pairs("lineitem", "l_partkey", "l_suppkey").iter().all(|pair| known.contains(pair)));
}
