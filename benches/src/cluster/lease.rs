//! How soon a shard runs again whose worker was killed.

use std::time::Instant;

use anyhow::{Context, Result};
use shardmill_shared::ledger::LEASE_MS;

use super::house::{Fsync, House, until};
use super::{block_on, specs};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 3;
/// What a lease may be late by, in seconds.
const LATE: f64 = 2.0;
const WORKER: &[&str] = &["--role", "worker", "--slots", "1"];
/// One shard, of more rows than are made meanwhile.
const ROWS: u64 = 400_000_000;

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    block_on(async {
        let mut waits = Vec::new();
        for _ in 0..ROUNDS {
            waits.push(wait().await?);
        }
        let bar = Bar::AtMost(LEASE_MS as f64 / 1e3 + LATE);
        Ok(vec![Row::new("`kill -9` of a worker until its shard runs again, a lease is 15 s", bar, " s", waits)])
    })
}

async fn wait() -> Result<f64> {
    let mut house = House::start(Fsync::Never).await?;
    house.role("scheduler", &["--role", "scheduler"])?;
    house.role("first", WORKER)?;
    let job = house.submit("long", &specs::people(1, ROWS)).await?;
    // The lease is about fresh when rows were just told of: near the worst moment to die.
    until("the shard runs", async || Ok(house.progress(&job).await?.2 > 0)).await?;
    house.role("second", WORKER)?;
    let before = fence(&house)?;
    house.kill("first")?;
    let start = Instant::now();
    until("the shard runs again", async || Ok(fence(&house)? > before)).await?;
    Ok(start.elapsed().as_secs_f64())
}

/// The number of the last lease that was given.
fn fence(house: &House) -> Result<u64> {
    let last = "return tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')";
    let answer = house.redis.command(&["EVAL", last, "1", "{shardmill:long}:job"])?;
    answer.trim_start_matches(':').parse().with_context(|| format!("the last lease: {answer}"))
}
