//! The gamma distribution of scale 1: the regularised incomplete gamma functions and their inverse. Pure.
//!
//! Three ways share the work: a power series left of the mean, a continued fraction right of it, and for large shapes
//! near the mean, where both are slow, Temme's uniform expansion.

use super::exp::{exp, ln};
use super::normal::{normal_cdf, normal_quantile};
use super::root::{Slope, rising_root};
use super::stirling::{deviance, ln_gamma, stirling_error};
use std::f64::consts::TAU;

/// More terms than any shape and point need that are not left to Temme's expansion.
const MAX_TERMS: usize = 2_000;
/// From this shape on, five powers of 1 / shape are below the last bit.
const TEMME_SHAPE: f64 = 200.0;
/// How far from the mean the coefficients below are still exact.
const TEMME_ETA: f64 = 0.4;

/// The probability of both sides of a point: the smaller one is exact, the other is its complement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tails {
    /// The probability of being below the point.
    pub lower: f64,
    /// The probability of being above the point.
    pub upper: f64,
}

impl Tails {
    /// The tails of a point that has the probability `lower` below it.
    pub fn from_lower(lower: f64) -> Self {
        Self { lower, upper: 1.0 - lower }
    }

    /// The tails of a point that has the probability `upper` above it.
    pub fn from_upper(upper: f64) -> Self {
        Self { lower: 1.0 - upper, upper }
    }

    /// The same, seen from the other side.
    pub(super) fn swapped(self) -> Self {
        Self { lower: self.upper, upper: self.lower }
    }

    /// The standard normal value with these tails.
    pub(super) fn normal_quantile(self) -> f64 {
        if self.lower < self.upper { normal_quantile(self.lower) } else { -normal_quantile(self.upper) }
    }

    /// The answer of every inverse that needs no search: both ends of its range, and not a number outside of it.
    pub(super) fn end(self, (lowest, highest): (f64, f64)) -> Option<f64> {
        if self.lower > 0.0 && self.upper > 0.0 {
            None
        } else if self.lower == 0.0 {
            Some(lowest)
        } else if self.upper == 0.0 {
            Some(highest)
        } else {
            Some(f64::NAN)
        }
    }

    /// How far the lower side is above the one of `target`, measured on the side that has more digits.
    pub(super) fn above(self, target: Self) -> f64 {
        if target.lower < target.upper { self.lower - target.lower } else { target.upper - self.upper }
    }
}

/// Both regularised incomplete gamma functions P and Q of `shape` (above 0) at `x`.
pub fn gamma_tails(shape: f64, x: f64) -> Tails {
    if x.is_nan() || x <= 0.0 {
        return Tails::from_lower(if x.is_nan() { x } else { 0.0 });
    }
    if x == f64::INFINITY {
        return Tails::from_upper(0.0);
    }
    if shape >= TEMME_SHAPE {
        let half_square = deviance(x, shape) / shape;
        let eta = (2.0 * half_square).sqrt().copysign(x - shape);
        if eta.abs() < TEMME_ETA {
            return temme(shape, eta, half_square);
        }
    }
    if x < shape + 1.0 {
        Tails::from_lower(density(shape, x) * series(shape, x))
    } else {
        Tails::from_upper(density(shape, x) * fraction(shape, x))
    }
}

/// The probability that a gamma value of `shape` is below `x`.
pub fn gamma_cdf(shape: f64, x: f64) -> f64 {
    gamma_tails(shape, x).lower
}

/// The number that a gamma value of `shape` (above 0) and scale 1 stays below with probability `p`.
///
/// 0 at `p` = 0, infinite at `p` = 1, not a number outside.
pub fn gamma_quantile(shape: f64, p: f64) -> f64 {
    gamma_point(shape, Tails::from_lower(p))
}

/// The number that has the tails `target`: `gamma_quantile` with all digits also where almost everything lies below.
pub fn gamma_point(shape: f64, target: Tails) -> f64 {
    if let Some(end) = target.end((0.0, f64::INFINITY)) {
        return end;
    }
    rising_root(first_guess(shape, target), f64::INFINITY, |x| Slope {
        error: gamma_tails(shape, x).above(target),
        first: density(shape, x),
        bend: shape - x,
    })
}

/// Wilson and Hilferty's cube of a normal value, or the leading power of the series where that is better.
fn first_guess(shape: f64, target: Tails) -> f64 {
    let spread = 1.0 / (9.0 * shape);
    let root = 1.0 - spread + target.normal_quantile() * spread.sqrt();
    if shape > 0.5 && root > 0.3 {
        shape * root * root * root
    } else {
        let leading = exp((ln(target.lower) + ln_gamma(shape + 1.0)) / shape);
        leading * exp((leading / (shape + 1.0)).min(1.0))
    }
}

/// x times the density: x^shape e^-x / Γ(shape).
fn density(shape: f64, x: f64) -> f64 {
    (shape / TAU).sqrt() * exp(-deviance(x, shape) - stirling_error(shape))
}

/// P divided by `density`.
fn series(shape: f64, x: f64) -> f64 {
    let mut term = 1.0 / shape;
    let mut sum = term;
    let mut divisor = shape;
    for _ in 0..MAX_TERMS {
        divisor += 1.0;
        term *= x / divisor;
        sum += term;
        if term < sum * (0.1 * f64::EPSILON) {
            break;
        }
    }
    sum
}

/// Q divided by `density`: Legendre's continued fraction, evaluated forwards by Lentz's method.
fn fraction(shape: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - shape;
    let mut c = f64::MAX;
    let mut d = 1.0 / b;
    let mut value = d;
    for i in 1..=MAX_TERMS {
        let i = i as f64;
        let a = -i * (i - shape);
        b += 2.0;
        d = 1.0 / (b + a * d);
        c = b + a / c;
        value *= c * d;
        if (c * d - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    value
}

/// Temme's expansion around the mean; `half_square` is η² / 2.
fn temme(shape: f64, eta: f64, half_square: f64) -> Tails {
    let mut sum = 0.0;
    for coefficients in TEMME.iter().rev() {
        let value = coefficients.iter().rev().fold(0.0, |value, c| value * eta + c);
        sum = sum / shape + value;
    }
    let rest = exp(-shape * half_square) / (TAU * shape).sqrt() * sum;
    let z = eta.abs() * shape.sqrt();
    if eta < 0.0 { Tails::from_lower(normal_cdf(-z) - rest) } else { Tails::from_upper(normal_cdf(-z) + rest) }
}

/// Row k: the power series in η of the coefficient of shape^-k.
const TEMME: [&[f64]; 6] = [
    &[
        -0.3333333333333333,
        0.08333333333333333,
        -0.014814814814814815,
        0.0011574074074074073,
        0.0003527336860670194,
        -0.0001787551440329218,
        3.919263178522438e-05,
        -2.185448510679992e-06,
        -1.85406221071516e-06,
        8.296711340953087e-07,
        -1.7665952736826078e-07,
        6.707853543401498e-09,
        1.0261809784240309e-08,
        -4.382036018453353e-09,
        9.14769958223679e-10,
        -2.5514193994946248e-11,
        -5.830772132550426e-11,
        2.4361948020667415e-11,
    ],
    &[
        -0.001851851851851852,
        -0.003472222222222222,
        0.0026455026455026454,
        -0.0009902263374485596,
        0.00020576131687242798,
        -4.018775720164609e-07,
        -1.8098550334489977e-05,
        7.64916091608111e-06,
        -1.6120900894563446e-06,
        4.647127802807434e-09,
        1.378633446915721e-07,
        -5.752545603517705e-08,
        1.1951628599778148e-08,
        -1.7543241719747647e-11,
    ],
    &[
        0.004133597883597883,
        -0.0026813271604938273,
        0.0007716049382716049,
        2.0093878600823047e-06,
        -0.0001073665322636516,
        5.2923448829120125e-05,
        -1.2760635188618728e-05,
        3.423578734096138e-08,
        1.3721957309062934e-06,
        -6.298992138380055e-07,
        1.4280614206064242e-07,
    ],
    &[
        0.0006494341563786008,
        0.00022947209362139917,
        -0.0004691894943952557,
        0.00026772063206283885,
        -7.561801671883977e-05,
        -2.396505113867297e-07,
        1.1082654115347302e-05,
        -5.6749528269915965e-06,
    ],
    &[
        -0.0008618882909167117,
        0.0007840392217200666,
        -0.0002990724803031902,
        -1.4638452578843418e-06,
        6.641498215465122e-05,
        -3.968365047179435e-05,
    ],
    &[-0.00033679855336635813, -6.972813758365857e-05, 0.0002772753244959392, -0.00019932570516188847],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// shape, x, P, Q; computed with 50 digits by another library.
    const VALUES: &[(f64, f64, f64, f64)] = &[
        (0.01, 1e-20, 0.6345579205489967, 0.36544207945100327),
        (0.01, 0.5, 0.9943732438060329, 0.0056267561939671844),
        (0.3, 0.001, 0.14024245892486736, 0.8597575410751326),
        (0.3, 4.0, 0.9979774893543891, 0.0020225106456108802),
        (1.0, 0.2, 0.18126924692201815, 0.8187307530779818),
        (1.0, 30.0, 0.9999999999999064, 9.357622968840175e-14),
        (2.5, 2.5, 0.5841198130044921, 0.41588018699550794),
        (9.0, 1.0, 1.125202597969018e-06, 0.999998874797402),
        (9.0, 40.0, 0.9999999991430729, 8.569271064141691e-10),
        (150.0, 100.0, 1.88421046603867e-06, 0.999998115789534),
        (150.0, 160.0, 0.7956261882343224, 0.20437381176567754),
        (199.5, 200.0, 0.5235111018993975, 0.4764888981006025),
        (200.5, 150.0, 4.903318993286559e-05, 0.9999509668100671),
        (200.5, 200.0, 0.495295745143526, 0.5047042548564741),
        (200.5, 201.5, 0.5374610148627821, 0.462538985137218),
        (200.5, 290.0, 0.9999999887063348, 1.1293665272300558e-08),
        (10000.0, 9000.0, 2.073299202433928e-25, 1.0),
        (10000.0, 10100.0, 0.8413487504471796, 0.15865124955282037),
        (1000.0, 500.0, 3.2982727970671e-86, 1.0),
        (1000.0, 1600.0, 1.0, 7.313139074297604e-59),
        (1000000.0, 990000.0, 5.446644693010809e-24, 1.0),
        (1000000.0, 1003000.0, 0.9986382593537824, 0.0013617406462175915),
    ];

    #[test]
    fn both_tails_agree_with_other_arithmetic() {
        for &(shape, x, lower, upper) in VALUES {
            let got = gamma_tails(shape, x);
            let error = if lower < upper { got.lower / lower - 1.0 } else { got.upper / upper - 1.0 };
            assert!(error.abs() < 5e-13, "{shape} {x}: {got:?} {lower} {upper} {error:e}");
            assert!((got.lower - lower).abs() < 5e-14, "{shape} {x}: {got:?} {lower}");
        }
    }

    #[test]
    fn the_quantile_undoes_the_cumulative_function() {
        for shape in [0.01, 0.3, 0.5, 1.0, 1.7, 9.0, 150.0, 250.0, 1e4, 1e6] {
            for p in [1e-250, 1e-20, 1e-6, 0.01, 0.3, 0.5, 0.8, 0.999, 1.0 - 1e-12] {
                let x = gamma_quantile(shape, p);
                if x < 1e-300 {
                    continue;
                }
                let error = gamma_tails(shape, x).above(Tails::from_lower(p)) / p.min(1.0 - p);
                // One ulp of x is worth this much of the tail.
                let worth = f64::EPSILON * x * (shape / x - 1.0).abs().max(1.0 / x.sqrt());
                assert!(error.abs() < 1e-12 + 20.0 * worth, "{shape} {p}: {x} {error:e}");
            }
        }
    }

    #[test]
    fn the_edges_are_defined() {
        assert_eq!([gamma_cdf(2.0, -1.0), gamma_cdf(2.0, 0.0), gamma_cdf(2.0, f64::INFINITY)], [0.0, 0.0, 1.0]);
        assert_eq!([gamma_quantile(2.0, 0.0), gamma_quantile(2.0, 1.0)], [0.0, f64::INFINITY]);
        assert!(gamma_quantile(2.0, 1.1).is_nan() && gamma_quantile(2.0, f64::NAN).is_nan());
        assert!(gamma_cdf(2.0, f64::NAN).is_nan());
    }

    #[test]
    fn shape_one_is_exponential() {
        for p in [1e-9, 0.1, 0.5, 0.9, 0.999_999] {
            assert!((gamma_quantile(1.0, p) / -libm::log1p(-p) - 1.0).abs() < 1e-13, "{p}");
        }
    }
}
