//! Answers in a form: schemas, JSON found in what models say, what is wrong with it. Pure.

mod schema;
mod compile;
mod validate;
mod extract;
mod read;
mod rejection;

pub use extract::cleaned;
pub use read::{Unfit, read};
pub use rejection::Rejection;
pub(crate) use rejection::{kept, shortened};
pub use schema::Schema;
pub use validate::Problem;
