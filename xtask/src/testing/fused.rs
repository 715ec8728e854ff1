//! The golden values once more, built for a processor that multiplies and adds in one step: they must not change.

use std::fs;
use std::process::Command;

use crate::workspace::Workspace;

/// The tests of the golden values, in a build of their own that has the engine and little else.
///
/// On processors that always have the instruction every build may use it, so the ordinary run is this run too.
pub(super) fn tests(workspace: &Workspace) -> Result<Command, String> {
    if !cfg!(target_arch = "x86_64") {
        return Err("every build for this processor may fuse".to_owned());
    }
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    if !processor.split_whitespace().any(|flag| flag == "fma") {
        return Err("this processor cannot".to_owned());
    }
    let mut command = workspace.cargo(&["test", "--package", "shardmill-rows", "--no-fail-fast"]);
    command.env("CARGO_TARGET_DIR", workspace.cache.join("fused"));
    command.env("RUSTFLAGS", "-C target-feature=+fma,+avx2");
    Ok(command)
}
