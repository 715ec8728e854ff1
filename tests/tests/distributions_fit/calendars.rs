//! Moments: patterns by hour, weekday and month, adoption curves, ascending order, grids.

use shardmill_engine::civil::{DAY_US, Dimension, HOUR_US, SECOND_US, civil, parse_time};
use shardmill_engine::math::{exp, exp_m1};
use shardmill_tests::engine::{spec, tables};
use shardmill_tests::fit::{follows, shares, values};

const ROWS: usize = 200_000;

fn made(column: &str) -> Vec<f64> {
    values(&tables(&spec(&format!("  t: {{rows: {ROWS}, columns: {{at: {column}}}}}\n"))), "t", "at")
}

fn weights(dimension: Dimension) -> Vec<f64> {
    (0..dimension.parts()).map(|at| ((at * 7 + 3) % 5) as f64).collect()
}

/// Compares a pattern over a window with what every single hour of it should hold, in cells of `bin`.
fn pattern(start: &str, end: &str, dimensions: &[Dimension], bin: impl Fn(i64) -> usize) {
    let (first, last) = (parse_time(start).unwrap(), parse_time(end).unwrap());
    let mut expected = Vec::new();
    let mut cell = first.div_euclid(HOUR_US) * HOUR_US;
    while cell <= last {
        // The grid is a second, and the window's last second is in it.
        let inside = (cell + HOUR_US).min(last + SECOND_US) - cell.max(first);
        let weight: f64 = dimensions.iter().map(|dimension| weights(*dimension)[dimension.of(cell)]).product();
        expected.resize(expected.len().max(bin(cell) + 1), 0.0);
        expected[bin(cell)] += weight * inside as f64;
        cell += HOUR_US;
    }
    let name = |dimension: &Dimension| Dimension::NAMES[*dimension as usize];
    let patterns: Vec<String> = dimensions
        .iter()
        .map(|dimension| format!("{{dimension: {}, weights: {:?}}}", name(dimension), weights(*dimension)))
        .collect();
    let column = format!(
        "{{datetime_series: {{within: {{start: '{start}', end: '{end}'}}, freq: S, pattern: [{}]}}}}",
        patterns.join(", ")
    );
    let mut counts = vec![0; expected.len()];
    for time in made(&column) {
        assert!(time as i64 >= first && time as i64 <= last && time as i64 % SECOND_US == 0);
        counts[bin(time as i64)] += 1;
    }
    shares(&column, &counts, &expected);
}

#[test]
fn one_dimension() {
    pattern("2024-01-01", "2024-12-31", &[Dimension::Hour], |time| Dimension::Hour.of(time));
    pattern("2024-01-01", "2024-12-31", &[Dimension::Dow], |time| Dimension::Dow.of(time));
    pattern("2024-01-01", "2025-07-31", &[Dimension::Month], |time| Dimension::Month.of(time));
}

#[test]
fn dimensions_multiply() {
    let all = [Dimension::Hour, Dimension::Dow, Dimension::Month];
    pattern("2024-01-01", "2024-12-31", &all, |time| Dimension::Dow.of(time) * 24 + Dimension::Hour.of(time));
    pattern("2024-01-01", "2024-12-31", &all, |time| Dimension::Month.of(time));
}

#[test]
fn first_and_last_day_are_partial() {
    let start = "2024-03-01T13:20:30Z";
    let first = parse_time(start).unwrap().div_euclid(HOUR_US);
    let hour = move |time: i64| (time.div_euclid(HOUR_US) - first) as usize;
    pattern(start, "2024-03-03T07:10:00Z", &[Dimension::Hour], hour);
    pattern(start, "2024-03-01T21:40:00Z", &[Dimension::Hour], hour);
    pattern(start, "2024-03-12T00:00:00Z", &[Dimension::Dow, Dimension::Hour], move |time| hour(time) / 24);
}

#[test]
fn a_seasonality_is_one_more_pattern() {
    let counts = |column: &str| {
        let mut counts = [0u64; 7];
        made(column).iter().for_each(|time| counts[Dimension::Dow.of(*time as i64)] += 1);
        counts
    };
    let within = "within: {start: 2024-01-01, end: '2024-12-29T23:59:59Z'}, freq: S";
    let column = format!(
        "{{datetime_series: {{{within}}}, modifiers: [{{seasonality: {{dimension: dow, weights: [1, 1, 1, 1, 2, 0, 3]}}}}]}}"
    );
    shares("seasonality", &counts(&column), &[1.0, 1.0, 1.0, 1.0, 2.0, 0.0, 3.0]);
}

#[test]
fn adoption_curves() {
    let (start, end) = (parse_time("2024-01-01").unwrap() as f64, parse_time("2024-12-31").unwrap() as f64);
    let share = |time: f64| (time - start) / (end - start);
    let fits = |params: &str, cdf: &dyn Fn(f64) -> f64| {
        follows(params, &made(&format!("{{diffusion_curve: {{{params}}}}}")), |time| cdf(share(time)));
    };
    let logistic = |center: f64, steepness: f64| {
        let at = move |t: f64| 1.0 / (1.0 + exp(-steepness * (t - center)));
        move |t: f64| (at(t) - at(0.0)) / (at(1.0) - at(0.0))
    };
    fits("curve_type: logistic", &logistic(0.5, 10.0));
    fits("inflection_point: 0.2, steepness: 6", &logistic(0.2, 6.0));
    fits("type: exponential, steepness: 3", &|t| exp_m1(3.0 * t) / exp_m1(3.0));
    fits("curve_type: linear", &|t| t);
}

#[test]
fn ascending_order_keeps_the_distribution() {
    let body = format!(
        "
  t:
    rows: {ROWS}
    columns: {{at: {{datetime_series: {{order: ascending, freq: S}}}}}}
  parents: {{rows: 20000, columns: {{id: {{sequence: 0}}}}}}
  children:
    parent: parents
    fanout: {{distribution: poisson, lambda: 6}}
    columns: {{parent_id: {{lookup: parents.id}}, at: {{datetime_series: {{order: ascending, freq: S}}}}}}
"
    );
    let made = tables(&spec(&body));
    let (start, end) = (parse_time("2024-01-01").unwrap() as f64, parse_time("2024-12-31").unwrap() as f64);
    let share = |time: f64| (time - start) / (end - start);
    let all = values(&made, "t", "at");
    assert!(all.windows(2).all(|pair| pair[0] <= pair[1]));
    follows("a table", &all, share);
    let (parents, times) = (values(&made, "children", "parent_id"), values(&made, "children", "at"));
    follows("siblings", &times, share);
    let mut falls = 0;
    for at in 1..times.len() {
        assert!(parents[at] != parents[at - 1] || times[at - 1] <= times[at]);
        falls += usize::from(times[at - 1] > times[at]);
    }
    assert!(falls > 15_000, "each parent begins anew: {falls}");
}

#[test]
fn values_lie_on_their_grid() {
    let on = |freq: &str, holds: &dyn Fn(i64) -> bool| {
        let times = made(&format!("{{datetime_series: {{freq: {freq}}}}}"));
        assert!(times.iter().all(|time| holds(*time as i64)), "{freq}");
        let mut different: Vec<i64> = times.iter().map(|time| *time as i64).collect();
        different.sort_unstable();
        different.dedup();
        different.len()
    };
    let is_day = |time: i64| time % DAY_US == 0;
    assert_eq!(on("D", &is_day), 366);
    assert_eq!(on("H", &|time| time % HOUR_US == 0), 365 * 24 + 1);
    assert!(on("15min", &|time| time % (HOUR_US / 4) == 0) > 365 * 90);
    assert_eq!(on("W", &|time| is_day(time) && Dimension::Dow.of(time) == 0), 53);
    assert_eq!(on("M", &|time| is_day(time) && civil(time / DAY_US + 1).day == 1), 12);
    assert_eq!(on("Q", &|time| is_day(time) && civil(time / DAY_US + 1).day == 1), 4);
    assert_eq!(on("MS", &|time| is_day(time) && civil(time / DAY_US).day == 1), 12);
}
