//! TPC-H lineitem against `tpchgen-cli`, when `SHARDMILL_BENCH_TPCHGEN` names that program. Both write Parquet with
//! Snappy and row groups of 7 MiB, on one thread, to where bytes are only counted; processor time of each.

use std::io::Write;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use shardmill_engine::{ENGINES, Scratch, Tables, compile};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec, document, set};
use shardmill_worker::formats::{Compression, WriteOptions, format};

use super::clock::seconds;
use super::specs::BATCH_ROWS;
use crate::row::{Bar, Row};

const ROUNDS: usize = 5;
/// Rounds of larger scales, which take minutes each.
const ROUNDS_LARGE: usize = 3;
/// The scale factor of a round where the environment names none.
const SCALE: u64 = 1;
const ROW_GROUP_BYTES: usize = 7 << 20;

/// The rows of the table.
pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let scale = std::env::var("SHARDMILL_BENCH_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(SCALE);
    let tables = tables(scale)?;
    let table = tables.find("lineitem").context("examples/tpch.yaml has no lineitem")?;
    let count = tables.rows(table)?;
    let peer = std::env::var("SHARDMILL_BENCH_TPCHGEN").ok();
    let (mut speeds, mut ratios, mut sizes) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..if scale > SCALE { ROUNDS_LARGE } else { ROUNDS } {
        let mut bytes = 0;
        let spent = seconds(|| bytes = write(&tables, table, count));
        let speed = count as f64 / spent / 1e6;
        speeds.push(speed);
        if let Some(peer) = &peer {
            let (their_seconds, their_bytes) = tpchgen(peer, scale)?;
            // Per row, because the two tables differ by a fraction of a percent in their number of lines.
            let their_rows = 6_001_215.0 * scale as f64;
            ratios.push(speed * 1e6 / (their_rows / their_seconds));
            sizes.push((bytes as f64 / count as f64) / (their_bytes as f64 / their_rows));
        }
    }
    let mut rows =
        vec![Row::new(format!("TPC-H lineitem, scale {scale}, Snappy, one thread"), Bar::None, " M rows/s", speeds)];
    if peer.is_some() {
        rows.push(Row::new("the same against tpchgen-cli 4.0.0, CPU time", Bar::AtLeast(1.0), " ×", ratios));
        rows.push(Row::new(
            "bytes of a row against tpchgen-cli's (ours packs integers; comments are alike)",
            Bar::None,
            " ×",
            sizes,
        ));
    } else {
        println!("skipped: tpchgen-cli, because SHARDMILL_BENCH_TPCHGEN is not set");
    }
    Ok(rows)
}

fn tables(scale: u64) -> anyhow::Result<Tables> {
    let text = std::fs::read_to_string("examples/tpch.yaml").context("run this in the folder of the project")?;
    let report = Report::strict();
    let mut tree = document::parse(&text, &report).context("examples/tpch.yaml cannot be read")?;
    for (path, each) in [
        ("tables.supplier.rows", 10_000),
        ("tables.customer.rows", 150_000),
        ("tables.part.rows", 200_000),
        ("tables.orders.rows", 1_500_000),
        ("tables.partsupp.columns.ps_suppkey.sequence.cycle", 10_000),
    ] {
        set::set(&mut tree, &format!("{path}={}", each * scale)).map_err(anyhow::Error::msg)?;
    }
    let step = format!("tables.partsupp.columns.ps_suppkey.sequence.step={}", 2_500 * scale + 1);
    set::set(&mut tree, &step).map_err(anyhow::Error::msg)?;
    let known = Known { kinds: &["tables"], formats: &["parquet"], compressions: &["snappy"], engines: ENGINES };
    let compiled = Spec::read(&tree, &known, &report).and_then(|spec| compile(&spec, &report));
    match compiled {
        Some(tables) => Ok(tables),
        None => bail!("{:?}", report.into_problems()),
    }
}

/// Counts bytes and drops them.
struct Count(Arc<AtomicU64>);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn write(tables: &Tables, table: usize, count: u64) -> u64 {
    let mut options = WriteOptions::new(Compression::Snappy);
    options.row_group_bytes = ROW_GROUP_BYTES;
    let bytes = Arc::new(AtomicU64::new(0));
    let scratch = Rc::new(Scratch::default());
    let mut batches = (0..count.div_ceil(BATCH_ROWS))
        .map(|at| {
            let start = at * BATCH_ROWS;
            tables.batch(table, start..(start + BATCH_ROWS).min(count), &scratch).expect("lineitem has rows")
        })
        .peekable();
    let schema = batches.peek().expect("there is a batch").schema();
    let parquet = format("parquet").expect("parquet is a format");
    let mut writer =
        parquet.writer(schema, &options, Box::new(Count(Arc::clone(&bytes)))).expect("parquet writes lineitem");
    for batch in batches {
        writer.write(&batch).expect("counting takes every byte");
    }
    writer.finish().expect("counting takes every byte");
    bytes.load(Ordering::Relaxed)
}

/// Processor seconds and bytes of the peer.
fn tpchgen(program: &str, scale: u64) -> anyhow::Result<(f64, u64)> {
    let before = children_seconds()?;
    let mut child = Command::new(program)
        .args([
            "parquet",
            "-T",
            "lineitem",
            "-n",
            "1",
            "--stdout",
            "-q",
            "-c",
            "SNAPPY",
            "--row-group-bytes",
            "7MiB",
            "-s",
        ])
        .arg(scale.to_string())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut out = child.stdout.take().context("its output is piped")?;
    let bytes = std::io::copy(&mut out, &mut std::io::sink())?;
    let status = child.wait()?;
    anyhow::ensure!(status.success(), "{program} ended with {status}");
    Ok((children_seconds()? - before, bytes))
}

/// Processor seconds of all children that have ended, in ticks of 10 ms.
fn children_seconds() -> anyhow::Result<f64> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = text.rsplit(") ").next().context("the name ends with a parenthesis")?;
    let field = |at: usize| after_name.split(' ').nth(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    // Fields 16 and 17 of proc(5), counted from field 3 here.
    Ok((field(13) + field(14)) / 100.0)
}
