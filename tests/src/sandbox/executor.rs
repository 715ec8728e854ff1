//! An executor whose rows are a function of table and index, and that fails as the test says.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use shardmill_shared::job::{Account, Work};
use shardmill_shared::process::Stop;
use shardmill_worker::execute::{Assignment, Execute, ExecuteError, Executed, ShardSink};

/// Never the same twice.
static UNSTABLE: AtomicU64 = AtomicU64::new(0);

/// Orders of one user.
pub fn orders_of(user: u64) -> u64 {
    user % 3
}

/// Runs the small job.
#[derive(Default)]
pub struct Scripted {
    /// How often a shard, named as `stage/index`, fails before it succeeds.
    pub failures: Mutex<BTreeMap<String, u32>>,
    /// A stop that is set before the row of that number is made, counted over all shards.
    pub stop_at: Option<(Stop, u64)>,
    /// Writes other bytes at each attempt, as no executor may.
    pub is_unstable: bool,
    /// Panics at this shard.
    pub panics_at: Option<String>,
    /// Rows made so far.
    pub made: AtomicU64,
}

impl Scripted {
    /// Fails the shard so many times.
    pub fn failing(shard: &str, times: u32) -> Self {
        Self { failures: Mutex::new(BTreeMap::from([(shard.to_owned(), times)])), ..Self::default() }
    }

    fn fail(&self, shard: &str) -> Result<(), ExecuteError> {
        assert!(self.panics_at.as_deref() != Some(shard), "told to panic");
        let mut failures = self.failures.lock().expect("no holder of the lock panics");
        match failures.get_mut(shard) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(ExecuteError::Write(std::io::Error::other("told to fail")))
            }
            _ => Ok(()),
        }
    }

    fn row(&self, sink: &mut dyn ShardSink) -> Result<(), ExecuteError> {
        let made = self.made.fetch_add(1, Ordering::SeqCst);
        if let Some((stop, at)) = &self.stop_at
            && made == *at
        {
            stop.set();
        }
        sink.made(1)
    }
}

impl Execute for Scripted {
    fn execute(&self, work: &Assignment, sink: &mut dyn ShardSink) -> Result<Executed, ExecuteError> {
        let mut file = sink.file()?;
        let mut counted = 0;
        for row in work.shard.rows.clone() {
            match &work.stage.work {
                Work::Count { .. } => counted += orders_of(row),
                _ => writeln!(file, "{},{row}", work.stage.id)?,
            }
            self.row(sink)?;
        }
        if self.is_unstable {
            writeln!(file, "{}", UNSTABLE.fetch_add(1, Ordering::SeqCst))?;
        }
        // Half a file is written by now, which must never be seen.
        self.fail(&work.shard.id.to_string())?;
        let rows = work.shard.rows.end - work.shard.rows.start;
        match &work.stage.work {
            Work::Count { .. } => {
                writeln!(file, "{counted}")?;
                Ok(Executed { account: Account::default(), counted: Some(counted) })
            }
            _ => Ok(Executed { account: Account::written(rows), counted: None }),
        }
    }
}
