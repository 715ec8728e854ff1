//! Every generator and modifier gives the values that this engine version has always given.
//!
//! A changed hash is a new engine version, or a mistake. `SHARDMILL_BLESS=1 cargo test --workspace --test
//! values_never_change` writes the golden file anew. `cargo xtask test` runs this package twice: as everything else is
//! built, and built for a processor that can multiply and add in one step. The values are the same because nothing is
//! fused: Rust contracts no arithmetic by itself, and the engine never asks for it, which a test here reads from its
//! sources.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use shardmill_engine::Tables;
use shardmill_engine::generators::{ANSWERED, GENERATORS};
use shardmill_engine::modifiers::MODIFIERS;
use shardmill_engine::semantic::{Locale, METHODS};
use shardmill_rows::{batch, rows, spec, tables};
use shardmill_shared::job::Digest;

/// Rows of each column that are hashed.
const ROWS: u64 = 1_000;

/// Columns that no example shows: every shape, every way to draw a row, every way to be null or bounded.
const MORE: &[(&str, &str)] = &[
    ("distribution normal", "{type: float, distribution: {type: normal, mean: 5, std: 2}}"),
    ("distribution uniform", "{type: float, distribution: {type: uniform, low: -2, high: 7}}"),
    ("distribution uniform int", "{type: int, distribution: {type: uniform, low: -2, high: 700}}"),
    ("distribution poisson", "{distribution: {type: poisson, lambda: 4.2}}"),
    ("distribution exponential", "{type: float, distribution: {type: exponential, mean: 3}}"),
    ("distribution gamma", "{type: float, distribution: {type: gamma, shape: 2.2, scale: 3}}"),
    ("distribution beta", "{type: float, distribution: {type: beta, alpha: 2, beta: 5}}"),
    ("distribution truncated_normal", "{type: float, distribution: {type: truncated_normal, low: -1, high: 3}}"),
    ("distribution bernoulli", "{distribution: {type: bernoulli, p: 0.3}}"),
    ("choice zipf", "{choice: {choices: [a, b, c, d, e, f], weights_kind: zipf@1.3}}"),
    ("choice head_tail", "{choice: {choices: [a, b, c, d, e, f], weights_kind: 'head_tail@{0.6,1.5}'}}"),
    ("choice unique", "{type: int, unique: true, distribution: {type: uniform, low: 1, high: 5000}}"),
    ("choices_ref", "{choice: {choices_ref: users.id, weights_kind: zipf@1.1}}"),
    ("lookup as", "{lookup: {from: users.id, as: other}}"),
    ("lookup earlier", "{type: string, lookup: t.code}"),
    ("datetime_series ascending", "{datetime_series: {freq: S, order: ascending}}"),
    (
        "datetime_series product",
        "{datetime_series: {freq: 15min, pattern: [{dimension: hour, weights: [1,1,1,1,1,2,3,4,5,6,7,8,8,7,6,5,5,5,6,7,8,6,4,2]}, {dimension: month, weights: [1,2,3,4,5,6,6,5,4,3,2,1]}]}}",
    ),
    ("diffusion_curve exponential", "{diffusion_curve: {curve_type: exponential, steepness: 4}}"),
    ("series over time", "{type: float, series: {mean: 20, amplitude: 5, period: 6H, daily: 3, noise: 0.2}}"),
    ("uuid 7", "{uuid: {version: 7, time: at}}"),
    ("id dated", "{id: {format: '{year}{month}{day}-{hex:8}-{letters:3}', time: at}}"),
    ("null_rate", "{type: int, null_rate: 0.2, sequence: 1}"),
    ("outliers drop", "{type: float, constant: 10, modifiers: [{outliers: {rate: 0.3, mode: drop}}]}"),
    ("trend logarithmic", "{type: float, constant: 10, modifiers: [{trend: {type: logarithmic}}]}"),
    (
        "effect",
        "{type: float, constant: 10, modifiers: [{effect: {effect_table: seasons, on: {country: country}, window: {start_col: from, end_col: to}, map: {field: factor}}}]}",
    ),
];

/// The tables around a column `x` of `t`.
fn compiled(column: &str) -> Tables {
    let kind = if column.contains("enum_list") { "kind: vocab" } else { "rows: 1000" };
    tables(&spec(&format!(
        "
  users: {{rows: 100, columns: {{id: {{sequence: 1}}}}}}
  seasons:
    kind: vocab
    columns:
      country: {{enum_list: [DE, FR]}}
      from: {{type: date, enum_list: [2024-01-01, 2024-04-01]}}
      to: {{type: date, enum_list: [2024-06-30, 2024-12-31]}}
      factor: {{type: float, enum_list: [1.5, 0.3]}}
  promotions:
    kind: vocab
    columns:
      first_day: {{type: date, enum_list: [2024-03-01, 2024-11-25]}}
      last_day: {{type: date, enum_list: [2024-03-31, 2024-11-29]}}
      factor: {{enum_list: [1.2, 1.5]}}
  t:
    {kind}
    columns:
      code: {{uuid: 4}}
      at: {{datetime_series: {{freq: S}}}}
      country: {{choice: [DE, FR, IT]}}
      x: {column}
  items: {{parent: t, fanout: {{distribution: poisson, lambda: 2}}, columns: {{amount: {{type: 'decimal(10,2)', distribution: {{type: uniform, low: 1, high: 90}}}}}}}}
"
    )))
}

/// The hash of the first rows of a table, made so many at a time.
fn hash(made: &Tables, table: &str, at_once: u64) -> Digest {
    let count = made.rows(made.find(table).unwrap()).unwrap().min(ROWS);
    let mut text = String::new();
    for start in (0..count).step_by(at_once as usize) {
        let batch = batch(made, table, start..(start + at_once).min(count));
        rows(&batch).iter().for_each(|row| writeln!(text, "{row}").unwrap());
    }
    Digest::of(text.as_bytes())
}

fn splits_agree(name: &str, made: &Tables, table: &str) -> Digest {
    let whole = hash(made, table, ROWS);
    for at_once in [7, 333] {
        assert_eq!(hash(made, table, at_once), whole, "{name}, {at_once} rows at a time");
    }
    whole
}

fn columns() -> Vec<(String, String)> {
    let pure = GENERATORS.iter().filter(|info| !ANSWERED.contains(&info.name));
    let generators = pure.map(|info| (format!("generator {}", info.name), info.example.to_owned()));
    let modifiers = MODIFIERS.iter().filter(|info| !info.example.is_empty());
    let modifiers = modifiers.map(|info| (format!("modifier {}", info.name), info.example.to_owned()));
    let more = MORE.iter().map(|(name, column)| ((*name).to_owned(), (*column).to_owned()));
    let methods = METHODS.iter().map(|info| (format!("faker {}", info.name), faker(info.name, "en_US")));
    let locales = Locale::ALL.iter().flat_map(|locale| {
        ["name", "email", "address", "phone_number", "company"]
            .map(|method| (format!("faker {method} {}", locale.name()), faker(method, locale.name())))
    });
    generators.chain(modifiers).chain(more).chain(methods).chain(locales).collect()
}

fn faker(method: &str, locale: &str) -> String {
    format!("{{faker: {{method: {method}, locale: {locale}}}}}")
}

fn fanouts() -> Vec<(String, Tables)> {
    ["3", "{distribution: poisson, lambda: 2.3, max: 6}", "{distribution: uniform, min: 0, max: 5, iid: true}"]
        .into_iter()
        .map(|fanout| {
            let body = format!(
                "
  t: {{rows: 3000, columns: {{id: {{sequence: 1}}, x: {{rollup: c}}}}}}
  c: {{parent: t, fanout: {fanout}, columns: {{id: {{sequence: 1}}, t: {{lookup: t.id}}}}}}
"
            );
            (format!("fanout {fanout}"), tables(&spec(&body)))
        })
        .collect()
}

fn golden_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/values.txt")
}

#[test]
fn every_value_is_what_it_was() {
    let mut lines = String::new();
    for (name, column) in columns() {
        let digest = splits_agree(&name, &compiled(&column), "t").to_string();
        writeln!(lines, "{} {name}", &digest[..32]).unwrap();
    }
    for (name, made) in fanouts() {
        let digest = splits_agree(&name, &made, "t").to_string();
        writeln!(lines, "{} {name}", &digest[..32]).unwrap();
    }
    if is_blessed() {
        fs::create_dir_all(golden_file().parent().unwrap()).unwrap();
        fs::write(golden_file(), &lines).unwrap();
    }
    let golden = fs::read_to_string(golden_file()).expect("the golden file is part of the sources");
    let changed: Vec<&str> = lines.lines().filter(|line| !golden.lines().any(|known| known == *line)).collect();
    assert!(changed.is_empty(), "values changed or are new:\n{}", changed.join("\n"));
    assert_eq!(lines.lines().count(), golden.lines().count(), "the golden file has lines of what is no more");
}

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests decides whether the golden file is written anew")]
fn is_blessed() -> bool {
    std::env::var("SHARDMILL_BLESS").is_ok_and(|value| value == "1")
}

#[test]
fn nothing_in_the_engine_is_fused() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/engine/src")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files += 1;
                let text = fs::read_to_string(&path).unwrap();
                for word in ["mul_add", "fmaf", "libm::fma", "algebraic"] {
                    assert!(!text.contains(word), "{} uses {word}", path.display());
                }
            }
        }
    }
    assert!(files > 50, "{files} files: the test looks in the wrong place");
}
