//! The beta distribution: the regularised incomplete beta function and its inverse. Pure.

use super::exp::{exp, ln};
use super::gamma::Tails;
use super::root::{Slope, rising_root};
use super::stirling::{deviance, ln_gamma, stirling_error};
use std::f64::consts::TAU;

/// The fraction needs about the square root of its larger parameter: enough for parameters of 1e8.
const MAX_TERMS: usize = 100_000;

/// The probabilities of being below and above `x` for a beta value with parameters `a` and `b` (both above 0).
pub fn beta_tails(a: f64, b: f64, x: f64) -> Tails {
    if x.is_nan() || x <= 0.0 {
        return Tails::from_lower(if x.is_nan() { x } else { 0.0 });
    }
    if x >= 1.0 {
        return Tails::from_upper(0.0);
    }
    let common = weight(a, b, x);
    if x <= (a + 1.0) / (a + b + 2.0) {
        Tails::from_lower(common * fraction(a, b, x) / a)
    } else {
        Tails::from_upper(common * fraction(b, a, 1.0 - x) / b)
    }
}

/// The probability that a beta value with parameters `a` and `b` is below `x`.
pub fn beta_cdf(a: f64, b: f64, x: f64) -> f64 {
    beta_tails(a, b, x).lower
}

/// The number that a beta value with parameters `a` and `b` (both above 0) stays below with probability `p`.
///
/// 0 at `p` = 0, 1 at `p` = 1, not a number outside.
pub fn beta_quantile(a: f64, b: f64, p: f64) -> f64 {
    beta_point(a, b, Tails::from_lower(p))
}

/// The number that has the tails `target`: `beta_quantile` with all digits also where almost everything lies below.
pub fn beta_point(a: f64, b: f64, target: Tails) -> f64 {
    if let Some(end) = target.end((0.0, 1.0)) {
        return end;
    }
    // The root is sought as a distance from the nearer end, where it has all its digits.
    if beta_tails(a, b, 0.5).above(target) >= 0.0 {
        lower_half_root(a, b, target)
    } else {
        1.0 - lower_half_root(b, a, target.swapped())
    }
}

fn lower_half_root(a: f64, b: f64, target: Tails) -> f64 {
    rising_root(first_guess(a, b, target), 0.5, |x| Slope {
        error: beta_tails(a, b, x).above(target),
        first: weight(a, b, x) / (1.0 - x),
        bend: a - (b - 1.0) * x / (1.0 - x),
    })
}

/// A normal approximation (Abramowitz and Stegun 26.5.22), or the leading power where a parameter is small.
fn first_guess(a: f64, b: f64, target: Tails) -> f64 {
    if a > 1.0 && b > 1.0 {
        let z = -target.normal_quantile();
        let lambda = (z * z - 3.0) / 6.0;
        let (u, v) = (1.0 / (2.0 * a - 1.0), 1.0 / (2.0 * b - 1.0));
        let h = 2.0 / (u + v);
        let w = z * (h + lambda).max(0.0).sqrt() / h - (v - u) * (lambda + 5.0 / 6.0 - 2.0 / (3.0 * h));
        a / (a + b * exp(2.0 * w))
    } else {
        let ln_beta = ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b);
        exp((ln(target.lower) + ln(a) + ln_beta) / a)
    }
}

/// x^a (1 - x)^b / B(a, b).
fn weight(a: f64, b: f64, x: f64) -> f64 {
    let n = a + b;
    let distance = deviance(n * x, a) + deviance(n * (1.0 - x), b);
    let correction = stirling_error(n) - stirling_error(a) - stirling_error(b);
    (a / n * b / TAU).sqrt() * exp(correction - distance)
}

/// The continued fraction DLMF 8.17.22, evaluated forwards by Lentz's method.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let n = a + b;
    let mut c = 1.0;
    let mut d = 1.0 / (1.0 - n * x / (a + 1.0));
    let mut value = d;
    for m in 1..=MAX_TERMS {
        let m = m as f64;
        let a2m = a + 2.0 * m;
        let even = m * (b - m) * x / ((a2m - 1.0) * a2m);
        d = 1.0 / (1.0 + even * d);
        c = 1.0 + even / c;
        value *= c * d;
        let odd = -(a + m) * (n + m) * x / (a2m * (a2m + 1.0));
        d = 1.0 / (1.0 + odd * d);
        c = 1.0 + odd / c;
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// a, b, x, I, 1 - I; computed with 50 digits by another library.
    const VALUES: &[(f64, f64, f64, f64, f64)] = &[
        (0.05, 0.05, 0.3, 0.4802183280058102, 0.5197816719941898),
        (0.5, 0.5, 0.9, 0.7951672353008665, 0.20483276469913342),
        (1.0, 4.0, 0.01, 0.03940399, 0.96059601),
        (2.0, 3.0, 0.5, 0.6875, 0.3125),
        (2.0, 3.0, 0.99, 0.99999603, 3.97000000000001e-06),
        (30.0, 70.0, 0.2, 0.009692085749007045, 0.990307914250993),
        (30.0, 70.0, 0.35, 0.861575475866109, 0.1384245241338909),
        (3000.0, 2000.0, 0.58, 0.002027667604028052, 0.9979723323959719),
        (3000.0, 2000.0, 0.65, 0.999999999999891, 1.0899274611871975e-13),
        (0.1, 50.0, 1e-10, 0.1552974845815508, 0.8447025154184492),
        (200.0, 0.7, 0.97, 0.0009757320557039714, 0.999024267944296),
    ];

    #[test]
    fn both_tails_agree_with_other_arithmetic() {
        for &(a, b, x, lower, upper) in VALUES {
            let got = beta_tails(a, b, x);
            let error = if lower < upper { got.lower / lower - 1.0 } else { got.upper / upper - 1.0 };
            assert!(error.abs() < 1e-12, "{a} {b} {x}: {got:?} {lower} {upper} {error:e}");
        }
    }

    #[test]
    fn the_quantile_undoes_the_cumulative_function() {
        let parameters = [0.05, 0.5, 1.0, 1.3, 4.0, 60.0, 3000.0];
        for a in parameters {
            for b in parameters {
                for p in [1e-30, 1e-6, 0.02, 0.5, 0.7, 0.99] {
                    let x = beta_quantile(a, b, p);
                    assert!((0.0..=1.0).contains(&x), "{a} {b} {p}: {x}");
                    let lowest = beta_tails(a, b, x * (1.0 - 1e-13)).above(Tails::from_lower(p));
                    let highest = beta_tails(a, b, (x * (1.0 + 1e-13)).min(1.0)).above(Tails::from_lower(p));
                    let slack = p.min(1.0 - p) * 1e-12;
                    assert!(x < 1e-300 || (lowest <= slack && highest >= -slack), "{a} {b} {p}: {x}");
                }
            }
        }
    }

    #[test]
    fn simple_shapes_have_closed_forms() {
        for p in [1e-9, 0.1, 0.5, 0.9, 0.999_999] {
            assert!((beta_quantile(1.0, 1.0, p) / p - 1.0).abs() < 1e-14, "{p}");
            assert!((beta_quantile(2.0, 1.0, p) / p.sqrt() - 1.0).abs() < 1e-14, "{p}");
        }
        assert_eq!([beta_quantile(2.0, 3.0, 0.0), beta_quantile(2.0, 3.0, 1.0)], [0.0, 1.0]);
        assert!(beta_quantile(2.0, 3.0, -0.1).is_nan());
        assert_eq!([beta_cdf(2.0, 3.0, -1.0), beta_cdf(2.0, 3.0, 2.0)], [0.0, 1.0]);
    }
}
