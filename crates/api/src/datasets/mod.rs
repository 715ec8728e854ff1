//! Datasets and their published versions. A version without `_SUCCESS` is not there.

pub(crate) mod list;
pub(crate) mod versions;
pub(crate) mod version;
pub(crate) mod file;

#[cfg(test)]
mod tests;
