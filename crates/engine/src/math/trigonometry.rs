//! Sine, cosine and their kin: the pinned implementation under one roof. Pure.

/// The sine of `x` radians.
#[inline]
pub fn sin(x: f64) -> f64 {
    libm::sin(x)
}

/// The cosine of `x` radians.
#[inline]
pub fn cos(x: f64) -> f64 {
    libm::cos(x)
}

/// The tangent of `x` radians.
#[inline]
pub fn tan(x: f64) -> f64 {
    libm::tan(x)
}

/// The angle of the point (`x`, `y`) in radians, from -π to π.
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}

/// The angle in radians, from -π/2 to π/2, whose sine is `x`; not a number outside -1..=1.
#[inline]
pub fn asin(x: f64) -> f64 {
    libm::asin(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn known_angles_have_their_values() {
        assert!((sin(PI / 6.0) - 0.5).abs() < 1e-15);
        assert!((cos(PI / 3.0) - 0.5).abs() < 1e-15);
        assert!((tan(PI / 4.0) - 1.0).abs() < 1e-15);
        assert!((atan2(-1.0, -1.0) + 0.75 * PI).abs() < 1e-15);
        assert!((asin(1.0) - PI / 2.0).abs() < 1e-15);
    }
}
