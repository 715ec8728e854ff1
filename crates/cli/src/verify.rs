//! `shardmill verify`: is a finished dataset what its spec promised?

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use shardmill_engine::check::report::Report;
use shardmill_worker::verify::{self, VerifyOptions};

use crate::{exit, say};

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 as promised · 1 a key, a file or the score fails")]
pub(crate) struct VerifyArgs {
    /// The version folder: the one that holds _SUCCESS
    dir: PathBuf,
    /// The score, 0 to 100, that must be reached
    #[arg(long, default_value_t = 80.0, value_name = "SCORE")]
    threshold: f64,
    /// Threads that read files; the default is the number of processors
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Memory for comparing keys, in MiB
    #[arg(long, default_value_t = 256, value_name = "MIB")]
    memory: u64,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
    /// Write the report as JSON into a file too
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Print what passed as well
    #[arg(short, long)]
    verbose: bool,
}

/// Verifies a folder.
pub(crate) fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let mut options = VerifyOptions::new(args.threads.unwrap_or(processors));
    options.threshold = args.threshold;
    options.memory_bytes = args.memory << 20;
    let report = verify::verify(&args.dir, &options)?;
    let json = serde_json::to_string_pretty(&verify::json::to_json(&report))?;
    if let Some(path) = &args.output {
        std::fs::write(path, &json)?;
    }
    if args.json {
        say::result(&json)
    } else {
        print(&report, args)
    }
    Ok(if report.is_good(options.threshold) { exit::OK } else { exit::FAILED })
}

fn print(report: &Report, args: &VerifyArgs) {
    for result in report.results.iter().filter(|result| args.verbose || !result.passed) {
        let word = if result.passed { "ok  " } else { "FAIL" };
        say::result(&format!("{word}  {}: {}", result.name, result.message));
    }
    let counts = report.counts();
    let verdict = if report.is_good(args.threshold) { "as promised" } else { "NOT as promised" };
    say::result(&format!(
        "{}: {verdict}: {} of {} checks passed, score {:.1} of 100",
        args.dir.display(),
        counts.passed,
        counts.total,
        report.score()
    ));
}
