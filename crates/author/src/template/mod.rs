//! Specs from templates: which fits a description, and what it becomes by it. Pure.

pub mod catalog;
mod choose;
mod sizes;
mod leftover;
mod tailor;

#[cfg(test)]
mod tests;

pub use catalog::{TEMPLATES, Template};
pub use choose::{Choice, choose};
pub use tailor::{Tailored, tailor};
