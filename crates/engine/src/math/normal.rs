//! The normal distribution: its cumulative function and the inverse of that. Pure.
//!
//! The inverse is Wichura's algorithm AS 241 (PPND16): rational functions, about 1e-16 relative error.

use super::exp::ln;
use std::f64::consts::FRAC_1_SQRT_2;

/// What the constant 1/√2 lacks to be exact.
const FRAC_1_SQRT_2_LOW: f64 = -4.833_646_656_726_457e-17;
/// How many values are done at a time, so that they stay in registers and the nearest cache.
const LANES: usize = 64;

/// The number that a standard normal value stays below with probability `p`: ±∞ at 0 and 1, not a number outside.
#[inline]
pub fn normal_quantile(p: f64) -> f64 {
    if is_central(p) { central(p) } else { tail(p) }
}

/// `normal_quantile` of every value, in place: the same bits, faster.
pub fn normal_quantile_all(values: &mut [f64]) {
    for chunk in values.chunks_mut(LANES) {
        let mut results = [0.0; LANES];
        // Without a branch for all; the few in the tails are then done again.
        for (result, p) in results.iter_mut().zip(chunk.iter()) {
            *result = central(*p);
        }
        for (value, result) in chunk.iter_mut().zip(&results) {
            *value = if is_central(*value) { *result } else { tail(*value) };
        }
    }
}

#[inline]
fn is_central(p: f64) -> bool {
    (p - 0.5).abs() <= 0.425
}

#[inline]
fn central(p: f64) -> f64 {
    let q = p - 0.5;
    let r = 0.180_625 - q * q;
    q * rational(
        r,
        [
            3.387_132_872_796_366_5,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_854,
        ],
    )
}

#[cold]
#[inline(never)]
fn tail(p: f64) -> f64 {
    let nearer = if p < 0.5 { p } else { 1.0 - p };
    if nearer <= 0.0 {
        return if nearer < 0.0 { f64::NAN } else { f64::INFINITY.copysign(p - 0.5) };
    }
    let r = (-ln(nearer)).sqrt();
    let value = if r <= 5.0 { near_tail(r - 1.6) } else { far_tail(r - 5.0) };
    value.copysign(p - 0.5)
}

fn near_tail(r: f64) -> f64 {
    rational(
        r,
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            0.000_774_545_014_278_341_4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            0.000_547_593_808_499_534_5,
            1.050_750_071_644_416_9e-9,
        ],
    )
}

fn far_tail(r: f64) -> f64 {
    rational(
        r,
        [
            6.657_904_643_501_103,
            5.463_784_911_164_114,
            1.784_826_539_917_291_3,
            0.296_560_571_828_504_87,
            0.026_532_189_526_576_124,
            0.001_242_660_947_388_078_4,
            2.711_555_568_743_487_6e-5,
            2.010_334_399_292_288_1e-7,
        ],
        [
            1.0,
            0.599_832_206_555_888,
            0.136_929_880_922_735_8,
            0.014_875_361_290_850_615,
            0.000_786_869_131_145_613_3,
            1.846_318_317_510_054_8e-5,
            1.421_511_758_316_446e-7,
            2.044_263_103_389_939_8e-15,
        ],
    )
}

/// The quotient of two polynomials of degree 7, lowest coefficient first.
#[inline]
fn rational(r: f64, above: [f64; 8], below: [f64; 8]) -> f64 {
    polynomial(r, above) / polynomial(r, below)
}

#[inline]
fn polynomial(r: f64, c: [f64; 8]) -> f64 {
    ((((((c[7] * r + c[6]) * r + c[5]) * r + c[4]) * r + c[3]) * r + c[2]) * r + c[1]) * r + c[0]
}

/// The probability that a standard normal value is below `x`, within 1e-13 of itself also far out on the left.
///
/// The probability of being above `x` is `normal_cdf(-x)`, never `1 - normal_cdf(x)`.
pub fn normal_cdf(x: f64) -> f64 {
    let y = -x * FRAC_1_SQRT_2;
    let tail = 0.5 * libm::erfc(y);
    if y > 1.0 && y < 30.0 {
        // There, a rounding of y by d changes the result by a factor of about 1 - 2yd.
        let rounding = product_error(-x, FRAC_1_SQRT_2, y) - x * FRAC_1_SQRT_2_LOW;
        tail * (1.0 - 2.0 * y * rounding)
    } else {
        tail
    }
}

/// The exact `a * b` minus its rounded value `product`, by Dekker's splitting.
fn product_error(a: f64, b: f64, product: f64) -> f64 {
    let split = |x: f64| {
        let scaled = x * 134_217_729.0;
        let high = scaled - (scaled - x);
        (high, x - high)
    };
    let ((a1, a0), (b1, b0)) = (split(a), split(b));
    ((a1 * b1 - product) + a1 * b0 + a0 * b1) + a0 * b0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::key::Key;

    /// Computed with 50 digits by another library.
    const CDF: [(f64, f64); 9] = [
        (-37.5, 4.605353009581955e-308),
        (-30.1, 2.4226672179857586e-199),
        (-12.3, 4.5287069561587846e-35),
        (-5.7, 5.990371401063528e-09),
        (-2.2, 0.013903447513498604),
        (-0.3, 0.3820885778110474),
        (0.7, 0.758036347776927),
        (3.3, 0.9995165758576162),
        (8.1, 0.9999999999999998),
    ];

    /// Computed with 50 digits by another library.
    const QUANTILES: [(f64, f64); 10] = [
        (1e-300, -37.0470962993612),
        (1e-100, -21.273453560965326),
        (1e-20, -9.262340089798407),
        (1e-12, -7.034483825301132),
        (1e-05, -4.264890793922825),
        (0.01, -2.326347874040841),
        (0.075, -1.439531470938456),
        (0.3, -0.5244005127080408),
        (0.93, 1.475791028179171),
        (0.9999, 3.7190164854557084),
    ];

    #[test]
    fn the_cumulative_function_is_right_in_both_tails() {
        for (x, expected) in CDF {
            let got = normal_cdf(x);
            assert!((got / expected - 1.0).abs() < 1e-13, "{x}: {got:e} {expected:e}");
        }
        assert_eq!([normal_cdf(f64::NEG_INFINITY), normal_cdf(0.0), normal_cdf(f64::INFINITY)], [0.0, 0.5, 1.0]);
        assert!(normal_cdf(f64::NAN).is_nan());
    }

    #[test]
    fn the_quantile_is_right_everywhere() {
        for (p, expected) in QUANTILES {
            let got = normal_quantile(p);
            assert!((got / expected - 1.0).abs() < 1e-15, "{p}: {got} {expected}");
        }
        assert_eq!(
            [normal_quantile(0.0), normal_quantile(0.5), normal_quantile(1.0)],
            [f64::NEG_INFINITY, 0.0, f64::INFINITY]
        );
        for p in [-1e-300, 1.000_001, f64::NAN] {
            assert!(normal_quantile(p).is_nan(), "{p}");
        }
    }

    #[test]
    fn both_undo_each_other() {
        for step in -3_700..=500 {
            let x = f64::from(step) * 0.01;
            let back = normal_quantile(normal_cdf(x));
            // Above 0 the probability has lost digits: one ulp of it is worth 1/density.
            let lost = f64::EPSILON * crate::math::exp::exp(0.5 * x.max(0.0) * x.max(0.0)) * 2.0;
            assert!((back - x).abs() < 1e-14 * x.abs().max(1.0) + lost, "{x} {back}");
        }
    }

    #[test]
    fn slices_give_the_bits_of_single_calls() {
        let key = Key::from_words(1, 2);
        let inputs: Vec<f64> = (0..1000).map(|row| key.unit(row)).chain([0.0, 1.0, 0.5, 1e-300]).collect();
        let mut all = inputs.clone();
        normal_quantile_all(&mut all);
        for (p, value) in inputs.iter().zip(&all) {
            assert_eq!(value.to_bits(), normal_quantile(*p).to_bits(), "{p}");
        }
    }

    #[test]
    fn the_quantile_never_falls() {
        let mut last = f64::NEG_INFINITY;
        for step in 1..1_000_000 {
            let value = normal_quantile(f64::from(step) * 1e-6);
            assert!(value > last, "{step}");
            last = value;
        }
    }
}
