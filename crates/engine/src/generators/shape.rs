//! The shapes of distributions on the number line: quantile and cumulative share of each. Pure.

use crate::math;
use crate::measure::floor_whole;
use crate::random::weighted::Counts;

/// 2^64: turns a uniform number back into bits.
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// A distribution on the number line.
#[derive(Debug)]
pub(crate) enum Shape {
    Normal {
        mean: f64,
        std: f64,
    },
    Lognormal {
        mean: f64,
        sigma: f64,
    },
    Uniform {
        low: f64,
        high: f64,
    },
    /// `count` equally likely values from `low` in steps of 1 / `per_unit`.
    Steps {
        low: f64,
        count: f64,
        per_unit: f64,
    },
    Poisson(Counts),
    Exponential {
        mean: f64,
    },
    Gamma {
        shape: f64,
        scale: f64,
    },
    Beta {
        alpha: f64,
        beta: f64,
        low: f64,
        high: f64,
    },
    TruncatedNormal {
        mean: f64,
        std: f64,
        from: f64,
        to: f64,
    },
    Bernoulli {
        p: f64,
    },
    Constant(f64),
}

impl Shape {
    /// The value below which the share `unit` lies.
    pub(crate) fn quantile(&self, unit: f64) -> f64 {
        match self {
            Self::Normal { mean, std } => mean + std * math::normal_quantile(unit),
            Self::Lognormal { mean, sigma } => math::exp(mean + sigma * math::normal_quantile(unit)),
            Self::Uniform { low, high } => low + unit * (high - low),
            Self::Steps { low, count, per_unit } => {
                low + (floor_whole(unit * count) as f64).min(count - 1.0) / per_unit
            }
            Self::Poisson(counts) => counts.pick((unit * TWO_64) as u64) as f64,
            Self::Exponential { mean } => -mean * math::ln(1.0 - unit),
            Self::Gamma { shape, scale } => scale * math::gamma_quantile(*shape, unit),
            Self::Beta { alpha, beta, low, high } => low + (high - low) * math::beta_quantile(*alpha, *beta, unit),
            Self::TruncatedNormal { mean, std, from, to } => {
                mean + std * math::normal_quantile(from + unit * (to - from))
            }
            Self::Bernoulli { p } => f64::from(unit > 1.0 - p),
            Self::Constant(value) => *value,
        }
    }

    /// Uniform numbers to values, as [`Self::quantile`]; the common shapes in loops that vectorise.
    pub(crate) fn quantiles(&self, values: &mut [f64]) {
        match self {
            Self::Normal { mean, std } => {
                math::normal_quantile_all(values);
                values.iter_mut().for_each(|value| *value = mean + std * *value);
            }
            Self::Lognormal { mean, sigma } => {
                math::normal_quantile_all(values);
                values.iter_mut().for_each(|value| *value = mean + sigma * *value);
                math::exp_all(values);
            }
            Self::Uniform { low, high } => {
                values.iter_mut().for_each(|value| *value = low + *value * (high - low));
            }
            Self::Steps { low, count, per_unit } => {
                values
                    .iter_mut()
                    .for_each(|value| *value = low + (floor_whole(*value * count) as f64).min(count - 1.0) / per_unit);
            }
            Self::Bernoulli { p } => values.iter_mut().for_each(|value| *value = f64::from(*value > 1.0 - p)),
            _ => values.iter_mut().for_each(|value| *value = self.quantile(*value)),
        }
    }

    /// The share of values that are rounded to less than `value`, by at most `half` a step.
    pub(crate) fn below(&self, value: f64, half: f64) -> f64 {
        match self {
            Self::Steps { low, count, per_unit } => {
                (at_step((value - low) * per_unit, f64::ceil) / count).clamp(0.0, 1.0)
            }
            _ => self.cdf(value - half),
        }
    }

    /// The share of values that are rounded to at most `value`.
    pub(crate) fn up_to(&self, value: f64, half: f64) -> f64 {
        match self {
            Self::Steps { low, count, per_unit } => {
                ((at_step((value - low) * per_unit, f64::floor) + 1.0) / count).clamp(0.0, 1.0)
            }
            _ => self.cdf(value + half),
        }
    }

    /// The share of values that are at most `value`, before any rounding.
    fn cdf(&self, value: f64) -> f64 {
        match self {
            Self::Normal { mean, std } if *std > 0.0 => math::normal_cdf((value - mean) / std),
            Self::Lognormal { mean, sigma } if *sigma > 0.0 => {
                if value <= 0.0 {
                    0.0
                } else {
                    math::normal_cdf((math::ln(value) - mean) / sigma)
                }
            }
            Self::Uniform { low, high } if high > low => ((value - low) / (high - low)).clamp(0.0, 1.0),
            Self::Exponential { mean } => {
                if value <= 0.0 {
                    0.0
                } else {
                    1.0 - math::exp(-value / mean)
                }
            }
            Self::Gamma { shape, scale } => {
                if value <= 0.0 {
                    0.0
                } else {
                    math::gamma_cdf(*shape, value / scale)
                }
            }
            Self::Beta { alpha, beta, low, high } if high > low => {
                math::beta_cdf(*alpha, *beta, ((value - low) / (high - low)).clamp(0.0, 1.0))
            }
            Self::TruncatedNormal { mean, std, from, to } => {
                ((math::normal_cdf((value - mean) / std) - from) / (to - from)).clamp(0.0, 1.0)
            }
            _ => f64::from(value >= self.quantile(0.5)),
        }
    }

    /// Whether every value between bounds can be drawn by inversion.
    pub(crate) fn is_invertible(&self) -> bool {
        !matches!(self, Self::Poisson(_) | Self::Bernoulli { .. } | Self::Constant(_))
    }

    /// The least and the greatest value.
    pub(crate) fn range(&self) -> (f64, f64) {
        match self {
            Self::Uniform { low, high } | Self::Beta { low, high, .. } => (*low, *high),
            Self::Steps { low, count, per_unit } => (*low, low + (count - 1.0) / per_unit),
            Self::Constant(value) => (*value, *value),
            Self::Normal { .. } | Self::TruncatedNormal { .. } => (f64::NEG_INFINITY, f64::INFINITY),
            Self::Bernoulli { .. } => (0.0, 1.0),
            _ => (0.0, f64::INFINITY),
        }
    }
}

/// A number of steps as a whole number: the one it is but for binary rounding, else the next one `toward` a side.
fn at_step(steps: f64, toward: fn(f64) -> f64) -> f64 {
    let nearest = steps.round();
    if (steps - nearest).abs() < 1e-6 { nearest } else { toward(steps) }
}
