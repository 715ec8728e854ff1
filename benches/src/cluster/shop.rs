//! A real job: `examples/shop.yaml` with 20 million rows, by a cluster and by `shardmill run`.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::block_on;
use super::house::{Fsync, House, executable};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 3;
/// Twenty times the example, which makes about a million rows.
const SIZES: [(&str, &str); 2] = [("rows: 60000", "rows: 1200000"), ("rows: 5000", "rows: 100000")];

/// The rows of the table.
pub(crate) fn rows() -> Result<Vec<Row>> {
    let mut spec = std::fs::read_to_string("examples/shop.yaml").context("run this in the folder of the project")?;
    for (small, large) in SIZES {
        ensure!(spec.contains(small), "examples/shop.yaml has no `{small}`");
        spec = spec.replace(small, large);
    }
    block_on(async {
        let (mut clusters, mut ratios) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let local = alone(&spec)?;
            let mut house = House::start(Fsync::Waits).await?;
            house.role("scheduler", &["--role", "scheduler"])?;
            for worker in ["first", "second"] {
                house.role(worker, &["--role", "worker", "--slots", "1"])?;
            }
            let start = Instant::now();
            let job = house.submit(&format!("shop-{round}"), &spec).await?;
            house.until_succeeded(&job).await?;
            let cluster = start.elapsed().as_secs_f64();
            clusters.push(cluster);
            ratios.push(cluster / local);
        }
        let what = "`examples/shop.yaml`, 20 M rows, two workers of one slot, RabbitMQ, Redis, folder";
        Ok(vec![
            Row::new(format!("{what}: submitted to succeeded"), Bar::None, " s", clusters),
            Row::new("the same against `shardmill run --threads 2`, wall", Bar::AtMost(1.25), " ×", ratios),
        ])
    })
}

/// Seconds of a build in one process.
fn alone(spec: &str) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("shop.yaml");
    std::fs::write(&file, spec)?;
    let start = Instant::now();
    let ran = Command::new(executable()?)
        .args(["run", "--threads", "2", "-o"])
        .arg(folder.path().join("shop"))
        .arg(&file)
        .output()?;
    ensure!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    Ok(start.elapsed().as_secs_f64())
}
