//! Two workers against one, each on a processor of its own.

use anyhow::Result;

use super::house::{Fsync, House};
use super::{block_on, specs};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 3;
const SHARDS: u64 = 40;
const SHARD_ROWS: u64 = 300_000;
const WORKER: &[&str] = &["--role", "worker", "--slots", "1"];

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    block_on(async {
        let mut house = House::start(Fsync::Never).await?;
        house.role("scheduler", &["--role", "scheduler"])?;
        let mut ratios = Vec::new();
        for round in 0..ROUNDS {
            house.role_under(&["taskset", "-c", "0"], "first", WORKER)?;
            let one = speed(&house, &format!("one-{round}")).await?;
            house.role_under(&["taskset", "-c", "1"], "second", WORKER)?;
            let two = speed(&house, &format!("two-{round}")).await?;
            house.terminate("first")?;
            house.terminate("second")?;
            ratios.push(two / one);
        }
        let what = "two workers against one, each pinned to a processor, shards of 300 000 people";
        Ok(vec![Row::new(what, Bar::AtLeast(1.7), " ×", ratios)])
    })
}

async fn speed(house: &House, id: &str) -> Result<f64> {
    let job = house.submit(id, &specs::people(SHARDS, SHARD_ROWS)).await?;
    let speed = house.rate(&job, SHARDS / 10, SHARDS).await?;
    house.until_succeeded(&job).await?;
    Ok(speed)
}
