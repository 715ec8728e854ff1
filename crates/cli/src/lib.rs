//! What the command shares with its tests: scheduler and workers wired into one process.

pub mod local;
