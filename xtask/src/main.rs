//! The project's own commands: `cargo xtask test` and `cargo xtask check`. Everything CI does is one of them.

mod say;
mod workspace;
mod services;
mod testing;
mod check;
mod bench;

use std::process::ExitCode;

use anyhow::{Result, bail};

use services::Reach;
use workspace::Workspace;

const USAGE: &str = "usage: cargo xtask <command>

  test [--quick]   all tests; prepares what they need and says what it skipped (--quick: needs nothing but cargo)
  bench engine [--check] [encode|text|peers|tpch|process]   measures in release; --check fails below a bar
  services up      a private RabbitMQ, Redis and S3 server for playing; prints their settings, ends with Ctrl-C
  bench cluster [--check] [shards|twins|plan|finish|shop|upload|pair|lease]   the same with private servers
  check            format, lints, docs, licences and house rules";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            say::problem(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => return testing::run(&Workspace::find()?, Reach::Everything),
        ["test", "--quick"] => return testing::run(&Workspace::find()?, Reach::CargoOnly),
        ["bench", suite @ ("engine" | "cluster"), arguments @ ..] => bench::run(&Workspace::find()?, suite, arguments)?,
        ["services", "up"] => services::up(&Workspace::find()?)?,
        ["check"] => check::run(&Workspace::find()?)?,
        [] | ["help" | "--help" | "-h"] => say::line(USAGE),
        _ => bail!("unknown command `{}`\n{USAGE}", words.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}
