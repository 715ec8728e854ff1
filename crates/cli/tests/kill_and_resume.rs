//! `kill -9` at any moment, and the same command again: the rows of an undisturbed run, byte for byte.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![expect(clippy::disallowed_methods, reason = "the test watches a real process by real time")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SPEC: &str = "
shardmill: 1
name: killed
timeframe: {start: 2024-01-01, end: 2024-12-31}
output: {shard_rows: 5000}
tables:
  users:
    rows: 40000
    columns: {id: {sequence: 1}, name: {faker: name}, at: {datetime_series: {}}, spend: {type: 'decimal(12,2)', rollup: orders.amount}}
  effects:
    rows: 12
    columns: {id: {sequence: 1}, factor: {type: float, distribution: {type: uniform, low: 0.2, high: 2}}, from_at: {datetime_series: {}}, to_at: {datetime_series: {}}}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 2}
    modifiers: [{effect: {effect_table: effects, on: {}, window: {start_col: from_at, end_col: to_at}, map: {field: factor, op: mul, default: 1}}}]
    columns: {id: {sequence: 1}, user_id: {lookup: users.id}, amount: {type: 'decimal(8,2)', distribution: {type: lognormal, mean: 3, sigma: 1, clamp: [1, 9999]}}}
constraints: {inequalities: [{left: effects.from_at, op: '<', right: effects.to_at}]}
";

fn shardmill(folder: &Path, spec: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shardmill"));
    command.args(["run", "--threads", "2", "-o"]).arg(folder).arg(spec).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Every file below a folder with its digest.
fn files(folder: &Path) -> BTreeMap<String, blake3::Hash> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(at) = waiting.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().display().to_string();
                found.insert(name, blake3::hash(&std::fs::read(&path).unwrap()));
            }
        }
    }
    found
}

#[test]
fn killed_again_and_again_it_ends_with_the_same_files() {
    let scratch = tempfile::tempdir().unwrap();
    let spec = scratch.path().join("spec.yaml");
    std::fs::write(&spec, SPEC).unwrap();
    let calm = scratch.path().join("calm");
    let started = Instant::now();
    assert!(shardmill(&calm, &spec).status().unwrap().success());
    let whole = started.elapsed();
    let expected = files(&calm);
    assert!(expected.keys().filter(|name| name.starts_with("orders/part-")).count() > 5, "{:?}", expected.keys());

    let shaken = scratch.path().join("shaken");
    let mut kills = 0;
    for attempt in 1..200u32 {
        let mut child = shardmill(&shaken, &spec).spawn().unwrap();
        // Each attempt lives a little longer, so that kills fall on every phase of the run.
        let life = whole.mul_f64(f64::from(attempt) * 0.06).max(Duration::from_millis(5));
        let deadline = Instant::now() + life;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break Some(status);
            }
            if Instant::now() >= deadline {
                break None;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        match status {
            Some(status) => {
                assert!(status.success());
                break;
            }
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                kills += 1;
            }
        }
    }
    assert!(kills >= 3, "only {kills} kills");
    assert!(shardmill(&shaken, &spec).status().unwrap().success(), "a finished folder is complete");
    assert_eq!(files(&shaken), expected, "after {kills} kills");
}

#[test]
fn bytes_do_not_depend_on_threads_and_rows_not_on_shards() {
    let scratch = tempfile::tempdir().unwrap();
    let spec = scratch.path().join("spec.yaml");
    std::fs::write(&spec, SPEC).unwrap();
    let run = |name: &str, extra: &[&str]| {
        let folder = scratch.path().join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_shardmill"));
        command.arg("run").arg("-o").arg(&folder).args(extra).arg(&spec).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(command.status().unwrap().success(), "{name}");
        folder
    };
    let one = files(&run("one", &["--threads", "1"]));
    for threads in ["2", "5"] {
        assert_eq!(files(&run(&format!("threads-{threads}"), &["--threads", threads])), one, "{threads} threads");
    }
    // Text files without headers, put one after another, are the rows in order.
    let text = |folder: &Path, table: &str| {
        let mut parts: Vec<_> = std::fs::read_dir(folder.join(table)).unwrap().map(|e| e.unwrap().path()).collect();
        parts.sort();
        parts.iter().map(|part| std::fs::read_to_string(part).unwrap()).collect::<String>()
    };
    let sizes = ["700", "1000000"].map(|rows| {
        run(&format!("rows-{rows}"), &["--format", "csv", "--shard-rows", rows, "--set", "output.header=false"])
    });
    for table in ["users", "orders"] {
        assert_eq!(text(&sizes[0], table), text(&sizes[1], table), "{table}");
    }
}
