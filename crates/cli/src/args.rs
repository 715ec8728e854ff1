//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    check, create, datasets, doctor, exit, jobs, json_schema, login, mock_provider, plan, preview, prompt, provider,
    run, say, schedules, serve, verify,
};

/// Builds datasets at batch scale: relational tables from one spec, the same rows every time.
#[derive(Debug, Parser)]
#[command(
    name = "shardmill",
    version,
    after_help = "Exit codes: 0 ok · 1 failed or below threshold · 2 bad spec or usage · 3 paused on budget · 4 a service is unreachable · 130 interrupted"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a spec from a description: from a template, or by a model
    Create(create::CreateArgs),
    /// Report every problem of a spec at once, and the columns as they will be made
    Check(check::CheckArgs),
    /// Show the first rows of a build in the terminal
    Preview(preview::PreviewArgs),
    /// Show what a build would do: stages, shards, rows, bytes
    Plan(plan::PlanArgs),
    /// Build the dataset here, in one process
    Run(run::RunArgs),
    /// Remember the address of an API and a key of it, for the commands below
    Login(login::LoginArgs),
    /// Forget what `login` remembered
    Logout(login::LogoutArgs),
    /// Submit a spec to a running installation
    Submit(jobs::SubmitArgs),
    /// Jobs: list, show, watch, pause, resume, cancel, retry, priority, budget, failures
    Job(jobs::JobArgs),
    /// Schedules: create, list, show, delete, pause, resume, run-now
    Schedule(schedules::ScheduleArgs),
    /// Datasets: list, versions, files, path, download
    Dataset(datasets::DatasetArgs),
    /// Providers of models: list, test, prices
    Provider(provider::ProviderArgs),
    /// The prompts that models are asked with: list, show
    Prompt(prompt::PromptArgs),
    /// Run a role of a cluster, or all of them: the API, the scheduler, workers
    Serve(serve::ServeArgs),
    /// Try store, ledger and queue from this machine, and say how to mend what is found
    Doctor(doctor::DoctorArgs),
    /// Serve a model provider that costs nothing, to rehearse on
    MockProvider(mock_provider::MockProviderArgs),
    /// Check a finished dataset: files, keys, values, targets
    Verify(verify::VerifyArgs),
    /// Print the JSON Schema of a spec, for editors
    JsonSchema,
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// The spec and what is changed in it before it is read.
#[derive(Debug, clap::Args)]
pub(crate) struct SpecArgs {
    /// The spec: a YAML or JSON file
    pub(crate) spec: PathBuf,
    /// Use this seed instead of the spec's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Set a value of the spec: --set tables.users.rows=1000 (repeatable)
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    /// Take unknown keys as warnings
    #[arg(long)]
    pub(crate) lenient: bool,
}

/// Runs the command.
pub(crate) fn dispatch(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.command {
        Command::Create(args) => create::create(args),
        Command::Check(args) => check::check(args),
        Command::Preview(args) => preview::preview(args),
        Command::Plan(args) => plan::plan(args),
        Command::Run(args) => run::run(args),
        Command::Login(args) => login::login(args),
        Command::Logout(args) => login::logout(args),
        Command::Submit(args) => jobs::submit(args),
        Command::Job(args) => jobs::job(args),
        Command::Schedule(args) => schedules::schedule(args),
        Command::Dataset(args) => datasets::dataset(args),
        Command::Provider(args) => provider::provider(args),
        Command::Prompt(args) => prompt::prompt(args),
        Command::Serve(args) => serve::serve(args),
        Command::Doctor(args) => doctor::doctor(args),
        Command::MockProvider(args) => mock_provider::mock_provider(args),
        Command::Verify(args) => verify::verify(args),
        Command::JsonSchema => json_schema::json_schema(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Args::command(), "shardmill", &mut script);
            say::result(&String::from_utf8_lossy(&script));
            Ok(exit::OK)
        }
    }
}
