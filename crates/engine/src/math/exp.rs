//! Exponential and logarithm without branches, so that loops over slices become vector code. Pure.
//!
//! Both reduce the argument to a small interval with exponent bits and finish with a near-minimax polynomial whose
//! own error is below 2^-56. Every special case is a select, never a jump.

/// 1.5 * 2^52: adding it to a small number rounds that number to an integer, found in the lowest bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// The leading 32 bits of ln 2: a product with an exponent is exact.
const LN2_HIGH: f64 = 0.693_147_180_369_123_8;
/// What is missing from `LN2_HIGH`.
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
const MANTISSA: u64 = (1 << 52) - 1;
const TWO_POW_52: f64 = 4_503_599_627_370_496.0;
const TWO_POW_54: f64 = 18_014_398_509_481_984.0;

/// e to the power `x`, within 1 ulp; 0 below -745.2, infinite above 709.8.
#[inline]
pub fn exp(x: f64) -> f64 {
    // Comparisons, not `clamp` or `min`: a number that is not one must stay so.
    let x = if x > 710.0 { 710.0 } else { x };
    let x = if x < -746.0 { -746.0 } else { x };
    let rounded = x * std::f64::consts::LOG2_E + ROUNDER;
    let whole = rounded - ROUNDER;
    let high = x - whole * LN2_HIGH;
    let low = whole * LN2_LOW;
    let value = 1.0 + (exp_rest(high - low) - low + high);
    // Two factors, because 2^1024 and 2^-1075 are no numbers. Unsigned: vector units lack a signed 64-bit shift.
    let exponent = rounded.to_bits().wrapping_sub(ROUNDER.to_bits()).wrapping_add(2048);
    let half = exponent >> 1;
    value * power_of_two(half.wrapping_sub(1)) * power_of_two(exponent.wrapping_sub(half).wrapping_sub(1))
}

/// 2^(`biased` - 1023).
#[inline]
fn power_of_two(biased: u64) -> f64 {
    f64::from_bits(biased << 52)
}

/// e^r - 1 - r for |r| up to ln 2 / 2.
#[inline]
fn exp_rest(r: f64) -> f64 {
    let r2 = r * r;
    let r4 = r2 * r2;
    let a = 0.5 + r * 0.166_666_666_666_666_7;
    let b = 0.041_666_666_666_666_685 + r * 0.008_333_333_333_326_112;
    let c = 0.001_388_888_888_887_434_8 + r * 0.000_198_412_698_749_025_98;
    let d = 2.480_158_734_745_677_5e-5 + r * 2.755_725_529_650_138e-6;
    let e = 2.755_725_279_975_25e-7 + r * (2.510_526_007_806_117_2e-8 + r * 2.092_162_726_664_578e-9);
    r2 * ((a + r2 * b) + r4 * ((c + r2 * d) + r4 * e))
}

/// The natural logarithm of `x`, within 1 ulp; -∞ at 0, not a number below.
#[inline]
pub fn ln(x: f64) -> f64 {
    const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
    let subnormal = x < f64::MIN_POSITIVE;
    let scaled = if subnormal { x * TWO_POW_54 } else { x };
    let bias = if subnormal { TWO_POW_52 + 1077.0 } else { TWO_POW_52 + 1023.0 };
    // Shifted so that the mantissa lies between √½ and √2, where the logarithm changes sign.
    let shifted = scaled.to_bits().wrapping_add(1f64.to_bits() - SQRT_HALF);
    let mantissa = f64::from_bits((shifted & MANTISSA).wrapping_add(SQRT_HALF));
    let exponent = f64::from_bits((shifted >> 52) | TWO_POW_52.to_bits()) - bias;
    let f = mantissa - 1.0;
    let s = f / (2.0 + f);
    let square = 0.5 * f * f;
    let value = exponent * LN2_HIGH - ((square - (s * (square + ln_rest(s * s)) + exponent * LN2_LOW)) - f);
    let value = if x < f64::INFINITY { value } else { x };
    let value = if x == 0.0 { f64::NEG_INFINITY } else { value };
    if x < 0.0 { f64::NAN } else { value }
}

/// ln((1 + s) / (1 - s)) / s - 2 for z = s².
#[inline]
fn ln_rest(z: f64) -> f64 {
    let z2 = z * z;
    let a = 0.666_666_666_666_666_6 + z * 0.400_000_000_000_008_9;
    let b = 0.285_714_285_707_947_55 + z * 0.222_222_223_936_060_06;
    let c = 0.181_817_954_480_996_44 + z * 0.153_862_496_878_386_82;
    let d = 0.132_685_161_576_725_52 + z * 0.130_892_201_239_911_24;
    z * ((a + z2 * b) + z2 * z2 * (c + z2 * d))
}

/// `exp` of every value, in place.
pub fn exp_all(values: &mut [f64]) {
    for value in values {
        *value = exp(*value);
    }
}

/// `ln` of every value, in place.
pub fn ln_all(values: &mut [f64]) {
    for value in values {
        *value = ln(*value);
    }
}

/// ln(1 + `x`), exact also where `x` is tiny.
#[inline]
pub fn ln_1p(x: f64) -> f64 {
    libm::log1p(x)
}

/// e^`x` - 1, exact also where `x` is tiny.
#[inline]
pub fn exp_m1(x: f64) -> f64 {
    libm::expm1(x)
}

/// `x` to the power `y`, with the special cases of IEEE 754.
#[inline]
pub fn pow(x: f64, y: f64) -> f64 {
    libm::pow(x, y)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the platform's own functions are what accuracy is measured against")]
mod tests {
    use super::*;
    use crate::random::key::Key;

    /// How many numbers lie between `a` and `b`, which must be of one sign.
    fn ulps(a: f64, b: f64) -> u64 {
        a.to_bits().abs_diff(b.to_bits())
    }

    #[test]
    fn exp_is_within_one_ulp_of_the_platform() {
        let key = Key::from_words(1, 2);
        for row in 0..400_000 {
            let x = key.unit(row) * 1460.0 - 750.0;
            assert!(ulps(exp(x), x.exp()) <= 1, "{x}: {} {}", exp(x), x.exp());
            let x = key.number(1).unit(row) * 4.0 - 2.0;
            assert!(ulps(exp(x), x.exp()) <= 1, "{x}: {} {}", exp(x), x.exp());
        }
    }

    #[test]
    fn ln_is_within_one_ulp_of_the_platform() {
        let key = Key::from_words(3, 4);
        for row in 0..400_000 {
            let x = f64::from_bits(key.below(row, f64::INFINITY.to_bits()));
            assert!(ulps(ln(x), x.ln()) <= 1, "{x:e}: {} {}", ln(x), x.ln());
            let x = key.number(1).unit(row) * 2.0;
            assert!(ulps(ln(x), x.ln()) <= 1, "{x:e}: {} {}", ln(x), x.ln());
            let x = 1.0 + (key.number(2).unit(row) - 0.5) * 1e-6;
            assert!(ulps(ln(x), x.ln()) <= 1, "{x:e}: {} {}", ln(x), x.ln());
        }
    }

    #[test]
    fn the_edges_are_as_ieee_has_them() {
        assert_eq!([exp(0.0), exp(-0.0), exp(f64::INFINITY), exp(f64::NEG_INFINITY)], [1.0, 1.0, f64::INFINITY, 0.0]);
        assert_eq!([exp(710.0), exp(-745.2), exp(-1e300), exp(1e300)], [f64::INFINITY, 0.0, 0.0, f64::INFINITY]);
        assert_eq!([exp(-745.0), exp(709.782)], [(-745f64).exp(), 709.782f64.exp()]);
        assert_eq!([ln(1.0), ln(0.0), ln(-0.0)], [0.0, f64::NEG_INFINITY, f64::NEG_INFINITY]);
        assert_eq!([ln(f64::INFINITY), ln(5e-324), ln(f64::MAX)], [f64::INFINITY, 5e-324f64.ln(), f64::MAX.ln()]);
        for x in [exp(f64::NAN), ln(f64::NAN), ln(-1.0), ln(f64::NEG_INFINITY), ln(-5e-324)] {
            assert!(x.is_nan(), "{x}");
        }
    }

    #[test]
    fn slices_give_the_bits_of_single_calls() {
        let inputs: Vec<f64> = (0..1003).map(|i| f64::from(i) * 0.37 + 1e-3).collect();
        let (mut powers, mut logarithms) = (inputs.clone(), inputs.clone());
        exp_all(&mut powers);
        ln_all(&mut logarithms);
        for (i, x) in inputs.iter().enumerate() {
            assert_eq!((powers[i].to_bits(), logarithms[i].to_bits()), (exp(*x).to_bits(), ln(*x).to_bits()), "{x}");
        }
    }

    #[test]
    fn pinned_functions_agree_with_the_platform() {
        let key = Key::from_words(5, 6);
        for row in 0..20_000 {
            let x = key.unit(row) * 30.0;
            let y = key.number(1).unit(row) * 20.0 - 10.0;
            assert!((pow(x, y) / x.powf(y) - 1.0).abs() < 1e-15, "{x} {y}");
            assert!((ln_1p(x * 1e-9) / (x * 1e-9).ln_1p() - 1.0).abs() < 1e-15, "{x}");
            assert!((exp_m1(y * 1e-9) / (y * 1e-9).exp_m1() - 1.0).abs() < 1e-15, "{y}");
        }
    }
}
