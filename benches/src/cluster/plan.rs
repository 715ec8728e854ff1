//! A job of a million shards: how soon it is planned, and what scheduler and ledger keep of it.

use std::time::Instant;

use anyhow::{Context, Result};

use super::house::{Fsync, House, until};
use super::{block_on, process, specs};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 3;
const SHARDS: u64 = 1_000_000;
/// So many are done when memory is looked at.
const DONE: u64 = 3_000;

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    block_on(async {
        let (mut planned, mut scheduler, mut ledger) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let mut house = House::start(Fsync::Never).await?;
            house.role("scheduler", &["--role", "scheduler"])?;
            house.role("api", &["--role", "api"])?;
            let api = house.api("api")?;
            std::fs::write(house.folder.path().join("million.yaml"), specs::tiny(SHARDS))?;
            let start = Instant::now();
            let answer = house.client(&api, &["submit", "million.yaml", "--json"])?;
            let job = id_in(&answer)?;
            until("the job is planned", async || Ok(house.progress(&job).await?.1 == SHARDS)).await?;
            planned.push(start.elapsed().as_secs_f64());
            house.role("worker", &["--role", "worker", "--slots", "16"])?;
            house.until_done(&job, DONE).await?;
            scheduler.push(process::peak_mib(house.process("scheduler")?.id())?);
            ledger.push(redis_mib(&house)?);
        }
        let what = "a job of 1 000 000 shards";
        Ok(vec![
            Row::new(format!("{what}: `shardmill submit` to planned"), Bar::AtMost(2.0), " s", planned),
            Row::new(format!("{what}: the scheduler's peak memory"), Bar::AtMost(100.0), " MiB", scheduler),
            Row::new(format!("{what}: all of Redis's memory"), Bar::AtMost(5.0), " MiB", ledger),
        ])
    })
}

fn id_in(answer: &str) -> Result<shardmill_shared::job::JobId> {
    let (_, after) = answer.split_once("\"id\"").context("the answer has no id")?;
    let id = after.split('"').nth(1).context("the answer has no id")?;
    Ok(shardmill_shared::job::JobId::new(id)?)
}

/// What the server uses in all, connections included.
fn redis_mib(house: &House) -> Result<f64> {
    let used = "return tonumber(string.match(redis.call('INFO', 'memory'), 'used_memory:(%d+)'))";
    let answer = house.redis.command(&["EVAL", used, "0"])?;
    let bytes: f64 = answer.trim_start_matches(':').parse().with_context(|| format!("used memory: {answer}"))?;
    Ok(bytes / f64::from(1 << 20))
}
