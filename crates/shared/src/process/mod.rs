//! The frame of every role: time and the order to stop.

mod clock;
mod stop;

pub use clock::{Clock, ManualClock, MonotonicClock};
pub use stop::Stop;
