//! What the kernel says of a process.

use anyhow::{Context, Result};

/// The most memory that the process has had at once, in MiB.
pub(super) fn peak_mib(id: u32) -> Result<f64> {
    status_mib(id, "VmHWM:")
}

fn status_mib(id: u32, field: &str) -> Result<f64> {
    let path = format!("/proc/{id}/status");
    let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kib: Option<f64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    Ok(kib.with_context(|| format!("{path} has no {field}"))? / 1024.0)
}
