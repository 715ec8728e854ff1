//! How many children parents have: drawn, clipped, nested, none at all, and block by block alike.

use shardmill_engine::Tables;
use shardmill_engine::math::poisson::{poisson_cdf, poisson_probability};
use shardmill_tests::engine::{all, rows, spec, tables};
use shardmill_tests::fit::{histogram, mean, rate, shares, values};

const BLOCK: usize = 1024;
/// Whole blocks and a part of one.
const PARENTS: usize = 98 * BLOCK + 513;

fn made(fanout: &str) -> Tables {
    tables(&spec(&format!(
        "
  p: {{rows: {PARENTS}, columns: {{id: {{sequence: 0}}, children: {{rollup: c}}}}}}
  c: {{parent: p, fanout: {fanout}, columns: {{id: {{sequence: 0}}, p_id: {{lookup: p.id}}}}}}
"
    )))
}

/// The number of children of each parent, as the children tell it.
fn children(made: &Tables) -> Vec<f64> {
    let mut counts = vec![0.0; PARENTS];
    let parents = values(made, "c", "p_id");
    assert!(parents.windows(2).all(|pair| pair[0] <= pair[1]), "children stand in the order of their parents");
    parents.iter().for_each(|parent| counts[*parent as usize] += 1.0);
    assert_eq!(values(made, "p", "children"), counts, "parents and children count alike");
    counts
}

#[test]
fn poisson_in_every_block() {
    let made = made("{distribution: poisson, lambda: 3.7}");
    let counts = children(&made);
    let mut blocks: Vec<Vec<f64>> = counts.chunks_exact(BLOCK).map(<[f64]>::to_vec).collect();
    assert_ne!(blocks[0], blocks[1], "each block has an order of its own");
    blocks.iter_mut().for_each(|block| block.sort_by(f64::total_cmp));
    assert!(blocks.windows(2).all(|pair| pair[0] == pair[1]), "every block holds the same quantiles");
    let cells = histogram(&blocks[0], 20);
    for (count, cell) in cells.iter().enumerate() {
        let wanted = BLOCK as f64 * poisson_probability(3.7, count as u64);
        assert!((*cell as f64 - wanted).abs() <= 1.0, "{count} children: {cell} parents, {wanted} wanted");
    }
    assert!((mean(&counts) - 3.7).abs() < 0.02, "{}", mean(&counts));
    rate("childless", counts.iter().filter(|count| **count == 0.0).count(), PARENTS, poisson_probability(3.7, 0));
}

#[test]
fn order_within_a_block_is_fair() {
    let counts = children(&made("{distribution: uniform, min: 0, max: 1}"));
    // Neighbours are independent but for the block's fixed total.
    let pairs: Vec<f64> = counts.chunks_exact(2).map(|pair| 2.0 * pair[0] + pair[1]).collect();
    shares("neighbours", &histogram(&pairs, 4), &[1.0; 4]);
    let at: Vec<u64> =
        (0..16).map(|at| counts.iter().skip(at).step_by(16).filter(|count| **count == 1.0).count() as u64).collect();
    shares("positions", &at, &[1.0; 16]);
}

#[test]
fn numbers_are_clipped() {
    for fanout in
        ["{distribution: poisson, lambda: 4.5, min: 2, max: 6}", "{distribution: poisson, lambda: 4.5, clamp: [2, 6]}"]
    {
        let counts = children(&made(fanout));
        let cells = histogram(&counts[..98 * BLOCK], 8);
        let share = |from: f64| from * 98.0 * BLOCK as f64;
        let wanted = [
            0.0,
            0.0,
            share(poisson_cdf(4.5, 2)),
            share(poisson_probability(4.5, 3)),
            share(poisson_probability(4.5, 4)),
            share(poisson_probability(4.5, 5)),
            share(1.0 - poisson_cdf(4.5, 5)),
            0.0,
        ];
        for (count, (cell, wanted)) in cells.iter().zip(wanted).enumerate() {
            assert!((*cell as f64 - wanted).abs() <= 98.0, "{fanout} {count}: {cell}, {wanted} wanted");
        }
    }
    let counts = children(&made("{distribution: uniform, min: 0, max: 9, clamp: [2, 4]}"));
    assert!(counts.iter().all(|count| (2.0..=4.0).contains(count)), "a clamp holds beside min and max");
    assert!((mean(&counts) - (2.0 * 3.0 + 3.0 + 4.0 * 6.0) / 10.0).abs() < 0.02, "{}", mean(&counts));
}

#[test]
fn uniform_and_constant() {
    let counts = children(&made("{distribution: uniform, min: 1, max: 4}"));
    assert_eq!(histogram(&counts[..98 * BLOCK], 5), [0, 98 * 256, 98 * 256, 98 * 256, 98 * 256]);
    assert!(children(&made("3")).iter().all(|count| *count == 3.0));
    assert!(children(&made("{distribution: constant, value: 2}")).iter().all(|count| *count == 2.0));
}

#[test]
fn parents_may_draw_each_for_itself() {
    let drawn = made("{distribution: poisson, lambda: 4, iid: true}");
    assert!(drawn.is_counted(drawn.find("c").unwrap()));
    let counts = children(&drawn);
    let expected: Vec<f64> = (0..30).map(|count| poisson_probability(4.0, count)).collect();
    shares("poisson", &histogram(&counts, 30), &expected);
    let totals: Vec<f64> = counts.chunks_exact(BLOCK).map(|block| block.iter().sum()).collect();
    let average = mean(&totals);
    let spread = mean(&totals.iter().map(|total| (total - average) * (total - average)).collect::<Vec<_>>());
    // The sum of 1 024 independent draws has the variance 4 096; a stratified one would have 0.
    assert!((2_000.0..8_000.0).contains(&spread), "{spread}");
    let clipped = children(&made("{distribution: poisson, lambda: 4, iid: true, max: 5}"));
    rate("clipped", clipped.iter().filter(|count| **count == 5.0).count(), PARENTS, 1.0 - poisson_cdf(4.0, 4));
}

#[test]
fn nested_children_of_children() {
    let body = "
  a: {rows: 3000, columns: {id: {sequence: 0}, bs: {rollup: b}, cs: {rollup: b.cs}}}
  b: {parent: a, fanout: {distribution: poisson, lambda: 1.5, max: 5}, columns: {id: {sequence: 0}, a_id: {lookup: a.id}, cs: {rollup: c}}}
  c: {parent: b, fanout: {distribution: uniform, min: 0, max: 3, iid: true}, columns: {id: {sequence: 0}, b_id: {lookup: b.id}, a_id: {lookup: a.id}, ds: {rollup: d}}}
  d: {parent: c, fanout: 2, columns: {id: {sequence: 0}, a_id: {lookup: a.id}, c_id: {lookup: c.id}}}
";
    let made = tables(&spec(body));
    let count = |table: &str| made.rows(made.find(table).unwrap()).unwrap() as f64;
    let sum = |table: &str, column: &str| values(&made, table, column).iter().sum::<f64>();
    assert_eq!(sum("a", "bs"), count("b"));
    assert_eq!(sum("a", "cs"), count("c"));
    assert_eq!(sum("b", "cs"), count("c"));
    assert_eq!(sum("c", "ds"), count("d"));
    assert_eq!(count("d"), 2.0 * count("c"));
    assert!((count("b") / 3000.0 - 1.5).abs() < 0.05 && (count("c") / count("b") - 1.5).abs() < 0.06);
    // The grandparent of a row is the parent of its parent.
    let (b_of, a_of, a_of_b) = (values(&made, "c", "b_id"), values(&made, "c", "a_id"), values(&made, "b", "a_id"));
    assert!(b_of.iter().zip(&a_of).all(|(b, a)| a_of_b[*b as usize] == *a));
    let (c_of, a_of_d) = (values(&made, "d", "c_id"), values(&made, "d", "a_id"));
    assert!(c_of.iter().zip(&a_of_d).all(|(c, a)| a_of[*c as usize] == *a));
    assert_eq!(rows(&all(&made, "d")).len() as f64, count("d"));
}

#[test]
fn the_last_block_may_be_partial() {
    for parents in [1, 2, 1023, 1024, 1025, 2047, 3000] {
        let body = format!(
            "
  p: {{rows: {parents}, columns: {{id: {{sequence: 0}}, n: {{rollup: c}}}}}}
  c: {{parent: p, fanout: {{distribution: uniform, min: 1, max: 5}}, columns: {{p_id: {{lookup: p.id}}}}}}
"
        );
        let made = tables(&spec(&body));
        let (counts, owners) = (values(&made, "p", "n"), values(&made, "c", "p_id"));
        assert_eq!(counts.iter().sum::<f64>(), owners.len() as f64, "{parents}");
        assert_eq!(owners.first(), Some(&0.0), "{parents}");
        assert_eq!(owners.last(), Some(&f64::from(parents - 1)), "{parents}");
    }
}
