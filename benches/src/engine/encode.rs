//! Generate and encode against encode alone: how near the engine is to being free.

use shardmill_worker::formats::{Compression, WriteOptions, format};

use super::clock::seconds;
use super::specs::{self, BATCH_ROWS, batches};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 7;
/// Batches of a round: more than 256 MiB of Arrow data.
const BATCHES: u64 = 192;

/// The rows of the table.
pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (name, body, bar) in [("plain", specs::PLAIN, 0.70), ("rich", specs::RICH, 0.50)] {
        let tables = specs::tables(body)?;
        let (mut ratios, mut speeds, mut generates) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let first = round * BATCHES * BATCH_ROWS;
            let ready: Vec<_> = batches(&tables, first, BATCHES).collect();
            let encode = seconds(|| write(ready.iter().cloned()));
            let both = seconds(|| write(batches(&tables, first, BATCHES)));
            let generate =
                seconds(|| batches(&tables, first, BATCHES).for_each(|batch| drop(std::hint::black_box(batch))));
            ratios.push(encode / both);
            speeds.push((BATCHES * BATCH_ROWS) as f64 / both / 1e6);
            generates.push((BATCHES * BATCH_ROWS) as f64 / generate / 1e6);
        }
        rows.push(Row::new(
            format!("{name} columns, parquet zstd-1: encode / (generate + encode), CPU time"),
            Bar::AtLeast(bar),
            "",
            ratios,
        ));
        rows.push(Row::new(format!("{name} columns: generate + encode, one thread"), Bar::None, " M rows/s", speeds));
        rows.push(Row::new(format!("{name} columns: generate alone, one thread"), Bar::None, " M rows/s", generates));
    }
    Ok(rows)
}

fn write(batches: impl Iterator<Item = arrow::array::RecordBatch>) {
    let parquet = format("parquet").expect("parquet is a format");
    let options = WriteOptions::new(Compression::Zstd(1));
    let mut batches = batches.peekable();
    let schema = batches.peek().expect("there is a batch").schema();
    let mut writer = parquet.writer(schema, &options, Box::new(Vec::with_capacity(1 << 20))).expect("parquet writes");
    for batch in batches {
        writer.write(&batch).expect("memory takes every byte");
    }
    writer.finish().expect("memory takes every byte");
}
