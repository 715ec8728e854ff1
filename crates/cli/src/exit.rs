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

/// Stopped by Ctrl-C.
pub(crate) fn interrupted() -> ExitCode {
    ExitCode::from(130)
}
