//! What changes values changes them by the law it names.

use shardmill_engine::civil::{DAY_US, Dimension, YEAR_US, parse_time};
use shardmill_engine::math::{ln, ln_1p, normal_cdf, pow};
use shardmill_tests::engine::{spec, tables};
use shardmill_tests::fit::{follows, rate, values};

const ROWS: usize = 200_000;

fn made(columns: &str, wanted: &[&str]) -> Vec<Vec<f64>> {
    let made = tables(&spec(&format!("  t: {{rows: {ROWS}, columns: {{{columns}}}}}\n")));
    wanted.iter().map(|column| values(&made, "t", column)).collect()
}

fn one(column: &str) -> Vec<f64> {
    made(&format!("x: {column}"), &["x"]).remove(0)
}

#[test]
fn jitter() {
    let x = one("{type: float, constant: 100, modifiers: [{jitter: 2.5}]}");
    follows("add", &x, |x| normal_cdf((x - 100.0) / 2.5));
    let x = one("{type: float, constant: 100, modifiers: [{jitter: {std: 0.05, mode: mul}}]}");
    follows("mul", &x, |x| normal_cdf((x - 100.0) / 5.0));
    // Two jitters are independent: their variances add.
    let x = one("{type: float, constant: 0, modifiers: [{jitter: 3}, {jitter: 4}]}");
    follows("both", &x, |x| normal_cdf(x / 5.0));
    let x = one("{datetime_series: {freq: D}, modifiers: [{time_jitter: 10}]}");
    let minutes: Vec<f64> = x.iter().map(|x| x / 60e6 - (x / DAY_US as f64).round() * 1440.0).collect();
    follows("time", &minutes, |x| normal_cdf(x / 10.0));
}

#[test]
fn arithmetic() {
    let x = one("{type: float, distribution: uniform, modifiers: [{multiply: 4}, {add: -1}, {clamp: {min: 0}}]}");
    rate("clamped", x.iter().filter(|x| **x == 0.0).count(), ROWS, 0.25);
    let above: Vec<f64> = x.into_iter().filter(|x| *x > 0.0).collect();
    follows("the rest", &above, |x| x / 3.0);
    let x = one("{type: int, sequence: 1, unique: false, modifiers: [{multiply: 0.5}, {multiply: 2}]}");
    assert_eq!(x[..5], [1.0, 2.0, 3.0, 4.0, 5.0], "whole numbers are not rounded between modifiers");
}

#[test]
fn seasonality_and_anomalies() {
    let weights = [1.0, 0.9, 0.8, 1.0, 1.3, 1.4, 0.6];
    let columns = format!(
        "at: {{datetime_series: {{freq: H}}}},
         x: {{type: float, constant: 10, modifiers: [{{seasonality: {{dimension: dow, weights: {weights:?}}}}}]}},
         y: {{type: float, constant: 10, modifiers: [{{anomaly: {{spike_dates: [2024-11-29, 2024-03-01], spike_multiplier: 4, drop_dates: [2024-12-25]}}}}]}}"
    );
    let made = made(&columns, &["at", "x", "y"]);
    let day = |text: &str| parse_time(text).unwrap() / DAY_US;
    let (spikes, drop) = ([day("2024-11-29"), day("2024-03-01")], day("2024-12-25"));
    let mut seen = (0, 0);
    for ((at, x), y) in made[0].iter().zip(&made[1]).zip(&made[2]) {
        assert_eq!(*x, 10.0 * weights[Dimension::Dow.of(*at as i64)]);
        let day = *at as i64 / DAY_US;
        let factor = if spikes.contains(&day) {
            4.0
        } else if day == drop {
            0.2
        } else {
            1.0
        };
        seen.0 += usize::from(factor == 4.0);
        seen.1 += usize::from(factor == 0.2);
        assert_eq!(*y, 10.0 * factor);
    }
    assert!(seen.0 > 500 && seen.1 > 250, "{seen:?}");
}

#[test]
fn trends() {
    let start = parse_time("2024-01-01").unwrap() as f64;
    let growth = |trend: &str| {
        let columns = format!(
            "at: {{datetime_series: {{within: {{start: 2024-01-01, end: 2028-01-01}}}}}}, x: {{type: float, constant: 100, modifiers: [{{trend: {trend}}}]}}"
        );
        let made = made(&columns, &["at", "x"]);
        made[0].iter().map(|at| (at - start) / YEAR_US).zip(made[1].clone()).collect::<Vec<_>>()
    };
    let near = |x: f64, wanted: f64| (x - wanted).abs() < 1e-9 * wanted.abs();
    assert!(growth("{growth_rate: 0.1, time_reference: at}").iter().all(|(y, x)| near(*x, 100.0 * pow(1.1, *y))));
    assert!(growth("{type: linear, growth_rate: -0.1}").iter().all(|(y, x)| near(*x, 100.0 * (1.0 - 0.1 * y))));
    let log = growth("{type: logarithmic, params: {a: 0.3, b: 2}}");
    assert!(log.iter().all(|(y, x)| near(*x, 100.0 * (1.0 + 0.3 * ln_1p(2.0 * y)))));
    assert!(growth("{type: logarithmic}").iter().all(|(y, x)| near(*x, 100.0 * (1.0 + 0.1 * ln_1p(*y)))));
}

#[test]
fn outliers() {
    let x = one("{type: float, constant: 10, modifiers: [{outliers: {rate: 0.05}}]}");
    let far: Vec<f64> = x.iter().filter(|x| **x != 10.0).map(|x| x / 10.0 - 1.0).collect();
    rate("spikes", far.len(), ROWS, 0.05);
    follows("magnitude", &far, |m| normal_cdf(ln(m) / 0.5));
    let x = one(
        "{type: float, constant: 10, modifiers: [{outliers: {rate: 0.2, mode: drop, magnitude_dist: {type: uniform, params: {low: 1, high: 4}}}}]}",
    );
    let far: Vec<f64> = x.iter().filter(|x| **x != 10.0).map(|x| 10.0 / x - 1.0).collect();
    rate("drops", far.len(), ROWS, 0.2);
    follows("their magnitude", &far, |m| (m - 1.0) / 3.0);
    // Switched off, nothing else changes.
    let columns = |rate: f64| {
        format!(
            "x: {{type: float, distribution: normal, modifiers: [{{outliers: {{rate: {rate}, magnitude_dist: {{type: constant, value: 9}}}}}}]}}, y: {{type: float, distribution: normal}}"
        )
    };
    let (with, without) = (made(&columns(0.1), &["x", "y"]), made(&columns(0.0), &["x", "y"]));
    assert_eq!(with[1], without[1]);
    assert!(with[0].iter().zip(&without[0]).all(|(a, b)| a == b || *a == b * 10.0));
}

#[test]
fn smooth_series() {
    let body = "
  sensors: {rows: 50, columns: {id: {sequence: 0}}}
  readings:
    parent: sensors
    fanout: 2880
    columns:
      sensor: {lookup: sensors.id}
      at: {datetime_series: {within: {start: 2024-01-01, end: 2024-01-10}, order: ascending, freq: S}}
      rows: {type: float, series: {mean: 20, amplitude: 4, period: 240, octaves: 3}}
      times: {type: float, series: {mean: 20, amplitude: 4, period: 12H, octaves: 1}}
      noisy: {type: float, series: {mean: 0, amplitude: 0, noise: 2}}
      daily: {type: float, series: {mean: 0, amplitude: 0, daily: 3}}
";
    let made = tables(&spec(body));
    let [sensor, at, by_rows, by_times, noisy, daily] =
        ["sensor", "at", "rows", "times", "noisy", "daily"].map(|column| values(&made, "readings", column));
    // The steepest slope of the blend is 15/8 of the distance between two draws, at most 2; octaves keep the product.
    let steepest = |octaves: f64, amplitude: f64| 2.0 * 15.0 / 8.0 * octaves * amplitude;
    for at_row in 1..sensor.len() {
        if sensor[at_row] != sensor[at_row - 1] {
            continue;
        }
        assert!((by_rows[at_row] - by_rows[at_row - 1]).abs() <= steepest(3.0, 4.0) / 240.0);
        let passed = (at[at_row] - at[at_row - 1]) / (12.0 * 3600e6);
        assert!((by_times[at_row] - by_times[at_row - 1]).abs() <= steepest(1.0, 4.0) * passed + 1e-9);
    }
    let curve = |of: usize| &by_rows[of * 2880..(of + 1) * 2880];
    for other in 1..50 {
        assert_ne!(curve(0), curve(other), "each sensor has a curve of its own");
    }
    let spread = |curve: &[f64]| curve.iter().fold(0.0f64, |most, x| most.max((x - 20.0).abs()));
    assert!((0..50).all(|of| (1.0..=7.0).contains(&spread(curve(of)))), "the curve swings, within its bounds");
    follows("noise", &noisy, |x| normal_cdf(x / 2.0));
    for (at, x) in at.iter().zip(&daily) {
        let hour = (at / 3600e6).rem_euclid(24.0);
        let wanted = 3.0 * shardmill_engine::math::cos((hour - 15.0) / 24.0 * std::f64::consts::TAU);
        assert!((x - wanted).abs() < 1e-6);
    }
}
