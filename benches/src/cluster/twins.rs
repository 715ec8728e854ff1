//! Shards of no work on the local twins, in this process: no server, no disk.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use shardmill_cli::local::{self, LocalJob, Ports, ProgressListener, Target};
use shardmill_engine::compile;
use shardmill_scheduler::accept::Existing;
use shardmill_scheduler::plan::tables::{self, Writer};
use shardmill_shared::job::Progress;
use shardmill_shared::process::{MonotonicClock, Stop};
use shardmill_shared::spec::{Report, Spec, document};
use shardmill_shared::store::MemoryStore;
use shardmill_worker::execute::ByWork;
use shardmill_worker::execute::tables::{CountTable, WriteTable};
use shardmill_worker::formats::{Compression, WriteOptions, format};

use super::house::KNOWN;
use super::{block_on, specs};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 5;
const SHARDS: u64 = 50_000;
/// Shards at a time.
const SLOTS: usize = 16;

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let mut speeds = Vec::new();
    for _ in 0..ROUNDS {
        let heard = Heard::default();
        block_on(async { Ok(local::run(job()?, &heard).await?) })?;
        speeds.push(heard.rate().context("the run told nothing")?);
    }
    let what = "the same on the local twins, memory store, one process of 16 slots";
    Ok(vec![Row::new(what, Bar::AtLeast(10_000.0), " shards/s", speeds)])
}

fn job() -> Result<LocalJob> {
    let report = Report::strict();
    let spec = document::parse(&specs::tiny(SHARDS), &report).and_then(|tree| Spec::read(&tree, &KNOWN, &report));
    let Some((spec, compiled)) = spec.and_then(|spec| compile(&spec, &report).map(|compiled| (spec, compiled))) else {
        bail!("{:?}", report.into_problems());
    };
    let format = format("csv").context("csv is a format")?;
    let options = WriteOptions::new(Compression::None);
    let writer = Writer { id: "bench".to_owned(), extension: format.extension_with(Compression::None), percent: 100 };
    let plan = tables::plan(&spec, &compiled, &writer)?;
    let compiled = Arc::new(compiled);
    let executor = ByWork {
        table: Arc::new(WriteTable { tables: Arc::clone(&compiled), format, options }),
        fill: None,
        count: Arc::new(CountTable { tables: compiled }),
    };
    Ok(LocalJob {
        budget: None,
        spec: spec.canonical().into(),
        plan,
        executor: Arc::new(executor),
        ports: Ports::local(Arc::new(MemoryStore::default()), Arc::new(MonotonicClock::start())),
        target: Target::Folder,
        existing: Existing::Keep,
        threads: SLOTS,
        stop: Stop::default(),
    })
}

/// How many shards were done, and when.
#[derive(Default)]
struct Heard(Mutex<Vec<(Instant, u64)>>);

impl ProgressListener for Heard {
    fn progress(&self, progress: &Progress) {
        let done = progress.stages.iter().map(|stage| stage.shards_done).sum();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), done));
    }
}

impl Heard {
    /// Shards per second, of which the first fifth is not counted.
    fn rate(&self) -> Option<f64> {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, first) = heard.iter().find(|(_, done)| *done >= SHARDS / 5)?;
        let (end, last) = heard.last()?;
        Some((last - first) as f64 / end.duration_since(*start).as_secs_f64())
    }
}
