//! Specs from sentences: from a library of templates, or written by a model; either way checked and tried before they
//! are given away. It knows no command and no API: descriptions come in, specs go out.

pub mod limits;
pub mod error;
pub mod description;
pub mod template;
pub mod spec;
pub mod model;
mod author;
#[cfg(test)]
mod testing;

pub use author::{Made, Source, by_model, by_template};
pub use description::Description;
pub use error::AuthorError;
