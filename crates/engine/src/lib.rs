//! The engine: rows as pure functions of key and row index. No I/O, no async, no clock.

pub mod random;
pub mod semantic;
