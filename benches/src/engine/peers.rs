//! Agreeing people against the Python libraries, when `SHARDMILL_BENCH_PYTHON` names an interpreter that has them.

use std::process::Command;

use super::clock::seconds;
use super::specs::{self, BATCH_ROWS, batches};
use crate::row::{Bar, Row};

const ROUNDS: u64 = 5;
const BATCHES: u64 = 64;

const MIMESIS: &str = "
import time
from mimesis import Person, Address
from mimesis.locales import Locale
p, a = Person(Locale.EN, seed=1), Address(Locale.EN, seed=1)
t = time.process_time()
for _ in range(100000): (p.full_name(), p.email(), a.address(), a.city(), a.state(), a.zip_code())
print(100000 / (time.process_time() - t))
";

const FAKER: &str = "
import time
from faker import Faker
f = Faker('en_US', use_weighting=False)
t = time.process_time()
for _ in range(20000): (f.name(), f.email(), f.street_address(), f.city(), f.state(), f.zipcode())
print(20000 / (time.process_time() - t))
";

/// The rows of the table.
pub(super) fn rows() -> anyhow::Result<Vec<Row>> {
    let tables = specs::tables(specs::PEOPLE)?;
    let python = std::env::var("SHARDMILL_BENCH_PYTHON").ok();
    let (mut speeds, mut mimesis, mut faker) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let first = round * BATCHES * BATCH_ROWS;
        let spent = seconds(|| batches(&tables, first, BATCHES).for_each(|batch| drop(std::hint::black_box(batch))));
        let speed = (BATCHES * BATCH_ROWS) as f64 / spent;
        speeds.push(speed / 1e6);
        if let Some(python) = &python {
            mimesis.push(speed / python_rate(python, MIMESIS)?);
            faker.push(speed / python_rate(python, FAKER)?);
        }
    }
    let mut rows = vec![Row::new(
        "name, e-mail, street, city, state, zip, agreeing, one thread, to Arrow",
        Bar::None,
        " M rows/s",
        speeds,
    )];
    if python.is_some() {
        rows.push(Row::new("the same against Mimesis (whose parts do not agree)", Bar::AtLeast(30.0), " ×", mimesis));
        rows.push(Row::new(
            "the same against unweighted Faker (whose parts do not agree)",
            Bar::AtLeast(100.0),
            " ×",
            faker,
        ));
    } else {
        println!("skipped: Mimesis and Faker, because SHARDMILL_BENCH_PYTHON is not set");
    }
    Ok(rows)
}

/// Rows per processor second of a Python script that prints them.
fn python_rate(python: &str, script: &str) -> anyhow::Result<f64> {
    let output = Command::new(python).args(["-c", script]).output()?;
    anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse()?)
}
