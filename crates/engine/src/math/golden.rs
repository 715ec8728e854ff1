//! The bits of every function for fixed inputs: a change of any one is a new engine version, not a new constant here.

use super::beta::{beta_cdf, beta_quantile};
use super::exp::{exp, exp_m1, ln, ln_1p, pow};
use super::gamma::{gamma_cdf, gamma_point, gamma_quantile};
use super::normal::{normal_cdf, normal_quantile};
use super::poisson::{poisson_cdf, poisson_probability};
use super::table::{QuantileTable, Support};
use super::trigonometry::{asin, atan2, cos, sin, tan};
use crate::random::key::Key;

/// The start of the BLAKE3 hash of 200 results; `function` gets three numbers in (0, 1).
fn fingerprint(function: impl Fn(f64, f64, f64) -> f64) -> String {
    let key = Key::from_words(0xC0FF_EE00_1234_5678, 0x0BAD_CAFE_8765_4321);
    let mut hasher = blake3::Hasher::new();
    for row in 0..200 {
        let [a, b, c] = [0, 1, 2].map(|number| key.number(number).unit(row));
        let value = function(a, b, c);
        // The sign and payload of what is not a number differ between platforms.
        assert!(!value.is_nan(), "row {row}");
        hasher.update(&value.to_bits().to_le_bytes());
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// From 1e-9 to 1e9, evenly in the exponent.
fn wide(unit: f64) -> f64 {
    pow(10.0, unit * 18.0 - 9.0)
}

/// From 0.01 to 10 000, evenly in the exponent.
fn shape(unit: f64) -> f64 {
    pow(10.0, unit * 6.0 - 2.0)
}

#[test]
fn elementary_functions_keep_their_bits() {
    let found = [
        fingerprint(|a, _, _| exp(a * 1500.0 - 750.0)),
        fingerprint(|a, _, _| exp(a * 4.0 - 2.0)),
        fingerprint(|a, _, _| ln(wide(a))),
        fingerprint(|a, _, _| ln(a + 0.5)),
        fingerprint(|a, _, _| ln(a * 1e-310)),
        fingerprint(|a, _, _| ln_1p(wide(a))),
        fingerprint(|a, b, _| exp_m1(wide(a).min(700.0) * (b - 0.5))),
        fingerprint(|a, b, _| pow(wide(a), b * 40.0 - 20.0)),
        fingerprint(|a, _, _| sin(a * 2000.0 - 1000.0)),
        fingerprint(|a, _, _| cos(a * 2000.0 - 1000.0)),
        fingerprint(|a, _, _| tan(a * 2000.0 - 1000.0)),
        fingerprint(|a, b, _| atan2(a - 0.5, b - 0.5)),
        fingerprint(|a, _, _| asin(a * 2.0 - 1.0)),
    ];
    assert_eq!(
        found,
        [
            "5763a6520b115e9b",
            "34c13835cea1ca24",
            "f420259542ae6185",
            "b439cbb5a7e6316c",
            "860f7120c1d51a1b",
            "aeb20e7fc47711a6",
            "30b3b30ad1ba4bfa",
            "63f82b0e428b6df1",
            "c0db1faa424b4441",
            "a112cb1f443d1759",
            "eff4bb08c2defcd6",
            "a1c81dda1f05eab3",
            "978f4a177cbe6d97"
        ]
    );
}

#[test]
fn distributions_keep_their_bits() {
    let table = QuantileTable::new(Support::Positive, |tails| gamma_point(1.7, tails));
    let found = [
        fingerprint(|a, _, _| table.value(a)),
        fingerprint(|a, _, _| normal_cdf(a * 50.0 - 40.0)),
        fingerprint(|a, _, _| normal_quantile(a)),
        fingerprint(|a, _, _| normal_quantile(wide(a).min(1.0))),
        fingerprint(|a, b, _| gamma_cdf(shape(a), shape(a) * (0.5 + b))),
        fingerprint(|a, b, _| gamma_quantile(shape(a), b)),
        fingerprint(|a, b, c| beta_cdf(shape(a), shape(b), c)),
        fingerprint(|a, b, c| beta_quantile(shape(a), shape(b), c)),
        fingerprint(|a, b, _| poisson_probability(shape(a), (shape(a) * 2.0 * b) as u64)),
        fingerprint(|a, b, _| poisson_cdf(shape(a), (shape(a) * 2.0 * b) as u64)),
    ];
    assert_eq!(
        found,
        [
            "9162ef4cae238c42",
            "1e3ba3ed59aef254",
            "a6150f736b69b325",
            "4fa827553d410928",
            "a79edd995e25c1a2",
            "60b8483ede15bff6",
            "8157750e768afc8b",
            "cc55a45d94bc1943",
            "2d223c6e2388ad0b",
            "76296b47b54d2875"
        ]
    );
}
