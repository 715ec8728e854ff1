//! What a schedule is: when it fires, what each fire makes, and what became of it. Pure.

mod timing;
mod record;

pub use record::{Afterwards, Fire, FireOutcome, Overlap, Schedule, ScheduleState, fire_job};
pub use timing::{Due, MISSED_MOST, Timing, TimingError};
