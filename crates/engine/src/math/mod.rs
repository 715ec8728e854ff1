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
