//! The frame of every role: time, the order to stop, and the trace it is part of.

mod clock;
mod stop;
mod together;
pub mod trace;

pub use clock::{Clock, ManualClock, MonotonicClock};
pub use stop::Stop;
pub use together::Together;
