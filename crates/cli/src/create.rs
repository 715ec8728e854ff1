//! `shardmill create`: a spec from a description.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use chrono::{DateTime, NaiveDate};
use serde_json::json;
use shardmill_author::model::{Asking, Lack, SmallPurse, Spent, lacks, questions};
use shardmill_author::{AuthorError, Description, Made, Source, by_model, by_template};
use shardmill_engine::{Size, Tables};
use shardmill_llm::{AskError, Class, Gateway, Route};
use shardmill_shared::job::{Name, NanoUsd};
use shardmill_shared::process::{Clock, MonotonicClock};
use shardmill_shared::spec::{Node, Problem, Report};

use crate::config::Config;
use crate::input::{KNOWN, compiled_from, line};
use crate::{exit, say};

#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// What the dataset is about, in a sentence: its tables, how many rows, which time
    #[arg(short, long, value_name = "TEXT")]
    description: String,
    /// Write the spec here; without it, to standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let this model write it, as PROVIDER/MODEL; without it, and without create.model of the configuration, a template is taken
    #[arg(long, value_name = "MODEL")]
    model: Option<Route>,
    /// How often a model's spec that cannot be used is sent back to it
    #[arg(long, value_name = "N", default_value_t = 3)]
    max_retries: u32,
    /// What may be spent on the model, in dollars, in place of budgets.default_job_usd of the configuration
    #[arg(long, value_name = "USD")]
    budget: Option<NanoUsd>,
    /// Ask no questions
    #[arg(short, long)]
    yes: bool,
    /// Write over a FILE that is there
    #[arg(long)]
    force: bool,
    /// Providers of models and their prices; the default is ./shardmill.toml, if it is there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the spec, who wrote it, notes and cost as JSON
    #[arg(long)]
    json: bool,
}

/// Writes a spec, checked and tried.
pub(crate) fn create(args: &CreateArgs) -> Result<ExitCode> {
    if let Some(file) = args.output.as_deref().filter(|file| file.exists() && !args.force) {
        say::error(&format!(
            "error: {} is there already; give another FILE, or --force to write over it",
            file.display()
        ));
        return Ok(exit::bad_spec());
    }
    let config = Config::load(args.config.as_deref())?;
    let route = args.model.as_ref().or(config.create.model.as_ref());
    let clock: Arc<dyn Clock> = Arc::new(MonotonicClock::start());
    let made = match route {
        Some(route) => by_a_model(args, &config, route, &clock),
        None => from_a_template(args, today(&*clock)?),
    };
    match made {
        Ok(made) => write(args, &made),
        Err(error) => match error.downcast::<AuthorError>() {
            Ok(error) => refuse(args, &error),
            Err(error) => Err(error),
        },
    }
}

fn today(clock: &dyn Clock) -> Result<NaiveDate> {
    let now = i64::try_from(clock.unix_ms()).ok().and_then(DateTime::from_timestamp_millis);
    Ok(now.context("the machine's clock shows no date")?.date_naive())
}

fn compile(tree: &Node, report: &Report) -> Option<Tables> {
    compiled_from(tree, report).map(|(_, tables, _)| tables)
}

/// Where the spec will be, as its heading says it.
fn file(args: &CreateArgs) -> String {
    args.output.as_ref().map_or_else(|| "FILE".to_owned(), |file| file.display().to_string())
}

/// Whether somebody is there to be asked.
fn asks(args: &CreateArgs) -> bool {
    !args.yes && !args.json && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

fn from_a_template(args: &CreateArgs, today: NaiveDate) -> Result<Made> {
    let mut description = Description::read(&args.description, today)?;
    if asks(args) {
        let wanted: Vec<String> =
            lacks(&description).into_iter().map(|lack: Lack| lack.question().to_owned()).collect();
        let answers = answered(wanted)?;
        // The questions themselves hold examples, so that only the answers are read.
        let plain: Vec<(String, String)> = answers.into_iter().map(|(_, answer)| (String::from(";"), answer)).collect();
        description = Description::read(&Description::with(&args.description, &plain), today)?;
    }
    Ok(by_template(&description, &compile, &file(args))?)
}

fn by_a_model(args: &CreateArgs, config: &Config, route: &Route, clock: &Arc<dyn Clock>) -> Result<Made> {
    let gateway = config.gateway(Arc::clone(clock))?;
    check(&gateway, route)?;
    let description = Description::read(&args.description, today(&**clock)?)?;
    let purse = SmallPurse::new(args.budget.unwrap_or(config.budgets.default_job_usd));
    let asking =
        Asking { gateway: &gateway, route, purse: &purse, repairs: args.max_retries, known: &KNOWN, compile: &compile };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut spent = Spent::default();
        let mut text = description.text.clone();
        if asks(args) {
            let wanted = questions(&asking, &description, &mut spent).await?;
            text = Description::with(&text, &answered(wanted)?);
        }
        Ok(by_model(&asking, &text, &file(args), spent).await?)
    })
}

/// Refuses a model that cannot be asked under a budget, before anything is spent.
fn check(gateway: &Gateway, route: &Route) -> Result<()> {
    let checked = gateway.check(std::slice::from_ref(route), &Name::new("default")?);
    checked.map_err(|error| {
        let error = AskError::Misconfigured(error.to_string());
        AuthorError::Unanswered { error, spent: Spent::default(), attempt: None }.into()
    })
}

/// Shows questions one by one; what is answered with an empty line is left open.
fn answered(questions: Vec<String>) -> Result<Vec<(String, String)>> {
    let mut answers = Vec::new();
    for question in questions {
        let mut terminal = std::io::stderr().lock();
        write!(terminal, "{question} ").and_then(|()| terminal.flush()).context("cannot ask")?;
        drop(terminal);
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
        answers.push((question, answer));
    }
    Ok(answers)
}

fn write(args: &CreateArgs, made: &Made) -> Result<ExitCode> {
    if let Some(file) = &args.output {
        std::fs::write(file, &made.text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.json {
        say::result(&serde_json::to_string_pretty(&as_value(made))?);
        return Ok(exit::OK);
    }
    for note in &made.notes {
        say::error(note);
    }
    if matches!(made.source, Source::Model(_)) {
        say::error(&cost(&made.spent));
    }
    match &args.output {
        Some(file) => say::error(&format!("{}: {} tables; next: shardmill run {0}", file.display(), made.tables.len())),
        None => say::result(made.text.trim_end()),
    }
    Ok(exit::OK)
}

fn cost(spent: &Spent) -> String {
    let calls = if spent.calls == 1 { "1 call".to_owned() } else { format!("{} calls", spent.calls) };
    format!("{calls}, {} tokens, ${}", say::count(spent.tokens), spent.paid)
}

fn as_value(made: &Made) -> serde_json::Value {
    let (source, template, model) = match &made.source {
        Source::Template(name) => ("template", Some(*name), None),
        Source::Model(model) => ("model", None, Some(model)),
    };
    let tables: Vec<_> = made
        .tables
        .iter()
        .map(|rows| match rows.size {
            Size::Exact(exact) => json!({"name": rows.table, "rows": exact}),
            Size::Between { least, most } => json!({"name": rows.table, "rows": null, "least": least, "most": most}),
        })
        .collect();
    json!({
        "spec": made.text, "source": source, "template": template, "model": model, "notes": made.notes,
        "calls": made.spent.calls, "tokens": made.spent.tokens, "usd": made.spent.paid, "tables": tables,
    })
}

/// Says why there is no spec, what it cost, and where the last attempt is kept.
fn refuse(args: &CreateArgs, error: &AuthorError) -> Result<ExitCode> {
    say::error(&format!("error: {error}"));
    match error {
        AuthorError::Empty | AuthorError::TooLong { .. } | AuthorError::Prompt(_) => Ok(exit::bad_spec()),
        AuthorError::NoTemplate { .. } => {
            say::error(
                "name one of these domains in the description, or let a model write the spec: --model PROVIDER/MODEL",
            );
            Ok(exit::bad_spec())
        }
        AuthorError::Unfit { problems, .. } => {
            print(problems, "spec");
            Ok(exit::bad_spec())
        }
        AuthorError::Hopeless { attempt, problems, spent } => {
            let file = keep(args, attempt)?;
            print(problems, &file.display().to_string());
            say::error(&format!("{}; the last attempt is kept in {}", cost(spent), file.display()));
            Ok(exit::FAILED)
        }
        AuthorError::Unanswered { error, spent, attempt } => {
            if let Some(attempt) = attempt {
                say::error(&format!("the last attempt is kept in {}", keep(args, attempt)?.display()));
            }
            if spent.calls > 0 || spent.paid > NanoUsd::ZERO {
                say::error(&cost(spent));
            }
            Ok(code(error))
        }
    }
}

fn code(error: &AskError) -> ExitCode {
    match error {
        AskError::Exhausted | AskError::Over { .. } => exit::paused_on_budget(),
        AskError::Unavailable { class: Class::Unreachable | Class::Timeout | Class::Network, .. } => {
            exit::unreachable()
        }
        _ => exit::FAILED,
    }
}

fn print(problems: &[Problem], file: &str) {
    problems.iter().for_each(|problem| say::error(&line(file, problem)));
}

/// Keeps an attempt, in place of an earlier one: beside the FILE that it should have become, else among the machine's temporary files.
fn keep(args: &CreateArgs, attempt: &str) -> Result<PathBuf> {
    let Some(file) = &args.output else {
        let file = std::env::temp_dir().join(format!("shardmill-create-{}.yaml", uuid::Uuid::now_v7()));
        return kept(&file, attempt);
    };
    let mut name = file.clone().into_os_string();
    name.push(".rejected");
    let file = PathBuf::from(name);
    kept(&file, attempt)
}

fn kept(file: &Path, attempt: &str) -> Result<PathBuf> {
    std::fs::write(file, attempt).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file.to_owned())
}
