//! The tables that are measured, written down as specs.

use std::rc::Rc;

use anyhow::bail;
use arrow::array::RecordBatch;
use shardmill_engine::{ENGINES, Scratch, Tables, compile};
use shardmill_shared::spec::envelope::Known;
use shardmill_shared::spec::{Report, Spec, document};

/// Ten plain columns: a key, a dense time, two low-cardinality texts, integers, floats, money, a date, a flag.
pub(super) const PLAIN: &str = "
  t:
    rows: 1000000000
    columns:
      id: {sequence: 1}
      at: {datetime_series: {order: ascending}}
      country: {choice: [US, DE, GB, FR, ES, IT, NL, SE, PL, CZ]}
      status: {choice: {choices: [new, paid, sent, done, back], weights: [5, 10, 15, 65, 5]}}
      user_id: {type: int, distribution: {type: uniform, low: 1, high: 5000000}}
      quantity: {type: int, distribution: {type: uniform, low: 1, high: 50}}
      score: {type: float, distribution: {type: uniform, low: 0, high: 1}}
      price: {type: 'decimal(10,2)', distribution: {type: uniform, low: 1, high: 999}}
      day: {type: date, datetime_series: {}}
      is_gift: {type: bool, distribution: {type: bernoulli, p: 0.1}}
";

/// Ten columns with what costs more: lognormal, normal, a format, names, mail, cities.
pub(super) const RICH: &str = "
  t:
    rows: 1000000000
    columns:
      id: {sequence: 1}
      at: {datetime_series: {pattern: [{dimension: dow, weights: [1, 1, 1, 1, 1.4, 0.6, 0.4]}, {dimension: hour, weights: [1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 7, 7, 7, 7, 8, 9, 10, 10, 9, 6, 4]}]}}
      country: {choice: [US, DE, GB, FR, ES, IT, NL, SE, PL, CZ]}
      code: {id: 'CRT-{random:7}'}
      name: {faker: name}
      email: {faker: email}
      city: {faker: city}
      amount: {type: 'decimal(10,2)', distribution: {type: lognormal, mean: 3, sigma: 1}}
      score: {type: float, distribution: {type: normal, mean: 50, std: 10}}
      quantity: {type: int, distribution: {type: poisson, lambda: 3}}
";

/// A person with an address whose parts agree.
pub(super) const PEOPLE: &str = "
  t:
    rows: 1000000000
    columns: {name: {faker: name}, email: {faker: email}, street: {faker: street_address}, city: {faker: city}, state: {faker: state}, zip: {faker: postcode}}
";

/// Compiles tables under the usual envelope.
pub(super) fn tables(body: &str) -> anyhow::Result<Tables> {
    let text = format!("shardmill: 1\nname: bench\ntimeframe: {{start: 2024-01-01, end: 2024-12-31}}\ntables:\n{body}");
    let known = Known { kinds: &["tables"], formats: &["parquet"], compressions: &["zstd"], engines: ENGINES };
    let report = Report::strict();
    let tables = document::parse(&text, &report)
        .and_then(|document| Spec::read(&document, &known, &report))
        .and_then(|spec| compile(&spec, &report));
    match tables {
        Some(tables) => Ok(tables),
        None => bail!("{:?}", report.into_problems()),
    }
}

/// Rows of a batch, as the worker cuts them.
pub(super) const BATCH_ROWS: u64 = 16_384;

/// Consecutive batches of the first table, beginning at a row that no earlier call used.
pub(super) fn batches(tables: &Tables, first: u64, count: u64) -> impl Iterator<Item = RecordBatch> + '_ {
    let scratch = Rc::new(Scratch::default());
    (0..count).map(move |at| {
        let start = first + at * BATCH_ROWS;
        tables.batch(0, start..start + BATCH_ROWS, &scratch).expect("the bench's specs make rows")
    })
}
