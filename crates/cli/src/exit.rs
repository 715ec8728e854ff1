//! Exit codes, the same for every command.

use std::process::ExitCode;

/// Done.
pub(crate) const OK: ExitCode = ExitCode::SUCCESS;
/// Failed, or below the threshold.
pub(crate) const FAILED: ExitCode = ExitCode::FAILURE;

/// A spec that is refused, or a command line that makes no sense.
pub(crate) fn bad_spec() -> ExitCode {
    ExitCode::from(2)
}

/// Paused: the budget is spent.
pub(crate) fn paused_on_budget() -> ExitCode {
    ExitCode::from(3)
}

/// A service that is needed does not answer.
pub(crate) fn unreachable() -> ExitCode {
    ExitCode::from(4)
}

/// Stopped by Ctrl-C.
pub(crate) fn interrupted() -> ExitCode {
    ExitCode::from(130)
}
