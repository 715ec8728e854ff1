//! The one root finder that the inverse distribution functions share. Pure.

use super::exp::exp;

/// More rounds than halving an interval of any two numbers takes; three are usual.
const MAX_ROUNDS: usize = 200;
/// Convergence is cubic: after a step this small, measured in bends, the next error is below the last bit.
const LAST_STEP: f64 = 4e-6;

/// What a rising function looks like at one point x, seen as a function of ln x.
pub(super) struct Slope {
    /// The function minus the target.
    pub(super) error: f64,
    /// The first derivative, not negative.
    pub(super) first: f64,
    /// The second derivative divided by the first.
    pub(super) bend: f64,
}

/// The x in (0, `upper`] where the error of `at` changes its sign: Halley steps in ln x, halving where they leave the
/// interval that is known to hold the root.
pub(super) fn rising_root(start: f64, upper: f64, at: impl Fn(f64) -> Slope) -> f64 {
    let (mut low, mut high) = (0.0, upper);
    let mut x = start.clamp(f64::MIN_POSITIVE, f64::MAX).min(upper);
    for _ in 0..MAX_ROUNDS {
        let slope = at(x);
        if slope.error == 0.0 {
            return x;
        }
        if slope.error > 0.0 {
            high = x;
        } else {
            low = x;
        }
        let newton = slope.error / slope.first;
        let step = newton / (1.0 - (0.5 * newton * slope.bend).clamp(-0.5, 0.5));
        let next = x * exp(-step);
        if step.abs() * (1.0 + slope.bend.abs()) < LAST_STEP {
            return next.clamp(low, high);
        }
        // Also caught here: steps that are not numbers, where the slope has vanished.
        x = if next > low && next < high { next } else { middle(low, high) };
    }
    x
}

/// A point well inside: the geometric mean, or far towards an end that is open.
fn middle(low: f64, high: f64) -> f64 {
    if high == f64::INFINITY {
        low * 16.0
    } else if low == 0.0 {
        high / 16.0
    } else {
        low.sqrt() * high.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::exp::ln;

    #[test]
    fn roots_are_found_from_poor_starts() {
        // ln x = target, with all derivatives known.
        for (start, target) in [(1e-200, 3.0), (1e200, -7.0), (1.0, 0.5)] {
            let x = rising_root(start, f64::INFINITY, |x| Slope { error: ln(x) - target, first: 1.0, bend: 0.0 });
            assert!((ln(x) - target).abs() < 1e-15, "{start} {x}");
        }
    }

    #[test]
    fn a_vanished_slope_is_survived_by_halving() {
        let x = rising_root(1e-9, 1e9, |x| Slope { error: if x < 3.0 { -1.0 } else { 1.0 }, first: 0.0, bend: 0.0 });
        assert!((x - 3.0).abs() < 1e-12, "{x}");
    }
}
