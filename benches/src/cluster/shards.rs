//! Shards of no work: what the machinery itself takes, from release to acknowledgement.

use anyhow::Result;

use super::celery::{Celery, Sent};
use super::house::{Fsync, House};
use super::{block_on, specs};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 3;
const SHARDS: u64 = 24_000;
/// Shards where every file waits for the disk, four times.
const SHARDS_SYNCED: u64 = 4_000;
const TASKS: u64 = 6_000;
/// Of a worker whose shards only wait: for the queue, the ledger, the disk.
const WORKER: &[&str] = &["--role", "worker", "--slots", "64"];

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    block_on(async {
        let (mut ours, mut meanwhile, mut before) = (Vec::new(), Vec::new(), Vec::new());
        let mut peers = Vec::new();
        let mut house = House::start(Fsync::Never).await?;
        for round in 0..ROUNDS {
            house.role("worker", WORKER)?;
            let speed = speed(&mut house, round, SHARDS).await?;
            house.terminate("worker")?;
            ours.push(speed);
            if let Some(celery) = Celery::beside(&house)? {
                let peer = celery.rate(TASKS, Sent::Meanwhile).await?;
                meanwhile.push(speed / peer);
                peers.push(peer);
                before.push(speed / celery.rate(TASKS, Sent::Before).await?);
            }
        }
        drop(house);
        let mut house = House::start(Fsync::Waits).await?;
        house.role("worker", WORKER)?;
        let synced = vec![speed(&mut house, 0, SHARDS_SYNCED).await?];
        let what =
            "shards of one row each, a CSV file and a commit: one worker process of 64 slots, RabbitMQ, Redis, folder";
        let mut rows = vec![
            Row::new(format!("{what} without fsync"), Bar::AtLeast(2_000.0), " shards/s", ours),
            Row::new("the same with fsync", Bar::None, " shards/s", synced),
        ];
        if meanwhile.is_empty() {
            println!("skipped: Celery, because SHARDMILL_BENCH_CELERY is not set");
        } else {
            let peer = "Celery 5.7.0 on the same servers (prefork -c 2, acks late, prefetch 128, results to Redis)";
            rows.push(Row::new(format!("{peer}, tasks sent meanwhile"), Bar::None, " tasks/s", peers));
            rows.push(Row::new("our shards without fsync against that", Bar::AtLeast(5.0), " ×", meanwhile));
            rows.push(Row::new("our shards against Celery whose queue was filled before", Bar::None, " ×", before));
        }
        Ok(rows)
    })
}

/// Shards per second, of which the first fifth is not counted. The finish is not either.
async fn speed(house: &mut House, round: u64, shards: u64) -> Result<f64> {
    house.role("scheduler", &["--role", "scheduler"])?;
    let job = house.submit(&format!("tiny-{round}"), &specs::tiny(shards)).await?;
    let speed = house.rate(&job, shards / 5, shards).await?;
    house.until_succeeded(&job).await?;
    house.terminate("scheduler")?;
    Ok(speed)
}
