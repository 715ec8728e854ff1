//! CSV and JSON Lines, generated and written, against the Arrow writers on ready batches.

use arrow::array::RecordBatch;
use shardmill_worker::formats::{Compression, WriteOptions, format};

use super::clock::seconds;
use super::specs::{self, BATCH_ROWS, batches};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 7;
const BATCHES: u64 = 32;

/// The rows of the table.
pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let tables = specs::tables(specs::PLAIN)?;
    let (mut csv, mut json) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let first = round * BATCHES * BATCH_ROWS;
        let ready: Vec<RecordBatch> = batches(&tables, first, BATCHES).collect();
        let theirs = seconds(|| {
            let mut writer = arrow::csv::WriterBuilder::new().with_header(true).build(Vec::with_capacity(1 << 26));
            ready.iter().for_each(|batch| writer.write(batch).expect("memory takes every byte"));
        });
        csv.push(theirs / seconds(|| ours("csv", &tables, first)));
        let theirs = seconds(|| {
            let mut writer = arrow::json::LineDelimitedWriter::new(Vec::with_capacity(1 << 26));
            ready.iter().for_each(|batch| writer.write(batch).expect("memory takes every byte"));
            writer.finish().expect("memory takes every byte");
        });
        json.push(theirs / seconds(|| ours("jsonl", &tables, first)));
    }
    Ok(vec![
        Row::new("CSV: arrow-csv on ready batches / our generate + write, CPU time", Bar::AtLeast(1.5), " ×", csv),
        Row::new(
            "JSON Lines: arrow-json on ready batches / our generate + write, CPU time",
            Bar::AtLeast(1.2),
            " ×",
            json,
        ),
    ])
}

fn ours(name: &str, tables: &shardmill_engine::Tables, first: u64) {
    let format = format(name).expect("a registered format");
    let mut batches = batches(tables, first, BATCHES).peekable();
    let schema = batches.peek().expect("there is a batch").schema();
    let out = Box::new(Vec::with_capacity(1 << 26));
    let mut writer = format.writer(schema, &WriteOptions::new(Compression::None), out).expect("text writes");
    for batch in batches {
        writer.write(&batch).expect("memory takes every byte");
    }
    writer.finish().expect("memory takes every byte");
}
