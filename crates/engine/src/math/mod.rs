//! Arithmetic that gives the same bits on every platform, where the standard library promises none. Pure.
//!
//! Only `+ - * /`, `sqrt`, integer operations and the pinned `libm` are used: no fused multiply-add, no host functions.

pub mod beta;
pub mod exp;
pub mod gamma;
pub mod normal;
pub mod poisson;
pub mod table;
pub mod trigonometry;

mod root;
mod stirling;

#[cfg(test)]
mod golden;

pub use beta::{beta_cdf, beta_quantile};
pub use exp::{exp, exp_all, exp_m1, ln, ln_1p, ln_all, pow};
pub use gamma::{gamma_cdf, gamma_quantile};
pub use normal::{normal_cdf, normal_quantile, normal_quantile_all};
pub use trigonometry::{asin, atan2, cos, sin, tan};
