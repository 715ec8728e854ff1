//! Unique values are unique by construction: exhaustively where the table is small, by sampling where it is large.

#![expect(clippy::unwrap_used, reason = "all of this is a test, helpers included")]

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use arrow::array::Array;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use shardmill_engine::semantic::Locale;
use shardmill_engine::{Scratch, Tables};
use shardmill_tests::engine::{all, column, numbers, spec, tables, try_tables};

/// Rows of the large table.
const LARGE: u64 = 100_000_000;
/// Rows of it that are looked at.
const SAMPLE: u64 = 2_000_000;
/// In so many runs, so that near and far rows are compared.
const RUNS: u64 = 500;

/// The number of values that are not the first of their kind, among runs of rows all over the table.
fn twins(made: &Tables, runs: impl Iterator<Item = std::ops::Range<u64>>) -> usize {
    let at = made.find("t").unwrap();
    let scratch = Rc::new(Scratch::default());
    let mut hashes = Vec::new();
    for run in runs {
        let batch = made.batch(at, run, &scratch).unwrap();
        let array = batch.column_by_name("x").unwrap();
        assert_eq!(array.null_count(), 0);
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(array.as_ref(), &options).unwrap();
        hashes.extend((0..array.len()).map(|row| {
            let mut hasher = DefaultHasher::new();
            formatter.value(row).to_string().hash(&mut hasher);
            hasher.finish()
        }));
    }
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    count - hashes.len()
}

/// Samples a table of a hundred million rows whose column `x` is `column`.
fn sampled(column: &str) {
    let made = tables(&spec(&format!("  t: {{rows: {LARGE}, columns: {{x: {column}}}}}\n")));
    let runs = (0..RUNS).map(|run| {
        let start = run * (LARGE - SAMPLE / RUNS) / (RUNS - 1);
        start..start + SAMPLE / RUNS
    });
    assert_eq!(twins(&made, runs), 0, "{column}");
}

/// Looks at every row of a table.
fn exhausted(rows: u64, column: &str) {
    let made = tables(&spec(&format!("  t: {{rows: {rows}, columns: {{x: {column}}}}}\n")));
    let runs = (0..rows).step_by(1 << 16).map(|start| start..(start + (1 << 16)).min(rows));
    assert_eq!(twins(&made, runs), 0, "{column}");
}

#[test]
fn numbers_at_a_hundred_million() {
    sampled("{unique: true, sequence: {start: -7, step: 3}}");
    sampled("{unique: true, type: int, distribution: {type: uniform, low: 1, high: 100000000}}");
    sampled("{unique: true, type: 'decimal(12,2)', distribution: {type: uniform, low: 0, high: 1000000}}");
}

#[test]
fn identifiers_at_a_hundred_million() {
    sampled("{unique: true, uuid: 4}");
    sampled("{unique: true, uuid: 7}");
    sampled("{unique: true, id: 'CRT-{year}-{random:8}'}");
    sampled("{unique: true, id: '{letters:3}-{row}'}");
}

#[test]
fn people_at_a_hundred_million() {
    sampled("{unique: true, faker: email}");
    sampled("{unique: true, faker: {method: user_name, locale: de_DE}}");
}

#[test]
fn codes_at_a_hundred_million() {
    sampled("{unique: true, faker: uuid4}");
    sampled("{unique: true, faker: iban}");
}

#[test]
fn every_value_of_a_full_domain_comes_once() {
    let full = |rows: u64, column: &str| {
        let made = tables(&spec(&format!("  t: {{rows: {rows}, columns: {{x: {column}}}}}\n")));
        let mut values = column_of(&made);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len() as u64, rows, "{column}");
        values
    };
    let all = full(300_000, "{unique: true, type: int, distribution: {type: uniform, low: -100000, high: 199999}}");
    assert!(all.contains(&"-100000".to_owned()) && all.contains(&"199999".to_owned()));
    full(67_600, "{unique: true, id: '{letters:2}{random:2}'}");
    full(65_536, "{unique: true, id: 'x{hex:4}'}");
    full(201, "{unique: true, type: 'decimal(4,2)', distribution: {type: uniform, low: -1, high: 1}}");
    full(5, "{unique: true, choice: [a, b, c, d, e]}");
    full(70, &format!("{{unique: true, choice: {:?}}}", (0..70).collect::<Vec<_>>()));
}

fn column_of(made: &Tables) -> Vec<String> {
    column(&all(made, "t"), "x")
}

#[test]
fn every_row_of_a_million() {
    for column in ["{unique: true, faker: email}", "{unique: true, faker: phone_number}", "{unique: true, uuid: 7}"] {
        exhausted(1_000_000, column);
    }
}

#[test]
fn each_locale_has_as_many_people_as_it_says() {
    for locale in Locale::ALL {
        let locale = locale.name();
        let column = |rows: u64| {
            format!(
                "  t: {{rows: {rows}, columns: {{x: {{unique: true, faker: {{method: name, locale: {locale}}}}}}}}}\n"
            )
        };
        let Err(problems) = try_tables(&spec(&column(1 << 60))) else { panic!("{locale} has no end of people") };
        let people: u64 = problems[0]
            .split_whitespace()
            .find_map(|word| word.parse().ok())
            .unwrap_or_else(|| panic!("{locale}: {problems:?}"));
        // The end of the domain is where a wrong size would fold over.
        let made = tables(&spec(&column(people)));
        let sample = people.min(150_000);
        let runs = [0..sample / 2, people - sample / 2..people];
        assert_eq!(twins(&made, runs.into_iter()), 0, "{locale}: {people} people");
    }
}

#[test]
fn columns_that_agree_are_unique_together() {
    let body = "
  t:
    rows: 12000
    columns:
      id: {uuid: 4}
      x: {unique: true, faker: {method: name, locale: de_DE}}
      email: {unique: true, faker: {method: email, locale: de_DE}}
      first: {faker: {method: first_name, locale: de_DE}}
";
    let made = tables(&spec(body));
    let t = all(&made, "t");
    for name in ["id", "x", "email"] {
        let mut values = column(&t, name);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), 12_000, "{name}");
    }
    assert!(column(&t, "x").iter().zip(column(&t, "first")).all(|(name, first)| name.contains(&first)));
}

#[test]
fn keys_and_declared_columns_are_unique_without_being_told() {
    let body = spec(
        "
  p: {rows: 40000, key: code, columns: {code: {id: '{random:5}'}, phone: {faker: phone_number}}}
  c: {parent: p, fanout: 3, columns: {id: {type: string}, n: {sequence: 5}}}
  d: {parent: p, key: code, columns: {code: {lookup: p.code}}}
",
    );
    let made = tables(&format!("{body}constraints: {{unique: [p.phone]}}\n"));
    for (table, name) in [("p", "code"), ("p", "phone"), ("c", "id"), ("c", "n"), ("d", "code")] {
        let t = all(&made, table);
        let mut values = column(&t, name);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), t.num_rows(), "{table}.{name}");
    }
    let n = numbers(&all(&made, "c"), "n");
    assert_eq!((n[0], n[119_999]), (5.0, 120_004.0), "the key of a fact counts through the whole table");
}

#[test]
fn a_vocabulary_may_be_keyed_by_what_it_lists() {
    let words = |list: &str| spec(&format!("  t: {{kind: vocab, key: x, columns: {{x: {{enum_list: {list}}}}}}}\n"));
    assert_eq!(column_of(&tables(&words("[a, b, c]"))), ["a", "b", "c"]);
    assert!(try_tables(&words("[a, b, a]")).unwrap_err()[0].contains("can repeat"));
}
