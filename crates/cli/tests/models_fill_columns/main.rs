//! Columns that a model fills, by the command and a mock provider: every row once, nothing paid twice, and never more than the
//! budget, whatever is killed.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod rehearsal;
mod text;
mod editions;
mod forms;
