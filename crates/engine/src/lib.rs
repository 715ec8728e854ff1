//! The engine: rows as pure functions of key and row index. No I/O, no async, no clock.

pub mod error;
pub mod value;
pub mod civil;
pub mod measure;
pub mod math;
pub mod random;
pub mod rows;
pub mod compile;
pub mod tables;
pub mod counts;
pub mod fanout;
pub mod link;
pub mod frame;
pub mod draw;
pub mod column;
pub mod duplicates;
pub mod filling;
pub mod generators;
pub mod semantic;
pub mod expression;
pub mod modifiers;
pub mod check;
pub mod describe;

pub use compile::{ENGINES, compile};
pub use error::EngineError;
pub use fanout::Scratch;
pub use filling::{Filling, Shape, Taken};
pub use rows::Rows;
pub use tables::{Asked, Size, Table, Tables};
pub use value::Type;
