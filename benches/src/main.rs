//! Engine and cluster measured, each row beside its bar. `cargo xtask bench engine` and `cargo xtask bench cluster` run it.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads clocks and is told by the environment"
)]

use std::process::ExitCode;

mod row;
mod suite;
mod engine;
mod cluster;

fn main() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((suite, rest)) if suite == "engine" => suite::run(engine::GROUPS, rest),
        Some((suite, rest)) if suite == "cluster" => suite::run(cluster::GROUPS, rest),
        _ => anyhow::bail!("expected `engine` or `cluster`, then --check or the names of groups"),
    }
}
