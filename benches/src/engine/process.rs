//! The command as a whole: peak memory against the number of rows, time to a plan and to a first row.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::row::{Bar, Row};

const ROUNDS: usize = 7;

const SMALL: &str = "shardmill: 1\nname: small\ntables:\n  users: {rows: 1000, columns: {id: {sequence: 1}, email: {faker: email}, name: {faker: name}}}\n";

const LARGE: &str = "
shardmill: 1
name: large
timeframe: {start: 2024-01-01, end: 2024-12-31}
tables:
  users: {rows: 1000000000, columns: {id: {sequence: 1}, name: {faker: name}}}
  orders: {parent: users, fanout: {distribution: poisson, lambda: 10}, columns: {id: {sequence: 1}, user_id: {lookup: users.id}, at: {datetime_series: {}}}}
";

const FLAT: &str = "
shardmill: 1
name: flat
timeframe: {start: 2024-01-01, end: 2024-12-31}
tables:
  t:
    rows: 1000000
    columns: {id: {sequence: 1}, at: {datetime_series: {}}, country: {choice: [US, DE, GB]}, n: {type: int, distribution: {type: uniform, low: 1, high: 1000}}, x: {type: float, distribution: {type: uniform, low: 0, high: 1}}}
";

const WIDE: &str = "
shardmill: 1
name: wide
tables:
  t: {rows: 300000, columns: {id: {sequence: 1}, body: {faker: {method: text, max_nb_chars: 2000}}}}
";

const COUNTED: &str = "
shardmill: 1
name: counted
timeframe: {start: 2024-01-01, end: 2024-12-31}
tables:
  plans: {rows: 50000, columns: {id: {sequence: 1}, code: {id: 'P{random:9}'}, factor: {type: float, distribution: {type: uniform, low: 0.5, high: 2}}}}
  users: {rows: 2000000, columns: {id: {sequence: 1}, plan_id: {type: int, distribution: {type: uniform, low: 1, high: 50000}}}}
  orders:
    parent: users
    fanout: {distribution: poisson, lambda: 3}
    modifiers: [{effect: {effect_table: plans, on: {plan_id: id}, map: {field: factor}}}]
    columns: {id: {sequence: 1}, user_id: {lookup: users.id}, plan_code: {lookup: {from: plans.code, on: {id: user_plan}}}, user_plan: {lookup: users.plan_id}}
";

/// The rows of the table.
pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let folder = std::env::temp_dir().join(format!("shardmill-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let rows = measure(&folder);
    std::fs::remove_dir_all(&folder)?;
    rows
}

fn measure(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let spec = |name: &str, text: &str| -> anyhow::Result<PathBuf> {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    };
    let (small, large) = (spec("small.yaml", SMALL)?, spec("large.yaml", LARGE)?);
    let (flat, wide, counted) = (spec("flat.yaml", FLAT)?, spec("wide.yaml", WIDE)?, spec("counted.yaml", COUNTED)?);
    let mut rows = Vec::new();
    let times = |arguments: &[&str], spec: &Path| -> anyhow::Result<Vec<f64>> {
        (0..ROUNDS).map(|_| Ok(run(arguments, spec)?.elapsed.as_secs_f64() * 1e3)).collect()
    };
    rows.push(Row::new(
        "`plan` of a spec of 11 billion rows, wall",
        Bar::AtMost(1_000.0),
        " ms",
        times(&["plan"], &large)?,
    ));
    rows.push(Row::new("`preview` of a small spec, wall", Bar::AtMost(50.0), " ms", times(&["preview"], &small)?));
    let mut memory = |what: &str, arguments: &[&str], spec: &Path| -> anyhow::Result<()> {
        let out = folder.join("out");
        let out_text = out.display().to_string();
        let mut all = vec!["run", "--overwrite", "--threads", "2", "-o", &out_text];
        all.extend(arguments);
        let peak = run(&all, spec)?.peak_mib;
        std::fs::remove_dir_all(&out)?;
        rows.push(Row::new(format!("peak memory, 2 threads: {what}"), Bar::AtMost(500.0), " MiB", vec![peak]));
        Ok(())
    };
    memory("1 M rows", &[], &flat)?;
    memory("100 M rows", &["--set", "tables.t.rows=100000000"], &flat)?;
    memory("a text column of 2 KB", &[], &wide)?;
    memory("a counted table and a join with a table of 50 000 rows", &[], &counted)?;
    Ok(rows)
}

struct Ran {
    elapsed: Duration,
    peak_mib: f64,
}

/// Runs the command and watches its memory.
fn run(arguments: &[&str], spec: &Path) -> anyhow::Result<Ran> {
    let binary = std::env::current_exe()?.with_file_name("shardmill");
    let start = Instant::now();
    let mut child = Command::new(&binary)
        .args(arguments)
        .arg(spec)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("{} cannot be started; build the workspace in release", binary.display()))?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0.0f64;
    let pause = if arguments.first() == Some(&"run") { 20 } else { 1 };
    loop {
        if let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse().ok());
            peak_kib = peak_kib.max(kib.unwrap_or(0.0));
        }
        if let Some(code) = child.try_wait()? {
            anyhow::ensure!(code.success(), "{arguments:?} ended with {code}");
            return Ok(Ran { elapsed: start.elapsed(), peak_mib: peak_kib / 1024.0 });
        }
        std::thread::sleep(Duration::from_millis(pause));
    }
}
