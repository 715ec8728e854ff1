//! A spec becomes a plan: one file per kind. Pure.

pub mod tables;
