//! What the tests share: specs from text, tables from specs, rows as text.

pub mod engine;
