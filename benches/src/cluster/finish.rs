//! The finish of a large job: from its last commit to its ending, and whether memory stays flat.

use std::time::Instant;

use anyhow::Result;

use super::house::{Fsync, House};
use super::{block_on, process, specs};
use crate::row::{Bar, Row};

const FEW: u64 = 10_000;
const MANY: u64 = 100_000;

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    block_on(async {
        let (_, few_mib) = finish(FEW).await?;
        let (seconds, many_mib) = finish(MANY).await?;
        Ok(vec![
            Row::new(
                "finish of a job of 100 000 shards, last commit to ending",
                Bar::AtMost(60.0),
                " s",
                vec![seconds],
            ),
            Row::new("the scheduler's peak memory after it", Bar::None, " MiB", vec![many_mib]),
            Row::new("the same against a job of 10 000 shards", Bar::AtMost(1.5), " ×", vec![many_mib / few_mib]),
        ])
    })
}

/// Seconds, and the peak memory of a scheduler that has seen this job alone.
async fn finish(shards: u64) -> Result<(f64, f64)> {
    let mut house = House::start(Fsync::Never).await?;
    house.role("scheduler", &["--role", "scheduler"])?;
    house.role("worker", &["--role", "worker", "--slots", "16"])?;
    let job = house.submit("large", &specs::tiny(shards)).await?;
    house.until_done(&job, shards).await?;
    let start = Instant::now();
    house.until_succeeded(&job).await?;
    Ok((start.elapsed().as_secs_f64(), process::peak_mib(house.process("scheduler")?.id())?))
}
