//! All functions, by group: the one table that documentation, check and evaluation share. Pure.
//!
//! To add a function: one entry in its group's table. Its signature is checked, its example is a test.

mod logic;
mod numeric;
mod text;
mod calendar;
mod cast;

pub(super) use text::concat;

use super::operand::Kernel;

/// A function: what its documentation says and what computes it.
#[derive(Clone, Copy, Debug)]
pub struct FunctionInfo {
    /// Its name, in lower case; calls may write it in any case.
    pub name: &'static str,
    /// Its parameters and result. `T` is one type for all that are `T`, `?` may be left out, `...` may be repeated.
    pub signature: &'static str,
    /// What it gives, in one sentence.
    pub describes: &'static str,
    /// A call without columns.
    pub example: &'static str,
    /// What the example gives, as `string` writes it.
    pub result: &'static str,
    pub(super) kernel: Kernel,
}

impl FunctionInfo {
    const fn new(name: &'static str, signature: &'static str, describes: &'static str, kernel: Kernel) -> Self {
        Self { name, signature, describes, example: "", result: "", kernel }
    }

    /// The same with its example and what that gives.
    const fn example(mut self, example: &'static str, result: &'static str) -> Self {
        self.example = example;
        self.result = result;
        self
    }
}

/// All functions by group, in the order of the documentation.
pub const FUNCTIONS: [(&str, &[FunctionInfo]); 5] = [
    ("logic", &logic::FUNCTIONS),
    ("numbers", &numeric::FUNCTIONS),
    ("text", &text::FUNCTIONS),
    ("dates and times", &calendar::FUNCTIONS),
    ("casts", &cast::FUNCTIONS),
];

/// All functions.
pub fn functions() -> impl Iterator<Item = &'static FunctionInfo> {
    FUNCTIONS.into_iter().flat_map(|(_, functions)| functions)
}

/// The function of a name in lower case.
pub(super) fn find(name: &str) -> Option<&'static FunctionInfo> {
    functions().find(|function| function.name == name)
}

/// Whether a function is a cast: which types it takes is a matter of the cast, not of its signature.
pub(super) fn is_cast(function: &FunctionInfo) -> bool {
    cast::FUNCTIONS.iter().any(|cast| cast.name == function.name)
}
