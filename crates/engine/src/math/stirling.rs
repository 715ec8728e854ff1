//! Gamma-function pieces that keep their digits when the arguments are large. Pure.
//!
//! Densities of the gamma, beta and Poisson families are products of huge and tiny factors. Written with the *error* of
//! Stirling's formula and the *deviance* of two numbers (Loader's saddle-point form), nothing large is ever subtracted.

use super::exp::ln;

/// ½ ln 2π.
const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_7;

/// ln Γ(a) minus Stirling's formula (a - ½) ln a - a + ½ ln 2π, for a > 0.
pub(super) fn stirling_error(a: f64) -> f64 {
    if a < 16.0 {
        return libm::lgamma(a + 1.0) - (a + 0.5) * ln(a) + a - HALF_LN_2_PI;
    }
    let r = 1.0 / (a * a);
    let tail = 1.0 / 1188.0 - r * (691.0 / 360_360.0);
    (1.0 / 12.0 - r * (1.0 / 360.0 - r * (1.0 / 1260.0 - r * (1.0 / 1680.0 - r * tail)))) / a
}

/// a ln(a / x) + x - a, for a > 0 and x > 0: never negative, 0 where both are equal.
pub(super) fn deviance(x: f64, a: f64) -> f64 {
    let difference = x - a;
    let s = difference / (x + a);
    if s.abs() > 0.14 {
        return a * (ln(a) - ln(x)) + difference;
    }
    // With x / a = (1 + s) / (1 - s) the logarithm is a series in s², and what cancels is left out before it is made.
    let z = s * s;
    let mut sum = 0.0;
    for k in (1..=11).rev() {
        sum = sum * z + 1.0 / f64::from(2 * k + 1);
    }
    difference * s - 2.0 * a * s * z * sum
}

/// ln Γ(a), for a > 0.
pub(super) fn ln_gamma(a: f64) -> f64 {
    libm::lgamma(a)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_each_switch_agree_with_other_arithmetic() {
        // Computed with 50 digits by another library.
        for (a, expected) in [
            (0.01, 1.4340079537031842),
            (0.5, 0.15342640972002736),
            (1.0, 0.08106146679532726),
            (3.7, 0.022468770580143144),
            (15.9, 0.005240399880756108),
            (16.0, 0.0052076559196096404),
            (17.5, 0.00476138694171445),
            (1000000.0, 8.333333333333056e-08),
        ] {
            assert!((stirling_error(a) - expected).abs() < 1e-14, "{a}: {} {expected}", stirling_error(a));
        }
        for (x, a, expected) in [
            (1e-05, 3.0, 34.834623260915016),
            (2.3, 3.0, 0.09710949719901711),
            (2.2, 3.0, 0.1304647849115185),
            (3.9, 3.0, 0.11290720659752683),
            (4.1, 3.0, 0.16287594487354262),
            (1000500.0, 1000000.0, 0.12495834895208593),
            (1000000.25, 1000000.0, 3.124999479166764e-08),
            (1000000000.0, 2.0, 999999957.9397627),
        ] {
            let got = deviance(x, a);
            assert!((got / expected - 1.0).abs() < 4e-15, "{x} {a}: {got} {expected}");
        }
        assert_eq!(deviance(3.5, 3.5), 0.0);
    }
}
