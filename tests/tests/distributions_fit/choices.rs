//! `choice` and drawn rows: weights, Zipf's law, head and tail.

use shardmill_engine::random::rank::{Rank, Skew};
use shardmill_tests::engine::{spec, tables};
use shardmill_tests::fit::{histogram, shares, values};

const ROWS: usize = 300_000;

/// How often each of `cells` whole numbers from 0 is chosen.
fn chosen(tables_before: &str, column: &str, cells: usize) -> Vec<u64> {
    let made = tables(&spec(&format!("{tables_before}  t: {{rows: {ROWS}, columns: {{x: {column}}}}}\n")));
    histogram(&values(&made, "t", "x"), cells)
}

fn list(cells: usize) -> String {
    format!("[{}]", (0..cells).map(|x| x.to_string()).collect::<Vec<_>>().join(", "))
}

fn zipf(cells: i32, alpha: f64) -> Vec<f64> {
    (1..=cells).map(|rank| 1.0 / shardmill_engine::math::pow(f64::from(rank), alpha)).collect()
}

#[test]
fn weights_of_a_list() {
    let counts = chosen("", "{choice: {choices: [0, 1, 2, 3], weights: [5, 3, 0, 2]}}", 4);
    shares("weights", &counts, &[0.5, 0.3, 0.0, 0.2]);
    let counts = chosen("", "{type: int, choice: {choices: {0: 1, 1: 2.5, 2: 0.01}}}", 3);
    shares("a map", &counts, &[1.0, 2.5, 0.01]);
    shares("equal", &chosen("", &format!("{{choice: {}}}", list(7)), 7), &[1.0; 7]);
}

#[test]
fn kinds_of_weights() {
    let kind = |kind: &str| chosen("", &format!("{{choice: {{choices: {}, weights_kind: '{kind}'}}}}", list(40)), 40);
    shares("uniform", &kind("uniform"), &[1.0; 40]);
    shares("zipf", &kind("zipf@1.2"), &zipf(40, 1.2));
    // The first fifth shares the head equally; the rest follows Zipf's law from its own first rank.
    let tail: f64 = zipf(32, 1.5).iter().sum();
    let mut expected = vec![0.6 / 8.0; 8];
    expected.extend(zipf(32, 1.5).iter().map(|weight| 0.4 * weight / tail));
    shares("head and tail", &kind("head_tail@{0.6,1.5}"), &expected);
}

#[test]
fn rows_of_a_table() {
    let users = "  users: {rows: 50, columns: {id: {sequence: 0}}}\n";
    shares("lookup", &chosen(users, "{lookup: users.id}", 50), &[1.0; 50]);
    shares("choice", &chosen(users, "{choice: {choices_ref: users.id}}", 50), &[1.0; 50]);
    for (column, skew) in [
        ("{lookup: {from: users.id, skew: zipf@1.1}}", Skew::Zipf { alpha: 1.1 }),
        (
            "{choice: {choices_ref: users.id, weights_kind: 'head_tail@{0.7,1.3}'}}",
            Skew::HeadTail { head_share: 0.7, tail_alpha: 1.3 },
        ),
    ] {
        // Popularity is scattered over the rows, so the counts are compared in order of size.
        let mut counts = chosen(users, column, 50);
        assert!(counts.windows(2).any(|pair| pair[0] < pair[1]), "{column}: the rows stand in order of popularity");
        counts.sort_by(|a, b| b.cmp(a));
        let rank = Rank::new(skew, 50).unwrap();
        let mut expected: Vec<f64> = (0..50).map(|at| rank.share(at)).collect();
        expected.sort_by(|a, b| b.total_cmp(a));
        shares(column, &counts, &expected);
    }
}

#[test]
fn a_vocabulary_is_popular_in_its_order() {
    let words = format!("  words: {{kind: vocab, columns: {{x: {{enum_list: {}}}}}}}\n", list(12));
    let counts = chosen(&words, "{choice: {choices_ref: words.x, weights_kind: zipf@1}}", 12);
    shares("vocabulary", &counts, &zipf(12, 1.0));
}

#[test]
fn what_is_popular_is_popular_everywhere() {
    let body = "
  products: {rows: 30, columns: {id: {sequence: 0}}}
  sales: {rows: 100000, columns: {product: {choice: {choices_ref: products.id, weights_kind: zipf@1.5}}}}
  clicks: {rows: 100000, columns: {product: {lookup: {from: products.id, skew: zipf@1.5}}}}
";
    let made = tables(&spec(body));
    let best = |table: &str| {
        let counts = histogram(&values(&made, table, "product"), 30);
        let mut order: Vec<usize> = (0..30).collect();
        order.sort_by_key(|product| std::cmp::Reverse(counts[*product]));
        order[..5].to_vec()
    };
    assert_eq!(best("sales"), best("clicks"));
    assert_ne!(values(&made, "sales", "product")[..100], values(&made, "clicks", "product")[..100]);
}
