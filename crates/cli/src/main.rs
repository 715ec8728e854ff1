//! The `shardmill` command: one executable for every role.

use std::process::ExitCode;

use clap::Parser;

mod args;
mod say;
mod exit;
mod input;
mod create;
mod check;
mod preview;
mod plan;
mod run;
mod kinds;
mod config;
mod serve;
mod session;
mod client;
mod doctor;
mod mock_provider;
mod replay;
mod jobs;
mod schedules;
mod download;
mod datasets;
mod provider;
mod prompt;
mod login;
mod verify;
mod json_schema;
mod progress;
mod writing;
mod table;

fn main() -> ExitCode {
    // Every TLS client takes it from here; whoever was first has installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args = args::Args::parse();
    match args::dispatch(&args) {
        Ok(code) => code,
        Err(error) => {
            say::error(&format!("error: {error:#}"));
            exit::FAILED
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        super::args::Args::command().debug_assert();
    }
}
